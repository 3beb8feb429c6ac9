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

interface Open {
  readonly delivery: Delivery;
  readonly items: readonly OutboxItem[];
  left: number;
}

/** Packets that wait to be sent or acknowledged, in bounded number. */
export class Outbox {
  readonly #capacity: number;
  readonly #open = new Map<string, Open>();
  readonly #waiting = new Set<OutboxItem>();
  #ready: OutboxItem[] = [];
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

  /** Packets that were sent again so far. */
  get retransmissions(): number {
    return this.#retransmissions;
  }

  /** Takes `delivery`, or gives `false` if there is no room for all of it. */
  add(delivery: Delivery): boolean {
    if (this.#size + delivery.count > this.#capacity) return false;
    const items = Array.from({ length: delivery.count }, (_, index) => ({
      delivery,
      index,
      attempts: 0,
      timeoutMs: undefined,
      done: false,
    }));
    this.#open.set(delivery.key, { delivery, items, left: items.length });
    this.#ready.push(...items);
    this.#size += items.length;
    return true;
  }

  /** The next packet to send, which stays until {@link sent} or {@link putBack}. */
  shift(): OutboxItem | undefined {
    let item;
    do item = this.#ready.shift(); while (item?.done);
    return item;
  }

  /** Puts a packet back that could not be sent. */
  putBack(item: OutboxItem): void {
    if (!item.done) this.#ready.unshift(item);
  }

  /** Notes that `item` left, on routes (there, and back for the acknowledgement) with these delays. */
  sent(
    item: OutboxItem,
    nowMs: number,
    delaysMs: number,
    roundTrip: RoundTrip,
  ): void {
    item.timeoutMs = nowMs + roundTrip.timeoutMs(delaysMs, item.attempts);
    if (item.attempts++ > 0) this.#retransmissions++;
    this.#waiting.add(item);
  }

  /** Notes an acknowledgement; the delivery's key if that was the last one. */
  acknowledge(item: OutboxItem): string | undefined {
    if (item.done) return undefined;
    const { key } = item.delivery;
    const open = this.#open.get(key);
    this.#drop(item);
    if (!open || --open.left > 0) return undefined;
    this.#open.delete(key);
    return key;
  }

  /** Forgets a delivery. */
  cancel(key: string): boolean {
    const open = this.#open.get(key);
    if (!open) return false;
    this.#open.delete(key);
    for (const item of open.items) this.#drop(item);
    this.#ready = this.#ready.filter((item) => !item.done);
    return true;
  }

  /** Makes packets that count as lost ready again, and gives up what is past its deadline: the keys of those deliveries. */
  tick(nowMs: number): string[] {
    for (const item of this.#waiting) {
      if (item.timeoutMs! > nowMs) continue;
      item.timeoutMs = undefined;
      this.#waiting.delete(item);
      this.#ready.push(item);
    }
    const late = [...this.#open.values()]
      .filter(({ delivery }) => delivery.deadlineMs <= nowMs)
      .map(({ delivery }) => delivery.key);
    for (const key of late) this.cancel(key);
    return late;
  }

  #drop(item: OutboxItem): void {
    if (item.done) return;
    item.done = true;
    this.#size--;
    this.#waiting.delete(item);
  }
}
