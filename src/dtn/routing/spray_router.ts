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
  readonly copies: number;
  readonly peers: readonly string[];
}

const MAX_COPIES = 1_024;
const WHAT = "copies of a bundle";

/**
 * Spray and wait (Spyropoulos, Psounis and Raghavendra): a bundle gets a number of copies. As long as there is more than one here,
 * neighbours get them, one each (vanilla) or half of those left (binary); the last waits for the destination itself.
 */
export function sprayRouter(options: SprayOptions): Router {
  const { store, copies = 7, isBinary = false } = options;
  if (!Number.isSafeInteger(copies) || copies < 1 || copies > MAX_COPIES) {
    throw new RangeError(`Want 1 to ${MAX_COPIES} copies: got ${copies}`);
  }
  const save = ({ id, expiresMs }: RoutedBundle, left: Left) =>
    store.set(keyOf(id), encodeLeft(left), { expiresAt: expiresMs });
  const leftOf = (bundle: RoutedBundle): Left => {
    const stored = store.get(keyOf(bundle.id));
    if (stored) return decodeLeft(stored);
    const first = bundle.from === undefined ? copies : bundle.copies ?? 1;
    const left = {
      copies: Math.max(1, Math.min(first, MAX_COPIES)),
      peers: [],
    };
    // Only who gives us a bundle says how many copies we may make.
    if (bundle.copies !== undefined) save(bundle, left);
    return left;
  };
  /** Copies that neighbours are to get, and may have: not for others meanwhile. */
  const underWay = new Map<string, Map<string, number>>();
  const giveBack = (id: string, peer: string) => {
    const hops = underWay.get(id);
    hops?.delete(peer);
    if (hops?.size === 0) underWay.delete(id);
  };
  const share = (left: number) => isBinary ? Math.floor(left / 2) : 1;
  return {
    name: isBinary ? "binary_spray" : "spray",
    contactBegan: () => [],
    contactEnded(peer) {
      for (const [id, hops] of underWay) {
        hops.delete(peer);
        if (hops.size === 0) underWay.delete(id);
      }
    },
    received: () => [],
    route(bundle, peers): RouteDecision {
      const found = direct(bundle, peers);
      if (found) return found;
      const { copies, peers: served } = leftOf(bundle);
      const hops = underWay.get(bundle.id) ?? new Map<string, number>();
      let left = copies;
      for (const given of hops.values()) left -= given;
      const to: NextHop[] = [];
      for (const peer of peers) {
        if (peer === bundle.from || served.includes(peer)) continue;
        if (!hops.has(peer)) {
          if (left < 2) continue;
          hops.set(peer, share(left));
          left -= share(left);
        }
        to.push({ peer, copies: hops.get(peer)! });
      }
      if (hops.size > 0) underWay.set(bundle.id, hops);
      return to.length > 0 ? { to, keeps: true } : WAIT;
    },
    sent(bundle, { peer, copies = 0 }) {
      giveBack(bundle.id, peer);
      const { copies: left, peers } = leftOf(bundle);
      const next = {
        copies: Math.max(1, left - copies),
        peers: [...peers, peer],
      };
      save(bundle, next);
    },
    failed: ({ id }, { peer }) => giveBack(id, peer),
    removed(id) {
      underWay.delete(id);
      store.delete(keyOf(id));
    },
  };
}

function keyOf(id: string): Uint8Array {
  return utf8(id);
}

function encodeLeft({ copies, peers }: Left): Bytes {
  const writer = new Writer().varint(copies);
  for (const peer of peers) {
    const bytes = utf8(peer);
    writer.varint(bytes.length).put(bytes);
  }
  return writer.finish();
}

function decodeLeft(bytes: Uint8Array): Left {
  const reader = new Reader(bytes, WHAT);
  const copies = reader.varint();
  const peers: string[] = [];
  while (reader.remaining > 0) {
    peers.push(new TextDecoder().decode(reader.take(reader.varint())));
  }
  return { copies, peers };
}
