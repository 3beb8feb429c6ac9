import type { Bytes } from "../../core/bytes/mod.ts";
import { type Demand, LATER_LENGTH, MAX_FRAGMENTS } from "./packet_body.ts";
import type { ReplyFragment } from "./reply_body.ts";
import type { ReplySurb } from "./reply_surb.ts";
import type { Instant } from "./route_source.ts";

/** Bounds of {@link Replies}. */
export interface ReplyLimits {
  /** Most messages that may yet be replied to, or whose reply is not taken yet. */
  readonly maxReplies: number;
  /** Most bytes of replies that are not taken yet. */
  readonly maxBytes: number;
  /** Most SURBs kept for one message; of more, the newest. */
  readonly maxSurbs: number;
  /** How long a message can be replied to, and a reply is kept, since the other side was last heard of, in milliseconds. */
  readonly keepMs: number;
}

interface Reply {
  readonly key: string;
  surbs: ReplySurb[];
  bytes: Bytes | undefined;
  count: number;
  /** The first fragment that was never sent. */
  cursor: number;
  /** How many fragments may be sent again: the last demand missed them and brought SURBs. */
  resends: number;
  /** By fragment: when it was last sent, by a counter; 0 for never, infinite for arrived. */
  order: number[];
  expiresMs: number;
}

/** A fragment to be sent, and the way. */
export interface ReplyPacket {
  /** The way. */
  readonly surb: ReplySurb;
  /** The fragment. */
  readonly fragment: ReplyFragment;
}

/**
 * The replier's side of replies, without IO: keeps ways back by message, then the reply until the requester says that it has it, sends
 * every fragment once as far as SURBs go, and again what a demand misses, the longest unsent first.
 */
export class Replies {
  readonly #limits: ReplyLimits;
  readonly #roomPerPacket: number;
  /** Until when a SURB of this epoch can be used. */
  readonly #usableUntilMs: (epoch: number, wallMs: number) => number;
  readonly #open = new Map<string, Reply>();
  #held = 0;
  #sends = 0;
  #resent = 0;
  #unknown = 0;
  #surbsDropped = 0;

  /** None yet. */
  constructor(
    limits: ReplyLimits,
    roomPerPacket: number,
    usableUntilMs: (epoch: number, wallMs: number) => number,
  ) {
    this.#limits = limits;
    this.#roomPerPacket = roomPerPacket;
    this.#usableUntilMs = usableUntilMs;
  }

  /** Fragments sent again, demands for nothing we know, SURBs dropped (expired, or more than are kept). */
  get counts(): {
    readonly resent: number;
    readonly unknownDemands: number;
    readonly surbsDropped: number;
  } {
    return {
      resent: this.#resent,
      unknownDemands: this.#unknown,
      surbsDropped: this.#surbsDropped,
    };
  }

  /** Bytes of replies held. */
  get heldBytes(): number {
    return this.#held;
  }

  /**
   * Keeps the ways back that came with a message.
   *
   * @returns The keys of older messages that had to be forgotten for it, and were replied to.
   */
  offer(key: string, surbs: readonly ReplySurb[], at: Instant): string[] {
    const reply: Reply = {
      key,
      surbs: [],
      bytes: undefined,
      count: 0,
      cursor: 0,
      resends: 0,
      order: [],
      expiresMs: at.nowMs + this.#limits.keepMs,
    };
    this.#open.set(key, reply);
    this.#keep(reply, surbs);
    return this.#open.size > this.#limits.maxReplies ? this.#evict() : [];
  }

