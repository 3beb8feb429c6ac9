import { type Bytes, Reader, utf8, Writer } from "../../core/bytes/mod.ts";
import type { Store } from "../../core/storage/mod.ts";
import { contactGraph, earliestArrival } from "./contact_graph.ts";
import type { PlannedContact } from "./contact_plan.ts";
import {
  direct,
  type RoutedBundle,
  type RouteDecision,
  type Router,
  WAIT,
} from "./router.ts";

/** Parts of {@link contactGraphRouter}. */
export interface ContactGraphOptions {
  /** Node id of ourselves. */
  readonly nodeId: string;
  /** When who can send to whom. */
  readonly plan: readonly PlannedContact[];
  /** Keeps what of the contacts of others is used by bundles that have left. */
  readonly store: Store;
}

/** A router by a contact plan that can change. */
export interface ContactGraphRouter extends Router {
  /** Takes another plan; what is booked on contacts that stay is kept. */
  replan(plan: readonly PlannedContact[]): void;
}

/** The route that a bundle is to take. */
interface PlannedBundle {
  readonly contacts: readonly PlannedContact[];
  readonly size: number;
  readonly atMs: number;
}

/** How long a plan of a bundle counts before it is made again, in milliseconds. */
const REPLAN_MS = 1_000;
const MAX_PLANNED = 65_536;
/** Contacts of longer names are booked in memory alone. */
const MAX_KEY_BYTES = 512;

/**
 * Contact graph routing: a bundle goes to the first neighbour of the route by which it arrives earliest behind what is booked before
 * it; it waits for that contact even if others are open. One copy, and its bytes are booked on the contacts of its route: on our own
 * until they have left, on those of others for good, over a restart too. Beyond 65,536 bundles with a route the next find theirs without booking it.
 *
 * A neighbour in contact that is itself the destination gets it, plan or not.
 */
export function contactGraphRouter(
  options: ContactGraphOptions,
): ContactGraphRouter {
  const { nodeId, store } = options;
  let graph = contactGraph(options.plan);
  const booked = new Map<string, number>();
  for (const contact of options.plan) {
    const used = usedOf(store, contact);
    if (used > 0) booked.set(keyOf(contact), used);
  }
  const planned = new Map<string, PlannedBundle>();

  const freeAt = (contact: PlannedContact, nowMs: number) => {
    const { from, startMs, bytesPerSecond } = contact;
    const takesMs = (booked.get(keyOf(contact)) ?? 0) / bytesPerSecond * 1_000;
    return takesMs + (from === nodeId ? Math.max(startMs, nowMs) : startMs);
  };
  const book = (contacts: readonly PlannedContact[], bytes: number) => {
    for (const contact of contacts) {
      const key = keyOf(contact);
      const sum = (booked.get(key) ?? 0) + bytes;
      if (sum > 0) booked.set(key, sum);
      else booked.delete(key);
    }
  };
  const release = (id: string) => {
    const plan = planned.get(id);
    if (!plan) return;
    book(plan.contacts, -plan.size);
    planned.delete(id);
  };
  const planFor = (bundle: RoutedBundle, nowMs: number) => {
    const known = planned.get(bundle.id);
    const isFresh = known && nowMs - known.atMs < REPLAN_MS &&
      known.contacts[0]!.endMs > nowMs;
    if (isFresh) return known.contacts;
    release(bundle.id);
    const { destinationNode: to, size, from } = bundle;
    const route = earliestArrival(graph, {
      ...{ from: nodeId, to, size, nowMs },
      freeAt: (contact) => freeAt(contact, nowMs),
      ...from !== undefined && { without: new Set([from]) },
    });
    if (!route || route.arrivalMs > bundle.expiresMs) return undefined;
    if (planned.size >= MAX_PLANNED) return route.contacts;
    book(route.contacts, size);
    planned.set(bundle.id, { contacts: route.contacts, size, atMs: nowMs });
    return route.contacts;
  };
  return {
    name: "contact_graph",
    contactBegan: () => [],
    contactEnded() {},
    received: () => [],
    route(bundle, peers, nowMs): RouteDecision {
      const found = direct(bundle, peers);
      if (found) return found;
      const [first] = planFor(bundle, nowMs) ?? [];
      if (!first) return WAIT;
      const isOpen = first.startMs <= nowMs && nowMs < first.endMs &&
        peers.includes(first.to);
      return isOpen ? { to: [{ peer: first.to }], keeps: false } : WAIT;
    },
    sent({ id }, { peer }) {
      const plan = planned.get(id);
      const [first, ...others] = plan?.contacts ?? [];
      release(id);
      if (!plan || first?.to !== peer) return;
      book(others, plan.size);
      for (const contact of others) use(store, contact, plan.size);
    },
    failed() {},
    removed: release,
    changesAt: (nowMs) =>
      graph.get(nodeId)?.find(({ startMs }) => startMs > nowMs)?.startMs,
    replan(plan) {
      for (const id of [...planned.keys()]) release(id);
      graph = contactGraph(plan);
      const keys = new Set(plan.map(keyOf));
      for (const key of booked.keys()) if (!keys.has(key)) booked.delete(key);
    },
  };
}

/** Bytes of bundles that have left on routes over `contact`. */
function usedOf(store: Store, contact: PlannedContact): number {
  const key = storedKeyOf(contact);
  const value = key && store.get(key);
  return value ? Number(new Reader(value, "used contact").u64()) : 0;
}

function use(store: Store, contact: PlannedContact, bytes: number): void {
  const key = storedKeyOf(contact);
  if (!key) return;
  const used = BigInt(usedOf(store, contact) + bytes);
  store.set(key, new Writer().u64(used).finish(), {
    expiresAt: Math.max(0, Math.trunc(contact.endMs)),
  });
}

function storedKeyOf(contact: PlannedContact): Bytes | undefined {
  const key = utf8(keyOf(contact));
  return key.length <= MAX_KEY_BYTES ? key : undefined;
}

function keyOf({ from, to, startMs }: PlannedContact): string {
  return `${startMs} ${from} ${to}`;
}
