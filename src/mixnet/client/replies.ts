import type { Bytes } from "../../core/bytes/mod.ts";
import type { Store } from "../../core/storage/mod.ts";
import { type Demand, LATER_LENGTH, MAX_FRAGMENTS } from "./packet_body.ts";
import type { ReplyFragment } from "./reply_body.ts";
import type { ReplySurb } from "./reply_surb.ts";
import type { Instant } from "./route_source.ts";
import { SavedReplies } from "./saved_replies.ts";
import { SeenIds } from "./seen_ids.ts";

/** Bounds of {@link Replies}. */
export interface ReplyLimits {
  /** Most messages that may yet be replied to, or whose reply is not taken yet. */
  readonly maxReplies: number;
  /** Most bytes of replies that are not taken yet. */
  readonly maxBytes: number;
  /** Most SURBs kept for one message, 432 bytes each; of more, the newest. */
  readonly maxSurbs: number;
  /** How long a message can be replied to, and a reply is kept, since the other side was last heard of, in milliseconds. */
  readonly keepMs: number;
  /** Most SURBs used that are remembered, so that none is used twice. */
  readonly maxUsedSurbs: number;
  /** How long, in milliseconds; longer than nodes accept any. */
  readonly usedMs: number;
}

/** What became of replies that we give. */
export interface ReplyCounts {
  /** Fragments sent again. */
  readonly resent: number;
  /** Demands for messages that we do not know, or know no more. */
  readonly unknownDemands: number;
  /** Ways back that expired, were more than are kept, or came a second time. */
  readonly surbsDropped: number;
  /** Messages with ways back, and replies, that had to be forgotten as there were too many. */
  readonly evicted: number;
}

/** Parts of {@link Replies}. */
export interface RepliesOptions {
  /** Bounds. */
  readonly limits: ReplyLimits;
  /** Bytes of a reply in one packet. */
  readonly roomPerPacket: number;
  /** Until when a SURB of this epoch can be used, in milliseconds since 1970. */
  readonly usableUntilMs: (epoch: number, wallMs: number) => number;
  /** Keeps replies under way, and which SURBs were used. */
  readonly store: Store;
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
 *
 * A reply is in the {@link Store} when {@link reply} returns: who starts again with the same store has the replies that were under way,
 * and sends them once the requester asks again. No SURB is used twice: a gateway that gives a demand again would else know the packets
 * that answer it by their headers, which tells them from cover.
 */
export class Replies {
  readonly #options: RepliesOptions;
  readonly #saved: SavedReplies;
  readonly #used: SeenIds;
  readonly #open = new Map<string, Reply>();
  #held = 0;
  #sends = 0;
  #resent = 0;
  #unknown = 0;
  #surbsDropped = 0;
  #evicted = 0;

