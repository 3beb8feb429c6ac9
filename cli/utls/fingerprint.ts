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
    let missing = 0;
    for await (const specimen of readSpecimens(context)) {
      const { from, where } = specimen;
      const taken = Object.entries(fingerprintsOf(specimen, full))
        .map(([name, take]) => [name, orNote(take, name, where, context)]);
      const fingerprints = taken.filter(([_, value]) => value !== undefined);
      missing += taken.length - fingerprints.length;
      const lines = fingerprints
        .map(([name, value]) => `  ${name!.padEnd(9)}  ${value}`);
      context.print(
        { where, from, ...Object.fromEntries(fingerprints) },
        [heading(specimen), ...lines].join("\n"),
      );
    }
    if (missing > 0) {
      throw new CliError("failed", `${missing} fingerprints cannot be taken`);
    }
  },
});

/** A list in a hello may be malformed: fingerprints that need it are named and left out. */
function orNote(
  take: () => string,
  name: string,
  where: string,
  { note }: Context,
): string | undefined {
  try {
    return take();
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    note(`${where}: no ${name}: ${error.message}`);
    return undefined;
  }
}

function fingerprintsOf(
  specimen: Specimen,
  full: boolean,
): Record<string, () => string> {
  switch (specimen.from) {
    case "client": {
      const { hello, transport } = specimen;
      return {
        ja3: () => utls.ja3(hello),
        ja3n: () => utls.ja3n(hello),
        ja4: () => utls.ja4(hello, transport),
        ...(full && {
          ja3_text: () => utls.ja3Text(hello),
          ja3n_text: () => utls.ja3nText(hello),
          ja4_r: () => utls.ja4r(hello, transport),
          ja4_o: () => utls.ja4o(hello, transport),
          ja4_ro: () => utls.ja4ro(hello, transport),
        }),
      };
    }
    case "server": {
      const { hello } = specimen;
      return {
        ja3s: () => utls.ja3s(hello),
        ...(full && { ja3s_text: () => utls.ja3sText(hello) }),
      };
    }
    case "http2": {
      const { bytes } = specimen;
      return {
        akamai: () => whole(utls.akamai(bytes)),
        ...(full && { akamai_text: () => whole(utls.akamaiText(bytes)) }),
      };
    }
  }
}

function whole(fingerprint: string | undefined): string {
  if (fingerprint !== undefined) return fingerprint;
  throw new DecodeError("HTTP/2", "cut short");
}
