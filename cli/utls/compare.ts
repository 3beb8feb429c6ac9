import * as utls from "../../src/utls/mod.ts";
import { CliError } from "../_error.ts";
import { type Command, command } from "../_main.ts";
import { heading, INPUTS, readSpecimens } from "./read_specimens.ts";

const USAGE = `
Usage: betanet-utls compare [--top <n>] [file…]

Says of every ClientHello which browser it is nearest to and how far off: in how many parts it differs from all that the
browser's profile makes, and in which. A distance of 0 means that this hello may be the browser's; that many hellos are takes
the statistics of verify.

${INPUTS}

  --top <n>   how many profiles to show (3)

Examples:
  betanet-utls compare visit.pcapng
  betanet-utls generate --chrome-version 119 | betanet-utls compare --top 1 --json
`;

/** Compares hellos with the profiles. */
export const compare: Command = command({
  usage: USAGE,
  flags: { top: "string" },
  operands: [0, 1_000],
  async run(flags, context) {
    const top = Number(flags.top ?? 3);
    if (!Number.isInteger(top) || top < 1) {
      throw new CliError("usage", "Flag --top wants a number from 1 on");
    }
    let compared = 0;
    for await (const found of readSpecimens(context)) {
      if (found.from !== "client") continue;
      compared++;
      const matches = utls.compareHello(found.hello).slice(0, top)
        .map(({ profile, distance, differences }) => ({
          browser: nameOf(profile),
          distance,
          differences,
        }));
      const lines = matches.map(describe);
      context.print(
        { where: found.where, matches },
        [heading(found), ...lines].join("\n"),
      );
    }
    if (compared === 0) {
      throw new CliError("failed", "No ClientHello to compare");
    }
  },
});

interface NamedMatch {
  readonly browser: string;
  readonly distance: number;
  readonly differences: readonly utls.Difference[];
}

function describe({ browser, distance, differences }: NamedMatch): string {
  const lines = differences.map(({ part, expected, found }) =>
    `  ${part}\n    expected  ${expected}\n    found     ${found}`
  );
  return [`${browser}: distance ${distance}`, ...lines].join("\n");
}

function nameOf({ versions: [first, last] }: utls.Profile): string {
  return first === last ? `Chrome ${first}` : `Chrome ${first} to ${last}`;
}
