import { isCapture } from "../../src/core/capture/mod.ts";
import {
  type Bundle,
  BundleError,
  decodeBundle,
  QUIRKS,
} from "../../src/dtn/mod.ts";
import { CliError } from "../_error.ts";
import { type Command, command } from "../_main.ts";
import { readInput } from "../_read_input.ts";
import { explainBundle, textOfExplanation } from "./explain_bundle.ts";
import { inspectCapture } from "./inspect_capture.ts";

const USAGE = `
Usage: betanet-dtn inspect [<file>|-] [--lenient] [--hex <digits>]

Explains a bundle: a file of its bytes or of hexadecimal, or stdin. Of a capture, pcap or pcapng, explains each bundle that goes over
TCPCLv4, MTCP, UDP or HTTP push in it, and says what gave none.

  --hex <digits>   the bundle itself, in hexadecimal
  --lenient        overlook the known faults of others' bundles

Exit code 1 if it is no bundle, with what is wrong; of a capture, if there is none in it or one does not decode.

Examples:
  betanet-dtn inspect bundle.cbor
  betanet-dtn inspect traffic.pcapng
  betanet-dtn inspect --hex 9f88070000…ff --json
`;

/** Explains a bundle. */
export const inspect: Command = command({
  usage: USAGE,
  flags: { hex: "string", lenient: "boolean" },
  operands: [0, 1],
  async run(flags, context) {
    const [path = "-"] = context.operands;
    const bytes = flags.hex === undefined
      ? bytesIn(await readInput(path, context))
      : hexBytes(flags.hex);
    if (isCapture(bytes)) return inspectCapture(bytes, flags, context);
    const explained = explainBundle(
      decoded(bytes, flags.lenient),
      bytes.length,
    );
    context.print(explained, textOfExplanation(explained));
  },
});

function decoded(bytes: Uint8Array, isLenient: boolean): Bundle {
  try {
    return decodeBundle(bytes, isLenient ? { quirks: QUIRKS } : {});
  } catch (cause) {
    if (!(cause instanceof BundleError)) throw cause;
    throw new CliError(
      "failed",
      `No bundle (${cause.code}): ${cause.message}`,
      {
        ...!isLenient && { hint: "--lenient overlooks known faults." },
      },
    );
  }
}

/** The bytes, or those that hexadecimal digits in them write. */
function bytesIn(input: Uint8Array): Uint8Array {
  const text = new TextDecoder("latin1").decode(input).replace(/\s/g, "");
  return /^(?:[0-9a-fA-F]{2})+$/.test(text) ? hexBytes(text) : input;
}

function hexBytes(text: string): Uint8Array {
  const digits = text.replace(/\s/g, "");
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(digits)) {
    throw new CliError("usage", "--hex wants hexadecimal digits in pairs");
  }
  return Uint8Array.fromHex(digits);
}
