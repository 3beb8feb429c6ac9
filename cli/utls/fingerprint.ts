import { DecodeError } from "../../src/core/bytes/mod.ts";
import * as utls from "../../src/utls/mod.ts";
import { CliError } from "../_error.ts";
import { type Command, command, type Context } from "../_main.ts";
import {
  heading,
  INPUTS,
  readSpecimens,
  type Specimen,
} from "./read_specimens.ts";

const USAGE = `
Usage: betanet-utls fingerprint [--full] [file…]

Prints JA3, JA3N and JA4 of every ClientHello, JA3S of every ServerHello, and Akamai's fingerprint of the first bytes of an
HTTP/2 connection. The rest of JA4+ has a non-commercial licence and is not built.

${INPUTS}

  --full   what was digested too: the texts of JA3, JA4_r, JA4_o and JA4_ro

Examples:
  betanet-utls fingerprint visit.pcapng
  betanet-utls generate | betanet-utls fingerprint --full
`;

/** Takes fingerprints. */
export const fingerprint: Command = command({
  usage: USAGE,
  flags: { full: "boolean" },
  operands: [0, 1_000],
  async run({ full }, context) {
    for (const specimen of await readSpecimens(context)) {
      const { from, where } = specimen;
      const fingerprints = orNote(
        () => fingerprintsOf(specimen, full),
        where,
        context,
      );
      const lines = Object.entries(fingerprints)
        .map(([name, value]) => `  ${name.padEnd(9)}  ${value}`);
      context.print(
        { where, from, ...fingerprints },
        [heading(specimen), ...lines].join("\n"),
      );
    }
  },
});

/** A list in a hello may be malformed: that one is named and has no fingerprints. */
function orNote(
  take: () => Record<string, string>,
  where: string,
  { note }: Context,
): Record<string, string> {
  try {
    return take();
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    note(`${where}: ${error.message}`);
    return {};
  }
}

function fingerprintsOf(
  specimen: Specimen,
  full: boolean,
): Record<string, string> {
  switch (specimen.from) {
    case "client": {
      const { hello, transport } = specimen;
      return {
        ja3: utls.ja3(hello),
        ja3n: utls.ja3n(hello),
        ja4: utls.ja4(hello, transport),
        ...(full
          ? {
            ja3_text: utls.ja3Text(hello),
            ja3n_text: utls.ja3nText(hello),
            ja4_r: utls.ja4r(hello, transport),
            ja4_o: utls.ja4o(hello, transport),
            ja4_ro: utls.ja4ro(hello, transport),
          }
          : {}),
      };
    }
    case "server":
      return {
        ja3s: utls.ja3s(specimen.hello),
        ...(full ? { ja3s_text: utls.ja3sText(specimen.hello) } : {}),
      };
    case "http2": {
      const text = utls.akamaiText(specimen.bytes);
      const digest = utls.akamai(specimen.bytes);
      if (text === undefined || digest === undefined) {
        throw new CliError(
          "failed",
          `HTTP/2 is cut short in ${specimen.where}`,
        );
      }
      return { akamai: digest, ...(full ? { akamai_text: text } : {}) };
    }
  }
}
