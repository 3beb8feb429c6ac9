import type { Priority } from "../message/message.ts";

/** How a message may travel. */
export type WayName = "rpc" | "bundle";

/** What the choice of a way is made from. */
export interface WayFacts {
  /** What the caller asked for. */
  readonly wanted: WayName | "auto";
  /** Whether a session with a node of the agent is open. */
  readonly isLive: boolean;
  /** Whether a node of the agent has an address that can be dialed. */
  readonly isDialable: boolean;
  /** Milliseconds since the agent was last heard of live; `undefined` if never. */
  readonly sinceHeardMs?: number;
  /** Milliseconds since the last attempt to reach it live failed; `undefined` if it did not fail since it was heard of. */
  readonly sinceFailedMs?: number;
  /** Whether bundles can be sent at all. */
  readonly hasBundles: boolean;
  /** Bytes of the message. */
  readonly size: number;
  /** Milliseconds until its deadline. */
  readonly leftMs: number;
  /** How urgent it is. */
  readonly priority: Priority;
  /** Milliseconds that an attempt to reach it live may take, if bundles are to have a chance afterwards. */
  readonly budgetMs: number;
}

/** A way, and why. */
export interface WayChoice {
  /** The way to try first; `undefined` if there is none now. */
  readonly way: WayName | undefined;
  /** How long to try before the other way is taken, in milliseconds; 0 if there is no other. */
  readonly budgetMs: number;
  /** Why, in one line for people. */
  readonly why: string;
}

/** After a failure a dial is not tried again for this long, unless the message is urgent. */
const FAILED_PAUSE_MS: Readonly<Record<Priority, number>> = {
  low: 60_000,
  normal: 15_000,
  high: 5_000,
  critical: 0,
};
/** A large message is not pushed through a new session for an agent that was not heard of lately. */
const LARGE_BYTES = 1_048_576;
const LATELY_MS = 600_000;

/** Chooses how a message travels first. It has no state: the same facts give the same way. */
export function chooseWay(facts: WayFacts): WayChoice {
  const { wanted, isLive, isDialable, hasBundles } = facts;
  if (wanted === "bundle") {
    return hasBundles
      ? { way: "bundle", budgetMs: 0, why: "a bundle was asked for" }
      : none("a bundle was asked for, and no node of bundles is joined");
  }
  if (isLive) return rpc(facts, "a session is open");
  if (!isDialable) {
    if (wanted === "rpc" || !hasBundles) {
      return none("no session is open and no address is known");
    }
    return bundle("no session is open and no address is known");
  }
  if (wanted === "rpc") return rpc(facts, "RPC was asked for");
  if (!hasBundles) return rpc(facts, "no node of bundles is joined");
  const { sinceFailedMs, sinceHeardMs, priority, size, leftMs } = facts;
  const pauseMs = FAILED_PAUSE_MS[priority];
  if (sinceFailedMs !== undefined && sinceFailedMs < pauseMs) {
    return bundle("it was not reached a moment ago");
  }
  const isFresh = sinceHeardMs !== undefined && sinceHeardMs < LATELY_MS;
  if (size > LARGE_BYTES && !isFresh) {
    return bundle("it is large, and the agent was not heard of lately");
  }
  if (leftMs <= facts.budgetMs) {
    return rpc(facts, "a bundle would hardly come in time");
  }
  return rpc(
    facts,
    isFresh ? "it was heard of lately" : "its address is known",
  );
}

function rpc(facts: WayFacts, why: string): WayChoice {
  const isOnly = facts.wanted === "rpc" || !facts.hasBundles;
  return { way: "rpc", budgetMs: isOnly ? 0 : facts.budgetMs, why };
}

function bundle(why: string): WayChoice {
  return { way: "bundle", budgetMs: 0, why };
}

function none(why: string): WayChoice {
  return { way: undefined, budgetMs: 0, why };
}