  /** Takes what the store holds at `at`. */
  constructor(options: RepliesOptions, at: Instant) {
    this.#options = options;
    const { store, limits } = options;
    this.#used = new SeenIds({
      store,
      prefix: "u",
      capacity: limits.maxUsedSurbs,
      keepMs: limits.usedMs,
    });
    this.#saved = new SavedReplies(store);
    for (const { messageId, bytes } of this.#saved.all()) {
      const reply = this.#add(messageId.toHex(), at);
      this.#give(reply, bytes, at);
    }
  }

  /** What became of them so far. */
  get counts(): ReplyCounts {
    return {
      resent: this.#resent,
      unknownDemands: this.#unknown,
      surbsDropped: this.#surbsDropped,
      evicted: this.#evicted,
    };
  }

  /** Bytes of replies held. */
  get heldBytes(): number {
    return this.#held;
  }

  /** Whether a reply is under way. */
  get isBusy(): boolean {
    return [...this.#open.values()].some(({ bytes }) => bytes !== undefined);
  }

  /**
   * Keeps the ways back that came with a message.
   *
   * @returns The keys of older messages that had to be forgotten for it, and were replied to.
   */
  offer(key: string, surbs: readonly ReplySurb[], at: Instant): string[] {
    const reply = this.#open.get(key) ?? this.#add(key, at);
    this.#keep(reply, surbs);
    const { maxReplies } = this.#options.limits;
    return this.#open.size > maxReplies ? this.#evict(key) : [];
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
    if (
      this.#held + bytes.length > this.#options.limits.maxBytes ||
      !this.#saved.set(Uint8Array.fromHex(key), bytes)
    ) return "queue_full";
    this.#give(reply, bytes, at);
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
    reply.expiresMs = at.nowMs + this.#options.limits.keepMs;
    const fresh = this.#keep(reply, demand.surbs);
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
    reply.resends = Math.min(missing, fresh);
    return false;
  }

  /** The next fragment that can be sent now. */
  shift(at: Instant): ReplyPacket | undefined {
    for (const reply of [...this.#open.values()]) {
      const { bytes, count } = reply;
      if (!bytes) continue;
      while (reply.order[reply.cursor] === Infinity) reply.cursor++;
      if (reply.cursor >= count && reply.resends === 0) continue;
      const surb = this.#usableSurb(reply, at);
      if (!surb) continue;
      // Who was served goes behind the others.
      this.#open.delete(reply.key);
      this.#open.set(reply.key, reply);
      const index = reply.cursor < count ? reply.cursor++ : this.#again(reply);
      reply.order[index] = ++this.#sends;
      const { roomPerPacket } = this.#options;
      const start = index * roomPerPacket;
      const part = bytes.slice(start, start + roomPerPacket);
      return { surb, fragment: { index, count, bytes: part } };
    }
    return undefined;
  }

  /** Forgets what is past its time; the keys of those that were replied to. */
  tick({ nowMs, wallMs }: Instant): string[] {
    this.#used.tick(wallMs);
    const late = [...this.#open.values()]
      .filter(({ expiresMs }) => expiresMs <= nowMs);
    for (const reply of late) this.#remove(reply);
    return late.filter(({ bytes }) => bytes).map(({ key }) => key);
  }

  #add(key: string, at: Instant): Reply {
    const reply: Reply = {
      key,
      surbs: [],
      bytes: undefined,
      count: 0,
      cursor: 0,
      resends: 0,
      order: [],
      expiresMs: at.nowMs + this.#options.limits.keepMs,
    };
    this.#open.set(key, reply);
    return reply;
  }

  #give(reply: Reply, bytes: Bytes, at: Instant): void {
    const { limits, roomPerPacket } = this.#options;
    reply.bytes = bytes;
    reply.count = Math.max(1, Math.ceil(bytes.length / roomPerPacket));
    reply.order = new Array(reply.count).fill(0);
    reply.expiresMs = at.nowMs + limits.keepMs;
    this.#held += bytes.length;
  }

  /** Of the fragments that did not arrive yet, as {@link Reply.resends} says there are, the one sent longest ago. */
  #again(reply: Reply): number {
    reply.resends--;
    this.#resent++;
    let oldest = 0;
    for (const [index, order] of reply.order.entries()) {
      if (order < reply.order[oldest]!) oldest = index;
    }
    return oldest;
  }

  #usableSurb(reply: Reply, { wallMs }: Instant): ReplySurb | undefined {
    const { usableUntilMs } = this.#options;
    for (;;) {
      const surb = reply.surbs.shift();
      if (!surb) return undefined;
      if (
        usableUntilMs(surb.epoch, wallMs) > wallMs &&
        !this.#used.has(idOf(surb))
      ) {
        this.#used.add(idOf(surb), wallMs);
        return surb;
      }
      this.#surbsDropped++;
    }
  }

  /** Adds ways back; how many of them are new. */
  #keep(reply: Reply, surbs: readonly ReplySurb[]): number {
    const known = new Set(reply.surbs.map((surb) => idOf(surb).toHex()));
    const fresh = surbs.filter((surb) => {
      const id = idOf(surb);
      if (this.#used.has(id) || known.has(id.toHex())) return false;
      known.add(id.toHex());
      return true;
    });
    reply.surbs.push(...fresh);
    const over = Math.max(
      0,
      reply.surbs.length - this.#options.limits.maxSurbs,
    );
    reply.surbs.splice(0, over);
    this.#surbsDropped += surbs.length - fresh.length + over;
    return fresh.length;
  }

  /** Forgets the oldest message but `key`, one without a reply if there is any. */
  #evict(key: string): string[] {
    const others = [...this.#open.values()].filter((each) => each.key !== key);
    const oldest = others.find(({ bytes }) => !bytes) ?? others[0]!;
    this.#remove(oldest);
    this.#evicted++;
    return oldest.bytes ? [oldest.key] : [];
  }

  #remove(reply: Reply): void {
    this.#open.delete(reply.key);
    if (!reply.bytes) return;
    this.#held -= reply.bytes.length;
    this.#saved.delete(Uint8Array.fromHex(reply.key));
  }
}

/** The first half of a SURB's first group element: random, and no other's. */
function idOf({ surb }: ReplySurb): Uint8Array {
  return surb.subarray(0, 16);
}
