import { type Bytes, Reader, utf8, Writer } from "../../core/bytes/mod.ts";
import type { Store } from "../../core/storage/mod.ts";
import {
  direct,
  type NextHop,
  type RoutedBundle,
  type RouteDecision,
  type Router,
  WAIT,
} from "./router.ts";

/** Parts of {@link sprayRouter}. */
export interface SprayOptions {
  /** Keeps how many copies are left, and who has one. */
  readonly store: Store;
  /** Copies of a bundle that is made here, ours included; 7 by default. */
  readonly copies?: number;
  /** Whether a neighbour gets half of the copies that are left, to give away itself; else one. */
  readonly isBinary?: boolean;
}

/** What is left of a bundle's copies. */
interface Left {
  /** Those that nobody else has or is to get. */
  copies: number;
  /** How many each neighbour is to get, and may have; 0 once it has them. */
  readonly given: Map<string, number>;
}

const MAX_COPIES = 1_024;
/** Of longer names nothing can be stored: such bundles wait for their destinations. */
const MAX_NAME_BYTES = 512;
const WHAT = "copies of a bundle";

/**
 * Spray and wait (Spyropoulos, Psounis and Raghavendra): a bundle gets a number of copies. As long as there is more than one here,
 * neighbours get them, one each (vanilla) or half of those left (binary); the last waits for the destination itself.
 *
 * What a neighbour is to get is stored before it leaves. Whether it came is unknown after a crash, or if the contact ends meanwhile:
 * those copies are then for that neighbour only, so that there are never more than there may be.
 */
export function sprayRouter(options: SprayOptions): Router {
  const { store, copies = 7, isBinary = false } = options;
  if (!Number.isSafeInteger(copies) || copies < 1 || copies > MAX_COPIES) {
    throw new RangeError(`Want 1 to ${MAX_COPIES} copies: got ${copies}`);
  }
  const here = new Set<string>();
  /** Who is to get copies and surely has none yet, by bundle. */
  const promised = new Map<string, Set<string>>();
  const promise = (id: string, peer: string) => {
    const peers = promised.get(id) ?? new Set<string>();
    promised.set(id, peers.add(peer));
  };
  /** Says whether it was promised. */
  const settle = (id: string, peer: string) => {
    const peers = promised.get(id);
    const isPromised = peers?.delete(peer) ?? false;
    if (peers?.size === 0) promised.delete(id);
    return isPromised;
  };
  const save = ({ id, expiresMs }: RoutedBundle, left: Left) =>
    store.set(utf8(id), encodeLeft(left), { expiresAt: expiresMs });
  const leftOf = (bundle: RoutedBundle): Left => {
    const stored = store.get(utf8(bundle.id));
    if (stored) return decodeLeft(stored);
    const first = bundle.copies ?? (bundle.from === undefined ? copies : 1);
    const left = {
      copies: Math.max(1, Math.min(first, MAX_COPIES)),
      given: new Map<string, number>(),
    };
    // Only who gives us a bundle says how many copies we may make.
    if (bundle.copies !== undefined) save(bundle, left);
    return left;
  };
  const takeBack = (left: Left, peer: string) => {
    left.copies += left.given.get(peer) ?? 0;
    left.given.delete(peer);
  };
  return {
    name: isBinary ? "binary_spray" : "spray",
    contactBegan(peer) {
      here.add(peer);
      return [];
    },
    contactEnded: (peer) => void here.delete(peer),
    received: () => [],
    route(bundle, peers): RouteDecision {
      const found = direct(bundle, peers);
      if (found) return found;
      const { id, from } = bundle;
      if (!isShort(id)) return WAIT;
      for (const peer of peers) here.add(peer);
      const left = leftOf(bundle);
      let isChanged = false;
      for (const peer of promised.get(id) ?? []) {
        if (here.has(peer)) continue;
        settle(id, peer);
        takeBack(left, peer);
        isChanged = true;
      }
      const to: NextHop[] = [];
      for (const peer of peers) {
        const given = left.given.get(peer);
        if (peer === from || given === 0) continue;
        if (given === undefined) {
          if (left.copies < 2) continue;
          const share = isBinary ? Math.floor(left.copies / 2) : 1;
          left.given.set(peer, share);
          left.copies -= share;
          promise(id, peer);
          isChanged = true;
        }
        to.push({ peer, copies: left.given.get(peer)! });
      }
      if (isChanged) save(bundle, left);
      return to.length > 0 ? { to, keeps: true } : WAIT;
    },
    sent(bundle, { peer }) {
      if (!isShort(bundle.id)) return;
      settle(bundle.id, peer);
      const left = leftOf(bundle);
      if (!left.given.has(peer)) return;
      left.given.set(peer, 0);
      save(bundle, left);
    },
    failed(bundle, { peer }, _nowMs, mayHaveIt) {
      if (!settle(bundle.id, peer) || mayHaveIt) return;
      const left = leftOf(bundle);
      takeBack(left, peer);
      save(bundle, left);
    },
    removed(id) {
      promised.delete(id);
      if (isShort(id)) store.delete(utf8(id));
    },
  };
}

function isShort(id: string): boolean {
  return utf8(id).length <= MAX_NAME_BYTES;
}

function encodeLeft({ copies, given }: Left): Bytes {
  const writer = new Writer().varint(copies);
  for (const [peer, count] of given) {
    const bytes = utf8(peer);
    writer.varint(count).varint(bytes.length).put(bytes);
  }
  return writer.finish();
}

function decodeLeft(bytes: Uint8Array): Left {
  const reader = new Reader(bytes, WHAT);
  const copies = reader.varint();
  const given = new Map<string, number>();
  while (reader.remaining > 0) {
    const count = reader.varint();
    const peer = reader.take(reader.varint());
    given.set(new TextDecoder().decode(peer), count);
  }
  return { copies, given };
}
