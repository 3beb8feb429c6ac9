/**
 * Earliest arrival over a contact plan: the search of contact graph routing (Schedule-Aware Bundle Routing, CCSDS 734.3-B-1 §3.2.4),
 * Dijkstra's over contacts.
 *
 * @module
 */
import { BinaryHeap } from "../schedule/binary_heap.ts";
import type { PlannedContact } from "./contact_plan.ts";

/** A way through contacts. */
export interface ContactRoute {
  /** The contacts in their order; the first is ours. */
  readonly contacts: readonly PlannedContact[];
  /** When all of the bundle is there: wall time in milliseconds since 1970. */
  readonly arrivalMs: number;
}

/** What is searched for. */
export interface RouteQuery {
  /** Node id where the bundle is. */
  readonly from: string;
  /** Node id where it is to be. */
  readonly to: string;
  /** Its length in bytes; 0 looks at times alone. */
  readonly size: number;
  /** When it is there. */
  readonly nowMs: number;
  /** When all that is to go over a contact before has left, in milliseconds since 1970; nothing is by default. */
  readonly freeAt?: (contact: PlannedContact) => number;
  /** Nodes not to go through. */
  readonly without?: ReadonlySet<string>;
}

interface Reached {
  readonly arrivalMs: number;
  readonly last: PlannedContact;
  readonly before: Reached | undefined;
  readonly hops: number;
}

/** Contacts by who sends, for {@link earliestArrival}. */
export type ContactGraph = ReadonlyMap<string, readonly PlannedContact[]>;

/** Sorts `contacts` for searches. */
export function contactGraph(
  contacts: readonly PlannedContact[],
): ContactGraph {
  const graph = Map.groupBy(contacts, ({ from }) => from);
  for (const each of graph.values()) {
    each.sort((a, b) => a.startMs - b.startMs);
  }
  return graph;
}

/**
 * The route by which the bundle is there first, of those that arrive at once the one of fewest hops; `undefined` if there is none.
 *
 * A contact serves if all of the bundle leaves before its end.
 */
export function earliestArrival(
  graph: ContactGraph,
  query: RouteQuery,
): ContactRoute | undefined {
  const { from, to, nowMs, without } = query;
  const best = new Map<string, Reached>();
  const done = new Set<string>([from]);
  const open = new BinaryHeap<Reached>(isBefore);
  const leave = (node: string, atMs: number, before: Reached | undefined) => {
    for (const contact of graph.get(node) ?? []) {
      if (done.has(contact.to) || without?.has(contact.to)) continue;
      const arrivalMs = arrivalOver(contact, atMs, query);
      if (arrivalMs === undefined) continue;
      const hops = (before?.hops ?? 0) + 1;
      const known = best.get(contact.to);
      const reached = { arrivalMs, last: contact, before, hops };
      if (known && !isBefore(reached, known)) continue;
      best.set(contact.to, reached);
      open.push(reached);
    }
  };
  leave(from, nowMs, undefined);
  for (;;) {
    const next = open.pop();
    if (!next) return undefined;
    const node = next.last.to;
    if (done.has(node)) continue;
    done.add(node);
    if (node === to) return routeOf(next);
    leave(node, next.arrivalMs, next);
  }
}

/** When `query`'s bundle is over `contact` that is at its sender at `atMs`, if it gets over. */
function arrivalOver(
  contact: PlannedContact,
  atMs: number,
  { size, freeAt }: RouteQuery,
): number | undefined {
  const { startMs, endMs, bytesPerSecond, delayMs } = contact;
  const beginMs = Math.max(atMs, startMs, freeAt?.(contact) ?? 0);
  if (beginMs >= endMs) return undefined;
  const takesMs = size / bytesPerSecond * 1_000;
  if (beginMs + takesMs > endMs) return undefined;
  return beginMs + takesMs + delayMs;
}

function routeOf(reached: Reached): ContactRoute {
  const contacts: PlannedContact[] = [];
  for (let at: Reached | undefined = reached; at; at = at.before) {
    contacts.unshift(at.last);
  }
  return { contacts, arrivalMs: reached.arrivalMs };
}

function isBefore(a: Reached, b: Reached): boolean {
  return a.arrivalMs < b.arrivalMs ||
    a.arrivalMs === b.arrivalMs && a.hops < b.hops;
}
