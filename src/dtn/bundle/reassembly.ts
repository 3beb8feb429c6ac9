import { type Bundle, payloadOf } from "./bundle.ts";
import { BUNDLE_FLAG } from "./bundle_flags.ts";
import type { CanonicalBlock } from "./canonical_block.ts";
import { PartialPayload } from "./partial_payload.ts";
import type { PrimaryBlock } from "./primary_block.ts";

/** How much a {@link Reassembly} holds. */
export interface ReassemblyLimits {
  /**
   * Bytes of all that is held, with {@link PIECE_OVERHEAD_BYTES} for each piece and block.
   *
   * @default 64 MiB
   */
  readonly maxBytes: number;
  /**
   * Bundles of which a part is held.
   *
   * @default {1024}
   */
  readonly maxBundles: number;
  /**
   * Bytes of a whole payload.
   *
   * @default 32 MiB
   */
  readonly maxPayloadBytes: number;
  /**
   * Pieces of one bundle.
   *
   * @default {4096}
   */
  readonly maxPieces: number;
  /**
   * How long a part is held, in milliseconds.
   *
   * @default one day
   */
  readonly maxWaitMs: number;
}

/** Why fragments were dropped. */
export type ReassemblyDrop =
  | "duplicate" // all of it was here
  | "conflicting" // it says other bytes than one before it
  | "too_large" // its whole is beyond `maxPayloadBytes`, or what we would hold of it beyond `maxBytes`
  | "too_many_pieces" // its bundle comes in more than `maxPieces`
  | "evicted" // a bundle of which we heard first of all, when there was no room for others: counted once
  | "expired"; // a bundle that was not whole in time: counted once

/** What became of a fragment. */
export type ReassemblyOutcome =
  | { readonly kind: "whole"; readonly bundle: Bundle }
  | { readonly kind: "waiting" }
  | { readonly kind: "dropped"; readonly reason: ReassemblyDrop };

/** What a piece or block counts beside its data. */
export const PIECE_OVERHEAD_BYTES = 256;

const DEFAULTS: ReassemblyLimits = {
  maxBytes: 64 << 20,
  maxBundles: 1024,
  maxPayloadBytes: 32 << 20,
  maxPieces: 4096,
  maxWaitMs: 86_400_000,
};

interface Unfinished {
  readonly primary: PrimaryBlock;
  readonly totalLength: number;
  readonly deadlineMs: number;
  readonly payload: PartialPayload;
  /** Those of the fragment that begins the payload. */
  blocks: readonly CanonicalBlock[] | undefined;
  heldBytes: number;
}

