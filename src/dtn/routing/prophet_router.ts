import {
  type Bytes,
  decodeCbor,
  DecodeError,
  encodeCbor,
  utf8,
} from "../../core/bytes/mod.ts";
import type { Store } from "../../core/storage/mod.ts";
import { direct, type RouteDecision, type Router, WAIT } from "./router.ts";

/** Parts of {@link prophetRouter}. */
export interface ProphetOptions {
  /** Keeps the predictabilities. */
  readonly store: Store;
  /** Node id of ourselves, of which others tell us nothing. */
  readonly nodeId: string;
  /** Parameters; {@link PROPHET} by default. */
  readonly parameters?: Partial<typeof PROPHET>;
  /** Most nodes of the table; 1,024 by default: beyond it the least likely is forgotten. */
  readonly maxNodes?: number;
}

/** Parameters of PRoPHET (RFC 6693 §3.3 recommends these). */
export const PROPHET = {
  /** Most that an encounter adds. */
  encounterMax: 0.7,
  /** After the first encounter. */
  encounterFirst: 0.5,
  /** Below it an encounter is the first again. */
  firstThreshold: 0.1,
  /** Weight of what neighbours predict. */
  beta: 0.9,
  /** What a predictability is multiplied with every second. */
  gammaPerSecond: 0.999,
  /** What keeps predictabilities below 1. */
  delta: 0.01,
  /** Typical time between encounters, in milliseconds. */
  typicalIntervalMs: 1_800_000,
};

const WHAT = "predictabilities";
const STATE = utf8("table");
/** Of one message. */
const MAX_TOLD = 1_024;
const MAX_NODE_LENGTH = 256;
/** Below it, a predictability is not kept, nor a change of one told to others at once. */
const LEAST = 0.001;

/**
 * PRoPHET (RFC 6693): each node predicts how likely it is to deliver to each other, from how often it met it and what neighbours
 * predict; a bundle is copied to neighbours that are likelier than we are (GRTR, §3.6). Neighbours are told the table when a contact
 * begins, and again while it lasts when others have raised something in it.
 *
 * ```text
 * message   CBOR map: node id → predictability in millionths
 * ```
 */
export function prophetRouter(options: ProphetOptions): Router {
  const { store, nodeId, maxNodes = 1_024 } = options;
  const p = { ...PROPHET, ...options.parameters };
  const { table, agedMs } = loadTable(store);
  let aged = agedMs;
  const lastMet = new Map<string, number>();
  const told = new Map<string, Map<string, number>>();
  const has = new Map<string, Set<string>>();
  const inContact = new Set<string>();
  const others = (peer: string) =>
    [...inContact].filter((each) => each !== peer);

  const age = (nowMs: number) => {
    const seconds = Math.floor((nowMs - aged) / 1_000);
    if (seconds <= 0) return;
    for (const [node, value] of table) {
      const next = value * p.gammaPerSecond ** seconds;
      if (next < LEAST) table.delete(node);
      else table.set(node, next);
    }
    aged += seconds * 1_000;
  };
  const likeliestFirst = () => [...table].sort(([, a], [, b]) => b - a);
  const save = () => {
    if (table.size > maxNodes) {
      for (const [node] of likeliestFirst().slice(maxNodes)) table.delete(node);
    }
    const rows = [...table].map(([node, value]) =>
      [node, millionths(value)] as const
    );
    store.set(STATE, encodeCbor([aged, new Map(rows)]));
  };
  const tell = (peers: readonly string[]) => {
    const best = new Map(likeliestFirst().slice(0, MAX_TOLD));
    const bytes = encodePredictabilities(best);
    return peers.map((to) => ({ to, bytes }));
  };
  return {
    name: "prophet",
    contactBegan(peer, nowMs) {
      age(nowMs);
      const old = table.get(peer) ?? 0;
      const last = lastMet.get(peer);
      const share = last === undefined
        ? 1
        : Math.min(1, (nowMs - last) / p.typicalIntervalMs);
      table.set(
        peer,
        old < p.firstThreshold
          ? p.encounterFirst
          : old + (1 - p.delta - old) * p.encounterMax * share,
      );
      has.set(peer, new Set());
      lastMet.delete(peer);
      lastMet.set(peer, nowMs);
      if (lastMet.size > maxNodes) {
        const [oldest] = lastMet.keys();
        lastMet.delete(oldest!);
      }
      save();
      inContact.add(peer);
      return tell([peer, ...others(peer)]);
    },
    contactEnded(peer) {
      inContact.delete(peer);
      told.delete(peer);
      has.delete(peer);
    },
    received(from, message, nowMs) {
      age(nowMs);
      const predicted = decodeTable(message);
      told.set(from, predicted);
      const here = table.get(from) ?? 0;
      let isNews = false;
      for (const [node, value] of predicted) {
        if (node === nodeId || node === from) continue;
        const old = table.get(node) ?? 0;
        const through = here * value * p.beta;
        if (through > old && through >= LEAST) {
          table.set(node, through);
          isNews ||= through >= old + LEAST;
        }
      }
      save();
      return isNews ? tell(others(from)) : [];
    },
    route(bundle, peers, nowMs): RouteDecision {
      const found = direct(bundle, peers);
      if (found) return found;
      age(nowMs);
      const { destinationNode, from, id } = bundle;
      const ours = table.get(destinationNode) ?? 0;
      const likelier = peers.map((peer) => ({
        peer,
        value: told.get(peer)?.get(destinationNode) ?? 0,
      })).filter(({ peer, value }) =>
        value > ours && peer !== from && !has.get(peer)?.has(id)
      ).sort((a, b) => b.value - a.value);
      return likelier.length > 0
        ? { to: likelier.map(({ peer }) => ({ peer })), keeps: true }
        : WAIT;
    },
    sent: ({ id }, { peer }) => void has.get(peer)?.add(id),
    failed() {},
    removed(id) {
      for (const ids of has.values()) ids.delete(id);
    },
  };
}

function millionths(value: number): number {
  return Math.round(value * 1e6);
}

function loadTable(
  store: Store,
): { table: Map<string, number>; agedMs: number } {
  const stored = store.get(STATE);
  if (!stored) return { table: new Map(), agedMs: 0 };
  const state = decodeCbor(stored, { maxDepth: 2, maxItems: 4_096 });
  if (!Array.isArray(state)) throw new DecodeError(WHAT, "want an array");
  return { table: tableOf(state[1]), agedMs: Number(state[0]) };
}

function decodeTable(message: Uint8Array): Map<string, number> {
  return tableOf(decodeCbor(message, { maxDepth: 1, maxItems: 2 * MAX_TOLD }));
}

function tableOf(value: unknown): Map<string, number> {
  if (!(value instanceof Map)) throw new DecodeError(WHAT, "want a map");
  const table = new Map<string, number>();
  for (const [node, millionths] of value) {
    const isNode = typeof node === "string" && node.length <= MAX_NODE_LENGTH;
    const isValue = Number.isSafeInteger(millionths) && millionths >= 0 &&
      millionths <= 1e6;
    if (!isNode || !isValue) {
      throw new DecodeError(WHAT, "want node ids and millionths");
    }
    table.set(node, Number(millionths) / 1e6);
  }
  return table;
}

/** The message that tells a neighbour of `table`. */
export function encodePredictabilities(
  table: ReadonlyMap<string, number>,
): Bytes {
  return encodeCbor(
    new Map([...table].map(([node, value]) => [node, millionths(value)])),
  );
}
