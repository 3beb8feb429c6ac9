import {
  type Bytes,
  DecodeError,
  Reader,
  utf8,
  Writer,
} from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import type { RouteDecision, Router, RouterMessage } from "./router.ts";

/** Parts of {@link epidemicRouter}. */
export interface EpidemicOptions {
  /** Primitives. */
  readonly crypto: Pick<CryptoProvider, "hash">;
  /** Names of the bundles that are here, but for those of which nobody is to know. */
  readonly known: () => Iterable<string>;
  /** Most names that a neighbour is told of, and that are remembered of one; 65,536 by default. */
  readonly maxNames?: number;
}

const WHAT = "summary vector";
const VERSION = 1;
const TAG_LENGTH = 8;
/** Of one message. */
const MAX_TAGS = 8_000;
/** What making summary vectors goes through at most; until then those who come are told the last ones. */
const NAMES_PER_MS = 4;

/** What neighbours are told at the start of a contact. */
interface SummaryVectors {
  readonly parts: readonly Bytes[];
  readonly madeMs: number;
  readonly staleMs: number;
}

/**
 * Epidemic routing (Vahdat and Becker): every neighbour gets every bundle that it does not have. When a contact begins, both sides say
 * what they have by summary vectors.
 *
 * ```text
 * summary vector   version u8 = 1 ‖ tags of 8 B, at most 8,000: the start of SHA-256 over a bundle's name
 * ```
 *
 * What a neighbour has is forgotten when its contact ends. Names beyond the bound are left out: the neighbour then sends such a
 * bundle again, and it is not taken twice.
 */
export function epidemicRouter(options: EpidemicOptions): Router {
  const { crypto, known, maxNames = 65_536 } = options;
  const has = new Map<string, Set<string>>();
  const tagOf = (id: string): Bytes =>
    crypto.hash("sha256", utf8(id)).slice(0, TAG_LENGTH);
  const learn = (peer: string, tag: Uint8Array) => {
    const names = has.get(peer)?.add(tag.toHex());
    if (!names || names.size <= maxNames) return;
    const [oldest] = names;
    names.delete(oldest!);
  };
  const madeAt = (madeMs: number): SummaryVectors => {
    const parts: Bytes[] = [];
    let writer = new Writer().u8(VERSION);
    let count = 0;
    const finish = () => {
      parts.push(writer.finish());
      writer = new Writer().u8(VERSION);
    };
    for (const id of known()) {
      if (count >= maxNames) break;
      writer.put(tagOf(id));
      if (++count % MAX_TAGS === 0) finish();
    }
    if (count % MAX_TAGS > 0) finish();
    return { parts, madeMs, staleMs: madeMs + count / NAMES_PER_MS };
  };
  let vectors: SummaryVectors = { parts: [], madeMs: 0, staleMs: 0 };
  return {
    name: "epidemic",
    contactBegan(peer, nowMs): RouterMessage[] {
      has.set(peer, new Set());
      if (nowMs < vectors.madeMs || nowMs >= vectors.staleMs) {
        vectors = madeAt(nowMs);
      }
      return vectors.parts.map((bytes) => ({ to: peer, bytes }));
    },
    contactEnded: (peer) => void has.delete(peer),
    received(from, message) {
      const reader = new Reader(message, WHAT);
      if (reader.u8() !== VERSION) throw new DecodeError(WHAT, "version");
      if (reader.remaining % TAG_LENGTH > 0) {
        throw new DecodeError(WHAT, "want whole tags");
      }
      if (reader.remaining > MAX_TAGS * TAG_LENGTH) {
        throw new DecodeError(WHAT, "too many tags");
      }
      while (reader.remaining > 0) learn(from, reader.take(TAG_LENGTH));
      return [];
    },
    route(bundle, peers): RouteDecision {
      const tag = tagOf(bundle.id).toHex();
      const to = peers.filter((peer) =>
        peer !== bundle.from && !has.get(peer)?.has(tag)
      );
      const isArriving = to.includes(bundle.destinationNode);
      return {
        to: (isArriving ? [bundle.destinationNode] : to)
          .map((peer) => ({ peer })),
        keeps: !isArriving,
      };
    },
    sent: ({ id }, { peer }) => learn(peer, tagOf(id)),
    failed() {},
    removed() {},
  };
}
