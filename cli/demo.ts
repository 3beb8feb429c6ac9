import { parseSize } from "../src/core/config/mod.ts";
import { CliError } from "./_error.ts";
import { type Command, command } from "./_main.ts";
import { MAX_RESOURCE_BYTES } from "./demo/content.ts";
import { bundlesTable, runBundles } from "./demo/bundles.ts";
import { fabricTable, runFabric } from "./demo/fabric.ts";
import { figuresTable } from "./demo/figures.ts";
import { groupsTable, runGroups } from "./demo/groups.ts";
import { mixnetTable, runMixnet } from "./demo/mixnet.ts";
import { serveOrigin } from "./demo/origin.ts";
import { runTunnels } from "./demo/tunnels.ts";
import type { CarrierName } from "./htx/address_for.ts";

const USAGE = `
Usage: betanet demo [--stage <name>] [--carrier <name>] [--size <bytes>] [--pages <n>]

Shows on this machine what the programs do, each as a process of its own. Exit code 0 only if all came as it should.

tunnel  A web server, an HTX server and an HTX proxy: the demo downloads a file and many small pages through them, checks
        every SHA-256 against what it computed itself, and prints what the processes counted.
mixnet  An authority, two gateways and three mixes: Alice sends Bob an anonymous message, Bob replies through ways back
        that it enclosed, and the nodes say how long they held packets and how well they mixed them.
dtn     A sender, a relay and a receiver of bundles: a tree of files crosses them though no two of them are up together for long,
        and each contact ends with the power cut; the demo compares every SHA-256 at the end.
fabric  Alice and Bob, each on a node of agents, and a third node for bundles: their exchange goes on when the network between them is
        cut, returns to it when it is mended, and every message comes once; the demo verifies Bob's receipts.
groups  Alice, Bob and Cat in a group with keys of its own: Cat is away and catches up by bundles alone, all vote and each has the
        signed ballots that the demo counts, and Cat is removed and hears nothing more.

  --stage <name>     tunnel, mixnet, dtn, fabric, groups or all (all)
  --carrier <name>   tls, wss, tcp, ws, quic, or all of them in turn (tls)
  --size <bytes>     size of the file (256MiB)
  --pages <n>        number of pages of 1 to 64 KiB (300)
  --origin <seed>    be the web server; the demo starts it so

Examples:
  betanet demo
  betanet demo --stage tunnel --carrier all --size 64MiB
  betanet demo --stage mixnet
  betanet demo --stage dtn
  betanet demo --stage fabric
  betanet demo --stage groups
`;

const STAGES: readonly string[] = [
  ...["tunnel", "mixnet", "dtn", "fabric", "groups"],
];
const MAX_PAGES = 10_000;
const CARRIERS: readonly CarrierName[] = ["tls", "wss", "tcp", "ws", "quic"];

/** Real traffic through a tunnel, a mixnet, nodes of bundles and agents, for everybody to see. */
export const demo: Command = command({
  usage: USAGE,
  flags: {
    stage: "string",
    carrier: "string",
    size: "string",
    pages: "string",
    origin: "string",
  },
  async run(flags, context) {
    if (flags.origin !== undefined) return serveOrigin(flags.origin, context);
    const stages = stagesOf(flags.stage ?? "all");
    const carriers = carriersOf(flags.carrier ?? "tls");
    const fileBytes = sizeOf(flags.size ?? "256MiB");
    const pageCount = countOf(flags.pages ?? "300");
    try {
      const tunnel = stages.includes("tunnel")
        ? await runTunnels(carriers, { fileBytes, pageCount }, context)
        : undefined;
      const mixnet = stages.includes("mixnet")
        ? await runMixnet(context)
        : undefined;
      const bundles = stages.includes("dtn")
        ? await runBundles(context)
        : undefined;
      const fabric = stages.includes("fabric")
        ? await runFabric(context)
        : undefined;
      const groups = stages.includes("groups")
        ? await runGroups(context)
        : undefined;
      const shown = [
        ...tunnel ? [figuresTable(tunnel)] : [],
        ...mixnet ? [mixnetTable(mixnet)] : [],
        ...bundles ? [bundlesTable(bundles)] : [],
        ...fabric ? [fabricTable(fabric)] : [],
        ...groups ? [groupsTable(groups)] : [],
      ];
      context.print(
        {
          ...tunnel && { carriers: tunnel },
          ...mixnet && { mixnet },
          ...bundles && { dtn: bundles },
          ...fabric && { fabric },
          ...groups && { groups },
        },
        shown.join("\n\n"),
      );
    } catch (error) {
      context.signal.throwIfAborted();
      throw error;
    }
  },
});

function stagesOf(text: string): readonly string[] {
  if (text === "all") return STAGES;
  if (STAGES.includes(text)) return [text];
  throw new CliError(
    "usage",
    "Flag --stage wants tunnel, mixnet, dtn, fabric, groups or all",
  );
}

function carriersOf(text: string): readonly CarrierName[] {
  if (text === "all") return CARRIERS;
  const found = CARRIERS.filter((carrier) => carrier === text);
  if (found.length > 0) return found;
  throw new CliError(
    "usage",
    "Flag --carrier wants tls, wss, tcp, ws, quic or all",
  );
}

function sizeOf(text: string): number {
  try {
    const bytes = parseSize(text);
    if (bytes > 0 && bytes <= MAX_RESOURCE_BYTES) return bytes;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error; // said below
  }
  throw new CliError("usage", `Flag --size wants 1B to 16GiB, got "${text}"`);
}

function countOf(text: string): number {
  const count = Number(text);
  if (/^\d{1,5}$/.test(text) && count > 0 && count <= MAX_PAGES) {
    return count;
  }
  throw new CliError(
    "usage",
    `Flag --pages wants 1 to ${MAX_PAGES}, got "${text}"`,
  );
}
