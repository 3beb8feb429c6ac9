import type { MixAddress } from "./mix_address.ts";
import type { Instant } from "./route_source.ts";
import type { RoundTrip } from "./round_trip.ts";

/** A message on its way: it is sent once each of its fragments is acknowledged. */
export interface Delivery {
  /** By which the caller knows it. */
  readonly key: string;
  /** Where it goes. */
  readonly to: MixAddress;
  /** How many packets it takes. */
  readonly count: number;
  /** When to give up, in monotonic milliseconds. */
  readonly deadlineMs: number;
  /** What is sealed in packet `index`, made anew for each attempt; `undefined` while that cannot be. */
  body(index: number, at: Instant): Uint8Array | undefined;
}

/** One packet of a delivery, until it is acknowledged. */
export interface OutboxItem {
  /** Whose. */
  readonly delivery: Delivery;
  /** Which. */
  readonly index: number;
  /** How often it was sent. */
  attempts: number;
  /** When it counts as lost; `undefined` while it waits to be sent. */
  timeoutMs: number | undefined;
  /** Whether it was acknowledged, or its delivery ended. */
  done: boolean;
}

/** A delivery that was given up. */
export interface LateDelivery {
  /** Which. */
  readonly key: string;
  /** Why: `no_route` if it could not be sent when it was last its turn. */
  readonly code: "deadline" | "no_route";
}

/**
 * How often the time doubles that a packet has until it counts as lost. A packet that is sent again takes a turn of a pace that nothing
 * changes, so longer pauses would spare the network nothing.
 */
const MAX_DOUBLINGS = 1;

interface Open {
  readonly delivery: Delivery;
  readonly items: readonly OutboxItem[];
  readonly ready: OutboxItem[];
  left: number;
  /** Whether a packet of it was put back since one was sent. */
  isStuck: boolean;
}

/**
 * Packets that wait to be sent or acknowledged, in bounded number. Deliveries take turns, so that a short message does not wait for a
 * long one, nor any for one that has no route.
 */
export class Outbox {
  readonly #capacity: number;
  readonly #open = new Map<string, Open>();
  /** Those with packets to send; whose turn it is comes first. */
  readonly #ready = new Map<string, Open>();
  readonly #waiting = new Set<OutboxItem>();
  #size = 0;
  #retransmissions = 0;

  /** Room for `capacity` packets. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Packets held. */
  get size(): number {
    return this.#size;
  }

  /** Deliveries that have a packet to send. */
  get readyCount(): number {
    return this.#ready.size;
  }

  /** Packets that were sent again so far. */
  get retransmissions(): number {
    return this.#retransmissions;
  }

  /** Takes `delivery`, or gives `false` if there is no room for all of it. */
  add(delivery: Delivery): boolean {
    const { key, count } = delivery;
    if (this.#size + count > this.#capacity) return false;
    const items = Array.from({ length: count }, (_, index) => ({
      delivery,
      index,
      attempts: 0,
      timeoutMs: undefined,
      done: false,
    }));
    const ready = [...items];
    const open = { delivery, items, ready, left: count, isStuck: false };
    this.#open.set(key, open);
    this.#ready.set(key, open);
    this.#size += count;
    return true;
  }

  /** The next packet to send, until {@link sent} or {@link putBack}. */
  shift(): OutboxItem | undefined {
    for (const [key, open] of this.#ready) {
      this.#ready.delete(key);
      const item = open.ready.shift();
      if (open.ready.length > 0) this.#ready.set(key, open);
      if (item) return item;
    }
    return undefined;
  }

  /** Puts a packet back that could not be sent. */
  putBack(item: OutboxItem): void {
    const open = this.#openOf(item);
    if (!open) return;
    open.isStuck = true;
    open.ready.unshift(item);
    this.#ready.set(item.delivery.key, open);
  }

  /** Notes that `item` left, on routes (there, and back for the acknowledgement) with these delays. */
  sent(
    item: OutboxItem,
    nowMs: number,
    delaysMs: number,
    roundTrip: RoundTrip,
  ): void {
    const open = this.#openOf(item);
    if (open) open.isStuck = false;
    const doublings = Math.min(item.attempts, MAX_DOUBLINGS);
    item.timeoutMs = nowMs + roundTrip.timeoutMs(delaysMs, doublings);
    if (item.attempts++ > 0) this.#retransmissions++;
    this.#waiting.add(item);
  }

  /** Notes an acknowledgement; the delivery's key if that was the last one. */
  acknowledge(item: OutboxItem): string | undefined {
    const open = this.#openOf(item);
    if (!open) return undefined;
    this.#drop(item);
    const at = open.ready.indexOf(item);
    if (at >= 0) open.ready.splice(at, 1);
    if (--open.left > 0) return undefined;
    const { key } = item.delivery;
    this.#open.delete(key);
    this.#ready.delete(key);
    return key;
  }

  /** Forgets a delivery. */
  cancel(key: string): void {
    const open = this.#open.get(key);
    if (!open) return;
    this.#open.delete(key);
    this.#ready.delete(key);
    for (const item of open.items) this.#drop(item);
  }

  /** Makes packets that count as lost ready again, and gives up what is past its deadline. */
  tick(nowMs: number): LateDelivery[] {
    for (const item of this.#waiting) {
      if (item.timeoutMs! > nowMs) continue;
      item.timeoutMs = undefined;
      this.#waiting.delete(item);
      const open = this.#openOf(item)!;
      open.ready.push(item);
      this.#ready.set(item.delivery.key, open);
    }
    const late: LateDelivery[] = [];
    for (const [key, { delivery, isStuck }] of this.#open) {
      if (delivery.deadlineMs > nowMs) continue;
      late.push({ key, code: isStuck ? "no_route" : "deadline" });
      this.cancel(key);
    }
    return late;
  }

  #openOf(item: OutboxItem): Open | undefined {
    return item.done ? undefined : this.#open.get(item.delivery.key);
  }

  #drop(item: OutboxItem): void {
    if (item.done) return;
    item.done = true;
    this.#size--;
    this.#waiting.delete(item);
  }
}
