import { BUNDLE_FLAG } from "../../src/dtn/mod.ts";
import {
  BLOCK_TYPE,
  type Bundle,
  type CanonicalBlock,
  type CrcType,
  Eid,
  encodeBundleAge,
  encodeEid,
  encodeHopCount,
} from "../../src/dtn/mod.ts";

type Random = (below: number) => number;

/** What a peer cannot read, and so is not drawn. */
export interface RandomBundleLimits {
  /** Below which DTN times are, in milliseconds. */
  readonly timeLimitMs: number;
  /** Whether ipn endpoints may have allocators. */
  readonly allocators: boolean;
  /** Whether there may be blocks of other types than RFC 9171 has. */
  readonly otherTypes: boolean;
}

const REPORTS = [0x20, 0x40, 0x4000, 0x10000, 0x20000, 0x40000];
const SERVICES = ["", "in", "~group", "a/b?c=d", "x~!*'();:@&=+$,"];
const BLOCK_FLAGS = [0, 1, 2, 4, 0x10, 0x17];

/** A bundle that RFC 9171 allows, of any shape within `limits`. */
export function randomBundle(
  random: Random,
  limits: RandomBundleLimits,
): Bundle {
  const payload = bytes(random, random(20) ? 40 : 70_000);
  const source = endpoint(random, limits);
  let flags = REPORTS.reduce((all, flag) => all + flag * random(2), 0);
  const isFragment = random(4) === 0;
  if (isFragment) flags += BUNDLE_FLAG.isFragment;
  else if (random(2)) flags += BUNDLE_FLAG.mustNotFragment;
  const offset = random(1_000_000);
  const primary = {
    flags,
    crcType: random(3) as CrcType,
    destination: endpoint(random, limits),
    source,
    reportTo: [source, Eid.NONE, endpoint(random, limits)][random(3)]!,
    creation: {
      timeMs: 1 + Math.min(wide(random), limits.timeLimitMs - 2),
      sequence: wide(random),
    },
    lifetimeMs: wide(random),
    ...isFragment && {
      fragment: {
        offset,
        totalLength: offset + payload.length + random(1_000),
      },
    },
  };
  return {
    primary,
    blocks: [...extensions(random, limits), {
      type: BLOCK_TYPE.payload,
      number: 1,
      flags: BLOCK_FLAGS[random(6)]!,
      crcType: random(3) as CrcType,
      data: payload,
    }],
  };
}

function extensions(
  random: Random,
  limits: RandomBundleLimits,
): CanonicalBlock[] {
  const made = [
    () => ({
      type: BLOCK_TYPE.previousNode,
      data: encodeEid(endpoint(random, limits)),
    }),
    () => ({
      type: BLOCK_TYPE.bundleAge,
      data: encodeBundleAge(wide(random)),
    }),
    () => ({
      type: BLOCK_TYPE.hopCount,
      data: encodeHopCount({ limit: 1 + random(255), count: random(256) }),
    }),
    () => ({
      type: 20 + random(236),
      data: bytes(random, 300),
    }),
  ];
  if (!limits.otherTypes) made.pop();
  let number = 1;
  return made.filter(() => random(2)).map((make) => ({
    ...make(),
    number: number += 1 + random(300),
    flags: BLOCK_FLAGS[random(6)]!,
    crcType: random(3) as CrcType,
  }));
}

function endpoint(random: Random, { allocators }: RandomBundleLimits): Eid {
  if (random(2)) {
    const number = () => random(2 ** random(33));
    return allocators && random(3) === 0
      ? Eid.ipn(1 + number(), 1 + number(), number(), 3)
      : Eid.ipn(0, 1 + random(2 ** random(32)), number());
  }
  const name = `//node${random(100_000)}.x-y_z/`;
  return Eid.dtn(name + SERVICES[random(5)]);
}

/** An integer of any number of bits up to 53. */
function wide(random: Random): number {
  return random(2 ** random(54));
}

function bytes(random: Random, limit: number): Uint8Array {
  return Uint8Array.from({ length: random(limit) }, () => random(256));
}
