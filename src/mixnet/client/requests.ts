import { type Bytes, concat } from "../../core/bytes/mod.ts";
import type { MixAddress } from "./mix_address.ts";
import { LATER_LENGTH, MAX_FRAGMENTS } from "./packet_body.ts";
import type { ReplyFragment } from "./reply_body.ts";
import { RoundTrip, type RoundTripOptions } from "./round_trip.ts";

/** Bounds of {@link Requests}. */
export interface RequestLimits {
  /** Most requests that wait for a reply. */
  readonly maxRequests: number;
  /** Longest reply taken, in bytes. */
  readonly maxReplyBytes: number;
  /** Most bytes of replies that are not whole. */
  readonly maxBytes: number;
  /** Most SURBs of one request on their way at once. */
  readonly surbWindow: number;
  /** Longest pause between two demands while nothing comes, in milliseconds. */
  readonly maxPauseMs: number;
}

/** A message that waits for its reply. */
export interface Request {
  /** By which the caller knows it. */
  readonly key: string;
  /** Of the message. */
  readonly messageId: Bytes;
  /** Who replies. */
  readonly to: MixAddress;
  /** The reply's fragments that came. */
  readonly fragments: Map<number, ReplyFragment>;
  /** SURBs given to the replier that are neither used nor given up, with the time when they are. */
  readonly onTheirWay: Map<string, number>;
  /** How many fragments the reply has, once one came. */
  count: number | undefined;
  /** Bytes of those that came. */
  length: number;
  /** When to ask again if nothing comes, in monotonic milliseconds; never before the message itself is acknowledged. */
  pollMs: number;
  /** Times in a row that nothing came and we asked again. */
  attempts: number;
  /** The delays of the last way there and back, in milliseconds. */
  delaysMs: number;
  /** Whether a demand waits to be sent. */
  queued: boolean;
  /** Whether it ended. */
  done: boolean;
}

/** A SURB's way there and back. */
export interface GivenOut {
  /** Its id in hex. */
  readonly id: string;
  /** The delays of the routes there and back, in milliseconds. */
  readonly delaysMs: number;
}

/**
 * The requester's side of replies, without IO.
 *
 * A reply packet needs a SURB, and only the requester can make one; so it is the requester who asks again. It knows which SURBs it gave
 * and how long a way they have. Once a fragment has come it knows how many there are, and sends demands that say what came, with
 * fresh SURBs: as many as fragments are missing that no SURB on its way can bring, within a window. A SURB that brought nothing in
 * the time that its delays and the measured rest allow is given up. Before the first fragment it cannot know whether the other side
 * has yet to find its answer, and asks at growing intervals.
 */
export class Requests {
  readonly #limits: RequestLimits;
  readonly #maxCount: number;
  readonly #roundTrip: RoundTrip;
  readonly #open = new Map<string, Request>();
  #ready: Request[] = [];
  #held = 0;
  #demands = 0;
  #malformed = 0;
  #refused = 0;

