import { encodeHex } from "../../core/bytes/mod.ts";
import type { ClientHello } from "../client_hello.ts";
import { compareCounts } from "../verify/counts.ts";
import { commonBits, hasRepeatedPiece } from "../verify/field_properties.ts";
import { type Observation, observe } from "../verify/observation.ts";
import { namesOf } from "../verify/sample.ts";
import { requireUniform, unexplained } from "./evidence.ts";

/** A field is compared only where it has as many bytes; shorter ones come again by chance. */
const MIN_FIELD_BYTES = 16;

/** Bits at the start of a random field that are looked at one by one. */
const TESTED_BITS = 256;

/** GREASE places that repeat or avoid each other by the rules of a profile. */
const BOUND: Readonly<Record<string, string>> = {
  "key_share": "group",
  "extension 2": "extension",
};

/**
 * Checks what a profile takes for drawn without saying so: that random, session id, ECH's key and payload and the key shares never
 * come again, that bits of them are even and agree with no other field, that public keys can be any, that config_id is drawn, and
 * that GREASE values are drawn one by one.
 *
 * @throws {UtlsError} `capture` if one of them is not so.
 */
export function requireDraws(hellos: readonly ClientHello[]): void {
  const seen = hellos.map(observe).map((each) => ({
    ...each,
    random: Object.fromEntries(
      Object.entries(each.random ?? {}).filter(([name]) =>
        !name.startsWith("psk ")
      ),
    ),
  }));
  requireFreshFields(seen);
  for (const name of namesOf([seen], ({ random }) => random)) {
    requireRandomField(name, seen);
  }
  requireUnrelatedFields(seen);
  const ids = seen.flatMap(({ ech }) => ech ? [ech.configId] : []);
  if (ids.length > 0) {
    requireUniform("ECH's config_id", ids.map((id) => id >> 4), 16);
    requireUniform("ECH's config_id", ids.map((id) => id & 15), 16);
  }
  requireUnrelatedGrease(seen);
}

function requireFreshFields(seen: readonly Observation[]): void {
  const earlier = new Set<string>();
  for (const { random = {} } of seen) {
    for (const [name, { bytes }] of Object.entries(random)) {
      if (bytes.length < MIN_FIELD_BYTES) continue;
      const text = encodeHex(bytes);
      if (earlier.has(text) || hasRepeatedPiece(bytes)) {
        throw unexplained(`${name} that comes again`);
      }
      earlier.add(text);
    }
  }
}

function requireRandomField(name: string, seen: readonly Observation[]): void {
  const fields = seen.flatMap(({ random }) => random?.[name] ?? []);
  if (fields.some(({ isKey }) => isKey === false)) {
    throw unexplained(`${name} that is no public key`);
  }
  if (fields.some(({ isKey }) => isKey)) return;
  const shortest = Math.min(...fields.map(({ bytes }) => bytes.length));
  for (let bit = 0; bit < Math.min(8 * shortest, TESTED_BITS); bit++) {
    const ones = fields.map(({ bytes }) => bytes[bit >> 3]! >> bit % 8 & 1);
    requireUniform(`bits of ${name}`, ones, 2);
  }
}

/** Fields of public keys have bits that are no even draw, and are compared for being the same alone. */
function requireUnrelatedFields(seen: readonly Observation[]): void {
  const names = namesOf([seen], ({ random }) => random)
    .filter((name) =>
      seen.every(({ random }) => random?.[name]?.isKey === undefined)
    );
  names.forEach((a, i) => {
    for (const b of names.slice(0, i)) {
      for (const reversed of [false, true]) {
        const common = commonBits(seen, a, b, reversed);
        const bits = [...common.values()].reduce((sum, n) => sum + n, 0);
        const even = new Map([[0, bits / 2], [1, bits / 2]]);
        const { p } = compareCounts("", common, even);
        if (bits > 0 && p < 1e-9) throw unexplained(`${b} like ${a}`);
      }
    }
  });
}

function requireUnrelatedGrease(seen: readonly Observation[]): void {
  const seeds = seen.map(({ grease, ech }): Record<string, number> => ({
    ...grease,
    ...(ech && { config_id: ech.configId >> 4 }),
  }));
  const places = namesOf([seen], ({ grease }) => grease);
  const isDrawn = (place: string) =>
    new Set(seeds.map((seed) => seed[place])).size > 1;
  const drawn = [...places, "config_id"].filter(isDrawn);
  drawn.forEach((a, i) => {
    for (const b of drawn.slice(0, i)) {
      const steps = seeds.flatMap((seed) =>
        seed[a] === undefined || seed[b] === undefined
          ? []
          : [(seed[a] - seed[b]) & 15]
      );
      if (BOUND[a] === b) {
        const isBound = steps.every((step) =>
          (step === 0) === (a === "key_share")
        );
        if (!isBound) throw unexplained(`GREASE in ${a} and ${b}`);
      } else requireUniform(`GREASE in ${a} against ${b}`, steps, 16);
    }
  });
}
