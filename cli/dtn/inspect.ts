import {
  BLOCK_TYPE,
  type Bundle,
  BUNDLE_FLAG,
  bundleAgeOf,
  BundleError,
  bundleId,
  decodeBundle,
  encryptionOf,
  hopCountOf,
  payloadOf,
  previousNodeOf,
  QUIRKS,
  receptionFaults,
  unixTime,
} from "../../src/dtn/mod.ts";
import { CliError } from "../_error.ts";
import { type Command, command } from "../_main.ts";
import { readInput } from "../_read_input.ts";

const USAGE = `
Usage: betanet-dtn inspect [<file>|-] [--lenient] [--hex <digits>]

Explains a bundle: a file of its bytes or of hexadecimal, or stdin.

  --hex <digits>   the bundle itself, in hexadecimal
  --lenient        overlook the known faults of others' bundles

Exit code 1 if it is no bundle, with what is wrong.

Examples:
  betanet-dtn inspect bundle.cbor
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
    const bundle = decoded(bytes, flags.lenient);
    const explained = explain(bundle, bytes.length);
    const lines = Object.entries(explained).flatMap(([name, value]) =>
      Array.isArray(value)
        ? value.map((each) => `${name} ${linesOf(each)}`)
        : [`${name} ${linesOf(value)}`]
    );
    context.print(explained, lines.join("\n"));
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

function explain(bundle: Bundle, length: number): Record<string, unknown> {
  const { primary, blocks } = bundle;
  const created = Number(primary.creation.timeMs);
  return {
    id: bundleId(bundle),
    bytes: length,
    source: `${primary.source}`,
    destination: `${primary.destination}`,
    reportTo: `${primary.reportTo}`,
    created: created === 0
      ? "without a clock"
      : new Date(unixTime(created)).toISOString(),
    lifetimeMs: Number(primary.lifetimeMs),
    flags: namesOf(primary.flags),
    crc: CRC[primary.crcType],
    ...primary.fragment && { fragment: primary.fragment },
    ...extensionsOf(bundle),
    payloadBytes: payloadOf(bundle).length,
    encrypted: encryptionOf(bundle) ?? "no",
    faults: receptionFaults(bundle),
    blocks: blocks.map(({ type, number, flags, crcType, data }) => ({
      ...{ number, type: typeName(type), flags, crc: CRC[crcType] },
      bytes: data.length,
    })),
  };
}

function extensionsOf(bundle: Bundle): Record<string, unknown> {
  try {
    const previous = previousNodeOf(bundle);
    return {
      ...previous && { previousNode: `${previous}` },
      ageMs: bundleAgeOf(bundle),
      hops: hopCountOf(bundle),
    };
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    return { extensions: error.message };
  }
}

const CRC = ["none", "CRC-16/X.25", "CRC-32C"];

function namesOf(flags: number): string[] {
  return Object.entries(BUNDLE_FLAG).filter(([, bit]) => (flags & bit) !== 0)
    .map(([name]) => name);
}

function typeName(type: number): string {
  const known = Object.entries(BLOCK_TYPE).find(([, each]) => each === type);
  return known ? known[0] : `${type}`;
}

function linesOf(value: unknown): string {
  if (typeof value !== "object" || value === null) {
    return String(value ?? "none");
  }
  return Object.entries(value).map(([name, each]) => `${name}=${each}`)
    .join(" ");
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
