import {
  BLOCK_TYPE,
  type Bundle,
  BUNDLE_FLAG,
  bundleAgeOf,
  BundleError,
  bundleId,
  encryptionOf,
  hopCountOf,
  payloadOf,
  previousNodeOf,
  receptionFaults,
  unixTime,
} from "../../src/dtn/mod.ts";

/** What is to be said of a bundle of `length` bytes, by name. */
export function explainBundle(
  bundle: Bundle,
  length: number,
): Record<string, unknown> {
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

/** What {@link explainBundle} gives, for a person: a line for each, of lists for each item. */
export function textOfExplanation(
  explained: Readonly<Record<string, unknown>>,
): string {
  return Object.entries(explained).flatMap(([name, value]) =>
    Array.isArray(value)
      ? value.map((each) => `${name} ${linesOf(each)}`)
      : [`${name} ${linesOf(value)}`]
  ).join("\n");
}

function linesOf(value: unknown): string {
  if (typeof value !== "object" || value === null) {
    return String(value ?? "none");
  }
  return Object.entries(value).map(([name, each]) => `${name}=${each}`)
    .join(" ");
}
