import type { Bundle } from "./bundle.ts";
import { BUNDLE_FLAG, withFlag } from "./bundle_flags.ts";
import { BLOCK_TYPE, type CanonicalBlock } from "./canonical_block.ts";
import { CRC_TYPE, type CrcType } from "./crc.ts";
import type { Eid } from "./eid.ts";
import type { CreationTimestamp } from "./primary_block.ts";
import type { Uint } from "./uint.ts";

/** An extension block that is to be. */
export interface ExtensionInit {
  /** {@link BLOCK_TYPE} or any other number from 2. */
  readonly type: number;
  /** What the type says it is. */
  readonly data: Uint8Array;
  /**
   * {@link BLOCK_FLAG}s.
   *
   * @default {0}
   */
  readonly flags?: number;
}

/** A bundle that is to be. */
export interface BundleInit {
  /** Who makes it. */
  readonly source: Eid;
  /** Where it goes. */
  readonly destination: Eid;
  /**
   * Whom status reports go to.
   *
   * @default `source`
   */
  readonly reportTo?: Eid;
  /** When it is made. */
  readonly creation: CreationTimestamp;
  /** How long it is of use, in milliseconds. */
  readonly lifetimeMs: Uint;
  /** What it carries; it is not copied. */
  readonly payload: Uint8Array;
  /**
   * {@link BUNDLE_FLAG}s; `mustNotFragment` is added if `source` is null, as RFC 9171 §4.2.3 demands.
   *
   * @default {0}
   */
  readonly flags?: number;
  /**
   * How each block is checked.
   *
   * @default {CRC_TYPE.crc32c}
   */
  readonly crcType?: CrcType;
  /**
   * Extension blocks, numbered from 2 in this order.
   *
   * @default {[]}
   */
  readonly extensions?: readonly ExtensionInit[];
}

/**
 * The bundle of `init`.
 *
 * ```ts
 * import { createBundle, decodeBundle, Eid, encodeBundle, payloadOf } from "../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const bundle = createBundle({
 *   source: Eid.parse("dtn://n1/app"),
 *   destination: Eid.parse("dtn://n2/app"),
 *   creation: { timeMs: 849_000_000_000, sequence: 0 },
 *   lifetimeMs: 3_600_000,
 *   payload: Uint8Array.of(1, 2, 3),
 * });
 * const received = decodeBundle(encodeBundle(bundle));
 * assertEquals(payloadOf(received), Uint8Array.of(1, 2, 3));
 * ```
 */
export function createBundle(init: BundleInit): Bundle {
  const { source, flags = 0, crcType = CRC_TYPE.crc32c } = init;
  const extensions = init.extensions ?? [];
  const blocks: CanonicalBlock[] = extensions.map((each, i) => ({
    type: each.type,
    number: i + 2,
    flags: each.flags ?? 0,
    crcType,
    data: each.data,
  }));
  blocks.push({
    type: BLOCK_TYPE.payload,
    number: 1,
    flags: 0,
    crcType,
    data: init.payload,
  });
  const primary = {
    flags: source.isNull ? withFlag(flags, BUNDLE_FLAG.mustNotFragment) : flags,
    crcType,
    destination: init.destination,
    source,
    reportTo: init.reportTo ?? source,
    creation: init.creation,
    lifetimeMs: init.lifetimeMs,
  };
  return { primary, blocks };
}
