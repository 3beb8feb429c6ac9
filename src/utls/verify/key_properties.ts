import { encodeHex } from "../../core/bytes/mod.ts";
import { compareCounts, count, type Counts, type Trial } from "./counts.ts";
import type { Observation } from "./observation.ts";
import { compare, fieldsOf, type Sample } from "./sample.ts";

/** Bytes of a random field whose bits are compared one by one. */
const TESTED_BYTES = 32;

/** Whether a hello has a key, random or session id that it has at another place too, or an earlier hello had at any. */
export function repeatedKeys(ours: Sample, reference: Sample): Trial[] {
  if (!ours[0]?.random || !reference[0]?.random) return [];
  const counted = (sample: Sample) => {
    const seen = new Set<string>();
    return count(sample, ({ random = {} }) => {
      let repeated = 0;
      for (const { bytes } of Object.values(random)) {
        if (bytes.length < 16) continue;
        const text = encodeHex(bytes);
        if (seen.has(text)) repeated = 1;
        seen.add(text);
      }
      return repeated;
    });
  };
  return [compareCounts("keys", counted(ours), counted(reference))];
}

/** Whether public keys can be any, by their place. */
export function publicKeys(ours: Sample, reference: Sample): Trial[] {
  const isKey = (name: string) => ({ random }: Observation) =>
    random?.[name]?.isKey;
  return fieldsOf(ours, reference)
    .filter((name) => reference.some((o) => isKey(name)(o) !== undefined))
    .map((name) =>
      compare(name, ours, reference, (observation) => {
        const valid = isKey(name)(observation);
        return valid === undefined ? undefined : Number(valid);
      })
    );
}

/** The share of ones in each bit at the start of each random field. */
export function randomBits(ours: Sample, reference: Sample): Trial[] {
  const isTicket = (name: string) =>
    reference.some(({ random }) => random?.[name]?.isTicket);
  return fieldsOf(ours, reference).filter((name) => !isTicket(name)).flatMap((
    name,
  ) => {
    const [a, b] = [ours, reference].map((sample) => onesOf(sample, name));
    const bits = Math.min(a!.ones.length, b!.ones.length);
    return Array.from({ length: bits }, (_, bit) =>
      compareCounts(
        `${name} bit ${bit}`,
        zerosAndOnes(a!, bit),
        zerosAndOnes(b!, bit),
      ));
  });
}

interface Ones {
  readonly ones: Uint32Array;
  readonly hellos: number;
}

function onesOf(sample: Sample, name: string): Ones {
  const ones = new Uint32Array(8 * TESTED_BYTES);
  let hellos = 0;
  let length = TESTED_BYTES;
  for (const { random } of sample) {
    const bytes = random?.[name]?.bytes;
    if (!bytes) continue;
    hellos++;
    length = Math.min(length, bytes.length);
    for (let bit = 0; bit < 8 * length; bit++) {
      ones[bit]! += bytes[bit >> 3]! >> (7 - bit % 8) & 1;
    }
  }
  return { ones: ones.subarray(0, 8 * length), hellos };
}

function zerosAndOnes({ ones, hellos }: Ones, bit: number): Counts {
  const counts = [[0, hellos - ones[bit]!], [1, ones[bit]!]] as const;
  return new Map(counts.filter(([, seen]) => seen > 0));
}