  /** Gives the message its reply; says why not. */
  reply(
    key: string,
    bytes: Bytes,
    at: Instant,
  ): "answered" | "expired" | "queue_full" | undefined {
    const reply = this.#open.get(key);
    if (!reply) return "expired";
    if (reply.bytes) return "answered";
    if (this.#held + bytes.length > this.#limits.maxBytes) return "queue_full";
    reply.bytes = bytes;
    reply.count = Math.max(1, Math.ceil(bytes.length / this.#roomPerPacket));
    reply.order = new Array(reply.count).fill(0);
    reply.expiresMs = at.nowMs + this.#limits.keepMs;
    this.#held += bytes.length;
    return undefined;
  }

  /** Takes a demand; `true` if it says that the reply arrived, which is then forgotten. */
  demand(key: string, demand: Demand, at: Instant): boolean {
    const reply = this.#open.get(key);
    if (!reply) {
      this.#unknown++;
      return false;
    }
    if (demand.next === MAX_FRAGMENTS && reply.bytes) {
      this.#remove(reply);
      return true;
    }
    reply.expiresMs = at.nowMs + this.#limits.keepMs;
    this.#keep(reply, demand.surbs);
    if (!reply.bytes) return false;
    for (let i = 0; i < Math.min(demand.next, reply.count); i++) {
      reply.order[i] = Infinity;
    }
    for (let i = 0; i < 8 * LATER_LENGTH; i++) {
      const index = demand.next + 1 + i;
      if (index >= reply.count) break;
      if (demand.later[i >> 3]! >> (i & 7) & 1) reply.order[index] = Infinity;
    }
    const missing =
      reply.order.filter((order, index) =>
        order !== Infinity && index < reply.cursor
      ).length;
    reply.resends = Math.min(missing, demand.surbs.length);
    return false;
  }

  /** The next fragment that can be sent now. */
  shift(at: Instant): ReplyPacket | undefined {
    for (const reply of this.#open.values()) {
      const { bytes, cursor, count } = reply;
      if (!bytes || (cursor === count && reply.resends === 0)) continue;
      const surb = this.#usableSurb(reply, at);
      if (!surb) continue;
      // Who was served goes behind the others.
      this.#open.delete(reply.key);
      this.#open.set(reply.key, reply);
      const index = cursor < count ? reply.cursor++ : this.#again(reply);
      if (index < 0) continue;
      reply.order[index] = ++this.#sends;
      const start = index * this.#roomPerPacket;
      const part = bytes.slice(start, start + this.#roomPerPacket);
      return { surb, fragment: { index, count, bytes: part } };
    }
    return undefined;
  }

  /** Forgets what is past its time; the keys of those that were replied to. */
  tick(nowMs: number): string[] {
    const late = [...this.#open.values()]
      .filter(({ expiresMs }) => expiresMs <= nowMs);
    for (const reply of late) this.#remove(reply);
    return late.filter(({ bytes }) => bytes).map(({ key }) => key);
  }

  #again(reply: Reply): number {
    reply.resends--;
    let oldest = -1;
    for (const [index, order] of reply.order.entries()) {
      if (order === Infinity) continue;
      if (oldest < 0 || order < reply.order[oldest]!) oldest = index;
    }
    if (oldest >= 0) this.#resent++;
    return oldest;
  }

  #usableSurb(reply: Reply, { wallMs }: Instant): ReplySurb | undefined {
    for (;;) {
      const surb = reply.surbs.shift();
      if (!surb || this.#usableUntilMs(surb.epoch, wallMs) > wallMs) {
        return surb;
      }
      this.#surbsDropped++;
    }
  }

  #keep(reply: Reply, surbs: readonly ReplySurb[]): void {
    reply.surbs.push(...surbs);
    const over = reply.surbs.length - this.#limits.maxSurbs;
    if (over <= 0) return;
    reply.surbs.splice(0, over);
    this.#surbsDropped += over;
  }

  /** Forgets the oldest message, one without a reply if there is any. */
  #evict(): string[] {
    const all = [...this.#open.values()];
    const oldest = all.slice(0, -1).find(({ bytes }) => !bytes) ?? all[0]!;
    this.#remove(oldest);
    return oldest.bytes ? [oldest.key] : [];
  }

  #remove(reply: Reply): void {
    this.#open.delete(reply.key);
    this.#held -= reply.bytes?.length ?? 0;
  }
}
