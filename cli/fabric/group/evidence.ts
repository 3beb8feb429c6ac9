import { DecodeError } from "../../../src/core/bytes/mod.ts";
import { defaultProvider } from "../../../src/core/crypto/mod.ts";
import {
  type Evidence,
  FabricError,
  isDoubleBallot,
  isEquivocation,
  parseEvidence,
} from "../../../src/fabric/mod.ts";
import { CliError } from "../../_error.ts";
import { command, type Program } from "../../_main.ts";
import { readInput } from "../../_read_input.ts";
import { table } from "../../_table.ts";
import { APP_FLAGS, APP_USAGE } from "../settings.ts";
import { getJson, nameOf, type ShownAgent } from "./ask_group.ts";

const USAGE = `
Usage: betanet-fabric group evidence <command> [flags]

What members of a group signed that they should not have signed: two commits for one epoch (equivocation), two ballots for one proposal,
commits that break the rules, that came after the members had decided, or that began a fork.

Commands:
  list    what is kept
  export  print it, betanet-evidence:… a line
  verify  verify evidence of equivocation and of double ballots without any node

Examples:
  betanet-fabric group evidence list team
  betanet-fabric group evidence export team > proof.txt
  betanet-fabric group evidence verify proof.txt
`;

interface ShownEvidence {
  readonly kind: string;
  readonly agent: ShownAgent;
  readonly atMs: number;
  readonly isProof: boolean;
  readonly signed: string;
}

const list = command({
  usage: `
Usage: betanet-fabric group evidence list <group> [flags]

Lists what is kept of a group, and whether anybody can verify it without being a member.

${APP_USAGE}

Example:
  betanet-fabric group evidence list team
`,
  flags: APP_FLAGS,
  operands: [1, 1],
  async run(flags, context) {
    const [group = ""] = context.operands;
    const all = await getJson<ShownEvidence[]>(
      ...[flags, context, "/group/evidence", { group }] as const,
    );
    const text = table(
      ["what", "agent", "seen", "proves itself"],
      all.map(({ kind, agent, atMs, isProof }) => [
        ...[kind, nameOf(agent), new Date(atMs).toISOString()],
        isProof ? "yes" : "no",
      ]),
    );
    context.print(all, text);
  },
});

const exportAll = command({
  usage: `
Usage: betanet-fabric group evidence export <group> [flags]

Prints what is kept of a group, betanet-evidence:… a line.

${APP_USAGE}

Example:
  betanet-fabric group evidence export team > proof.txt
`,
  flags: APP_FLAGS,
  operands: [1, 1],
  async run(flags, context) {
    const [group = ""] = context.operands;
    const all = await getJson<ShownEvidence[]>(
      ...[flags, context, "/group/evidence", { group }] as const,
    );
    for (const { signed } of all) context.print({ signed }, signed);
  },
});

const verify = command({
  usage: `
Usage: betanet-fabric group evidence verify <file>|-

Verifies evidence of equivocation and of double ballots, as export prints it, without any node, and prints what each shows. Exit code 1
if one does not prove itself: of other kinds only members can judge.

Example:
  betanet-fabric group evidence verify proof.txt
`,
  flags: {},
  operands: [1, 1],
  async run(_, context) {
    const [path = ""] = context.operands;
    const text = new TextDecoder().decode(await readInput(path, context));
    const lines = text.split(/\s+/).filter((line) => line !== "");
    if (lines.length === 0) {
      throw new CliError("failed", `There is no evidence in ${path}`);
    }
    const open: number[] = [];
    for (const [index, line] of lines.entries()) {
      const { evidence, isProof } = evidenceIn(line, index);
      const { kind, agent, atMs } = evidence;
      if (!isProof) open.push(index + 1);
      const says = isProof ? "signed both" : "is not shown to have done it";
      const shown = { kind, agent: `${agent}`, atMs, isProof };
      context.print(shown, `${kind}: ${agent} ${says}`);
    }
    if (open.length === 0) return;
    const what = `Evidence ${open.join(", ")} does not prove itself`;
    throw new CliError("failed", what);
  },
});

/** Evidence. */
export const evidence: Program = {
  name: "betanet-fabric group evidence",
  usage: USAGE,
  commands: { list, export: exportAll, verify },
};

function evidenceIn(
  line: string,
  index: number,
): { readonly evidence: Evidence; readonly isProof: boolean } {
  try {
    const crypto = defaultProvider();
    const evidence = parseEvidence(line);
    const isProof = isEquivocation(crypto, evidence) ||
      isDoubleBallot(crypto, evidence);
    return { evidence, isProof };
  } catch (cause) {
    const isBad = cause instanceof FabricError || cause instanceof DecodeError;
    if (!isBad) throw cause;
    throw new CliError("failed", `Evidence ${index + 1} does not verify`, {
      cause,
    });
  }
}