  /** None yet; fragments of replies have up to `roomPerPacket` bytes. */
  constructor(
    limits: RequestLimits,
    roomPerPacket: number,
    roundTrip: RoundTripOptions,
  ) {
    this.#limits = limits;
    this.#maxCount = Math.max(
      1,
      Math.ceil(limits.maxReplyBytes / roomPerPacket),
    );
    this.#roundTrip = new RoundTrip(roundTrip);
  }

  /** Whether another request may start. */
  get hasRoom(): boolean {
    return this.#open.size < this.#limits.maxRequests;
  }

  /** Demands sent so far; reply fragments that were at odds with others or of a reply too long; and those that found no room. */
  get counts(): {
    readonly demands: number;
    readonly malformed: number;
    readonly refused: number;
  } {
    return {
      demands: this.#demands,
      malformed: this.#malformed,
      refused: this.#refused,
    };
  }

  /** Bytes of replies held. */
  get heldBytes(): number {
    return this.#held;
  }

  /** The request that waits under `key`. */
  get(key: string): Request | undefined {
    return this.#open.get(key);
  }

  /** Begins to wait for the reply to a message. */
  add(key: string, messageId: Bytes, to: MixAddress): Request {
    const request: Request = {
      key,
      messageId,
      to,
      fragments: new Map(),
      onTheirWay: new Map(),
      count: undefined,
      length: 0,
      pollMs: Infinity,
      attempts: 0,
      delaysMs: 0,
      queued: false,
      done: false,
    };
    this.#open.set(key, request);
    return request;
  }

  /** Notes that the message itself was acknowledged: from now on its reply may come. */
  acknowledged(request: Request, nowMs: number): void {
    if (request.pollMs === Infinity) this.#planPoll(request, nowMs);
  }

  /** Notes SURBs that left with the message or a demand. */
  gave(request: Request, nowMs: number, surbs: readonly GivenOut[]): void {
    for (const { id, delaysMs } of surbs) {
      request.delaysMs = delaysMs;
      request.onTheirWay.set(
        id,
        nowMs + this.#roundTrip.timeoutMs(delaysMs, request.attempts),
      );
    }
  }

  /**
   * Takes a fragment that came back through SURB `id`.
   *
   * @param tookMs How long the SURB was away.
   * @returns The reply if it is whole now.
   */
  accept(
    request: Request,
    id: string,
    fragment: ReplyFragment,
    nowMs: number,
    tookMs: number,
    delaysMs: number,
  ): Bytes | undefined {
    const { maxReplyBytes, maxBytes } = this.#limits;
    request.onTheirWay.delete(id);
    const { index, count, bytes } = fragment;
    if (
      count !== (request.count ?? count) ||
      request.length + bytes.length > maxReplyBytes ||
      count > this.#maxCount
    ) {
      this.#malformed++;
      return undefined;
    }
    if (request.count === undefined) {
      request.count = count;
      for (const given of request.onTheirWay.keys()) {
        request.onTheirWay.set(
          given,
          nowMs + this.#roundTrip.timeoutMs(delaysMs, 0),
        );
      }
    } else this.#roundTrip.measure(tookMs, delaysMs);
    request.attempts = 0;
    this.#planPoll(request, nowMs);
    if (request.fragments.has(index)) return undefined;
    if (this.#held + bytes.length > maxBytes) {
      this.#refused++;
      return undefined;
    }
    request.fragments.set(index, fragment);
    request.length += bytes.length;
    this.#held += bytes.length;
    if (request.fragments.size < count) {
      this.#demandIfShort(request);
      return undefined;
    }
    const ordered = [...request.fragments.values()]
      .sort((a, b) => a.index - b.index);
    this.end(request);
    return concat(...ordered.map((each) => each.bytes));
  }

  /** Forgets a request: it is answered, given up or cancelled. */
  end(request: Request): void {
    if (request.done) return;
    request.done = true;
    this.#open.delete(request.key);
    this.#held -= request.length;
    request.fragments.clear();
    request.onTheirWay.clear();
    this.#ready = this.#ready.filter((each) => !each.done);
  }

  /** Gives up SURBs whose time is over, and asks again where that is due. */
  tick(nowMs: number): void {
    for (const request of this.#open.values()) {
      for (const [id, lostMs] of request.onTheirWay) {
        if (lostMs <= nowMs) request.onTheirWay.delete(id);
      }
      if (request.count !== undefined) this.#demandIfShort(request);
      if (request.pollMs > nowMs) continue;
      request.attempts++;
      this.#planPoll(request, nowMs);
      this.#enqueue(request);
    }
  }

  /** The next request whose demand is to be sent, and how many SURBs of at most `room` it should bring. */
  shift(
    room: number,
  ): { readonly request: Request; readonly surbs: number } | undefined {
    const request = this.#ready.shift();
    if (!request) return undefined;
    request.queued = false;
    this.#demands++;
    const surbs = request.count === undefined
      ? room
      : Math.max(1, Math.min(room, this.#short(request)));
    return { request, surbs };
  }

  /** Asks for what is missing yet once the demand just sent is noted with {@link gave}. */
  sent(request: Request): void {
    if (request.count !== undefined) this.#demandIfShort(request);
  }

  #short(request: Request): number {
    const missing = request.count! - request.fragments.size;
    return Math.min(missing, this.#limits.surbWindow) - request.onTheirWay.size;
  }

  #demandIfShort(request: Request): void {
    if (this.#short(request) > 0) this.#enqueue(request);
  }

  #enqueue(request: Request): void {
    if (request.queued || request.done) return;
    request.queued = true;
    this.#ready.push(request);
  }

  #planPoll(request: Request, nowMs: number): void {
    request.pollMs = nowMs + Math.min(
      this.#limits.maxPauseMs,
      this.#roundTrip.timeoutMs(request.delaysMs, request.attempts),
    );
  }
}

/** What a demand says of the fragments that came: see packet_body.ts. */
export function progressOf(
  { count, fragments }: Request,
): { readonly next: number; readonly later: Bytes } {
  const later = new Uint8Array(LATER_LENGTH);
  let next = 0;
  while (fragments.has(next)) next++;
  for (let i = 0; i < 8 * LATER_LENGTH; i++) {
    if (fragments.has(next + 1 + i)) later[i >> 3]! |= 1 << (i & 7);
  }
  return { next: next === count ? MAX_FRAGMENTS : next, later };
}
