import type { Trial } from "./counts.ts";
import { fieldRelations, repeatedPieces } from "./field_properties.ts";
import { publicKeys, randomBits, repeatedKeys } from "./key_properties.ts";
import {
  anchorOrders,
  pairwiseOrder,
  positions,
  repeatedOrders,
  wholeOrder,
} from "./order_properties.ts";
import { compare, namesOf, type Sample } from "./sample.ts";
import {
  echAead,
  echConfigId,
  greaseRelations,
  greaseUniformity,
  greaseValues,
  repeatedSeeds,
  seedSequence,
} from "./seed_properties.ts";

/** Runs the statistical tests of one property on our sample and the reference. */
export type Property = (ours: Sample, reference: Sample) => Trial[];

/** Every property that is tested, by name. Each leaves out what one of the sources did not keep. */
export const PROPERTIES: Readonly<Record<string, Property>> = {
  "masked bytes": maskedBytes,
  "hello length": helloLength,
  "extension positions": positions,
  "pairwise order": pairwiseOrder,
  "repeated orders": repeatedOrders,
  "whole order": wholeOrder,
  "trust anchor orders": anchorOrders,
  "GREASE values": greaseValues,
  "GREASE uniformity": greaseUniformity,
  "GREASE relations": greaseRelations,
  "ECH payload length": echPayloadLength,
  "ECH config_id": echConfigId,
  "ECH AEAD by cipher order": echAead,
  "repeated seeds": repeatedSeeds,
  "seed sequence": seedSequence,
  "repeated keys": repeatedKeys,
  "public keys": publicKeys,
  "random bits": randomBits,
  "repeated pieces": repeatedPieces,
  "field relations": fieldRelations,
};

function maskedBytes(ours: Sample, reference: Sample): Trial[] {
  if (!ours[0]?.parts || !reference[0]?.parts) return [];
  return namesOf([ours, reference], ({ parts }) => parts).map((name) =>
    compare(name, ours, reference, ({ parts }) => parts?.[name] ?? "absent")
  );
}

function helloLength(ours: Sample, reference: Sample): Trial[] {
  if (!ours[0]?.length || !reference[0]?.length) return [];
  return [compare("length", ours, reference, ({ length }) => length)];
}

function echPayloadLength(ours: Sample, reference: Sample): Trial[] {
  return [
    compare("payload", ours, reference, ({ ech }) => ech?.payloadLength),
  ];
}