/** Puts fragments together (RFC 9171 §5.9), in whatever order and however often they come, within bounds. */
export class Reassembly {
  readonly #limits: ReassemblyLimits;
  /** In the order in which their first fragments came. */
  readonly #unfinished = new Map<string, Unfinished>();
  readonly #counts: Record<ReassemblyDrop, number> = {
    duplicate: 0,
    conflicting: 0,
    too_large: 0,
    too_many_pieces: 0,
    evicted: 0,
    expired: 0,
  };
  #heldBytes = 0;

  /** Holds nothing yet. */
  constructor(limits: Partial<ReassemblyLimits> = {}) {
    this.#limits = { ...DEFAULTS, ...limits };
  }

  /** How many were dropped, by reason. */
  get counts(): Readonly<Record<ReassemblyDrop, number>> {
    return { ...this.#counts };
  }

  /** Bytes held, as {@link ReassemblyLimits.maxBytes} counts them. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Bundles of which a part is held. */
  get size(): number {
    return this.#unfinished.size;
  }

  /**
   * Takes `fragment`, whose data is copied. A bundle that is no fragment comes back at once. What is whole has the extension blocks of
   * the fragment that begins the payload.
   *
   * @param nowMs Now, of any clock that does not go back.
   * @param lifetimeMs How long the bundle is of use yet.
   */
  add(fragment: Bundle, nowMs: number, lifetimeMs: number): ReassemblyOutcome {
    const range = fragment.primary.fragment;
    if (range === undefined) return { kind: "whole", bundle: fragment };
    this.expire(nowMs);
    if (range.totalLength > this.#limits.maxPayloadBytes) {
      return this.#drop("too_large");
    }
    const key = keyOf(fragment);
    const known = this.#unfinished.get(key);
    const unfinished = known ?? {
      primary: fragment.primary,
      totalLength: range.totalLength,
      deadlineMs: nowMs + Math.min(lifetimeMs, this.#limits.maxWaitMs),
      payload: new PartialPayload(this.#limits.maxPieces),
      blocks: undefined,
      heldBytes: 0,
    };
    const begins = range.offset === 0 && unfinished.blocks === undefined;
    const inserted = unfinished.payload.insert(
      range.offset,
      payloadOf(fragment),
    );
    if (inserted !== "added" && !(inserted === "duplicate" && begins)) {
      return this.#drop(inserted);
    }
    if (begins) unfinished.blocks = fragment.blocks.map(copyWithoutPayload);
    if (unfinished.blocks && unfinished.payload.length === range.totalLength) {
      this.#remove(key);
      return { kind: "whole", bundle: wholeOf(unfinished, unfinished.blocks) };
    }
    this.#unfinished.set(key, unfinished);
    this.#recount(unfinished);
    return this.#makeRoom(key) ? { kind: "waiting" } : this.#drop("too_large");
  }

  /** Drops what was not whole in time. */
  expire(nowMs: number): void {
    for (const [key, { deadlineMs }] of this.#unfinished) {
      if (deadlineMs > nowMs) continue;
      this.#remove(key);
      this.#counts.expired++;
    }
  }

  #recount(unfinished: Unfinished): void {
    const { payload, blocks = [] } = unfinished;
    let held = payload.length +
      PIECE_OVERHEAD_BYTES * (payload.pieces + blocks.length + 1);
    for (const { data } of blocks) held += data.length;
    this.#heldBytes += held - unfinished.heldBytes;
    unfinished.heldBytes = held;
  }

  /** Evicts others than `key` until the rest is within bounds; if `key` alone is not, that goes, and the answer is `false`. */
  #makeRoom(key: string): boolean {
    const { maxBytes, maxBundles } = this.#limits;
    for (const other of this.#unfinished.keys()) {
      if (this.#heldBytes <= maxBytes && this.size <= maxBundles) return true;
      if (other === key) continue;
      this.#remove(other);
      this.#counts.evicted++;
    }
    if (this.#heldBytes <= maxBytes) return true;
    this.#remove(key);
    return false;
  }

  #remove(key: string): void {
    this.#heldBytes -= this.#unfinished.get(key)?.heldBytes ?? 0;
    this.#unfinished.delete(key);
  }

  #drop(reason: ReassemblyDrop): ReassemblyOutcome {
    this.#counts[reason]++;
    return { kind: "dropped", reason };
  }
}

/** Fragments of one bundle have it in common (RFC 9171 §5.9). */
function keyOf({ primary: { source, creation, fragment } }: Bundle): string {
  return `${source} ${creation.timeMs} ${creation.sequence} ${
    fragment!.totalLength
  }`;
}

function wholeOf(
  { primary, payload }: Unfinished,
  blocks: readonly CanonicalBlock[],
): Bundle {
  const { fragment: _, ...rest } = primary;
  return {
    primary: { ...rest, flags: primary.flags - BUNDLE_FLAG.isFragment },
    blocks: blocks.with(-1, { ...blocks.at(-1)!, data: payload.join() }),
  };
}

function copyWithoutPayload(
  block: CanonicalBlock,
  index: number,
  { length }: readonly CanonicalBlock[],
): CanonicalBlock {
  const isPayload = index === length - 1;
  return { ...block, data: isPayload ? new Uint8Array(0) : block.data.slice() };
}
