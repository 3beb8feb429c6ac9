import { type Bytes, DecodeError } from "../../core/bytes/mod.ts";
import { NoiseError } from "../../core/noise/mod.ts";
import { SphinxError } from "../sphinx/error.ts";
import { recoverReply } from "../sphinx/surb.ts";
import {
  type ClientCounts,
  type ClientDrop,
  noClientDrops,
} from "./client_counts.ts";
import type { ClientEvent } from "./client_event.ts";
import type {
  ClientCoreOptions,
  CoreSendOptions,
  Meaning,
} from "./client_core_options.ts";
import { Cover } from "./cover.ts";
import { DeferredDeletes } from "./deferred_deletes.ts";
import { Deliveries } from "./deliveries.ts";
import { MixClientError, type MixClientErrorCode } from "./error.ts";
import { sealedLength } from "./forward_content.ts";
import { Inbox, type Received } from "./inbox.ts";
import { Loops } from "./loops.ts";
import {
  decodeMixAddress,
  encodeMixAddress,
  type MixAddress,
} from "./mix_address.ts";
import {
  decodePacketBody,
  encodePacketBody,
  LATER_LENGTH,
  MAX_FRAGMENTS,
} from "./packet_body.ts";
import { type ClientPacket, PacketMaker, type Slot } from "./packet_maker.ts";
import { Replier } from "./replier.ts";
import { replyRoom } from "./reply_body.ts";
import { Requester } from "./requester.ts";
import type { Request } from "./requests.ts";
import { RoundTrip } from "./round_trip.ts";
import type { Instant } from "./route_source.ts";
import { seal, unseal } from "./seal.ts";
import { SurbBook } from "./surb_book.ts";

/** How long the end of a reply is announced, in milliseconds: as long as the other side keeps the reply anyway. */
const DONE_MS = 10 * 60_000;

/**
 * A mixnet client without IO: messages in, packets out whenever the caller's clock says that one is due, what the gateway brings in,
 * events out.
 *
 * Every packet looks alike: a real one, a loop, a demand and an acknowledgement request have one size, one delay law and one route
 * length. A message is cut into fragments; each is sealed, sent, and sent again over fresh routes with a fresh SURB until the
 * recipient's gateway has acknowledged that it stored it. The recipient drops copies.
 */
export class ClientCore {
  readonly #options: ClientCoreOptions;
  readonly #store: DeferredDeletes;
  readonly #maker: PacketMaker<Meaning>;
  readonly #book: SurbBook<Meaning>;
  readonly #inbox: Inbox;
  readonly #deliveries: Deliveries;
  readonly #requester: Requester;
  readonly #replier: Replier;
  readonly #loops: Loops;
  readonly #roundTrip: RoundTrip;
  readonly #cover: Cover;
  /** What there is to send in packets that are acknowledged; they take turns. */
  readonly #sources: readonly ((at: Instant) => ClientPacket | undefined)[];
  readonly #drops = noClientDrops();
  #events: ClientEvent[] = [];
  #turn = 0;
  #realPackets = 0;
  #coverPackets = 0;

  /** Goes on where the store says that another left off at `at`. */
  constructor(options: ClientCoreOptions, at: Instant) {
    this.#options = options;
    const { limits, geometry } = options;
    const store = new DeferredDeletes(options.store);
    this.#store = store;
    this.#book = new SurbBook(limits.maxSurbs);
    const maker = new PacketMaker({ ...options, book: this.#book });
    const roundTrip = new RoundTrip(limits.roundTrip);
    this.#maker = maker;
    this.#roundTrip = roundTrip;
    this.#inbox = new Inbox(store, maker.bodyLength, limits.inbox);
    this.#deliveries = new Deliveries({
      maker,
      roundTrip,
      store,
      maxQueuedPackets: limits.maxQueuedPackets,
    }, at);
    this.#requester = new Requester({
      crypto: options.crypto,
      maker,
      limits: limits.requests,
      roomPerPacket: replyRoom(geometry),
      roundTrip: limits.roundTrip,
    });
    this.#replier = new Replier(
      { ...options, store, limits: limits.replies },
      at,
    );
    this.#loops = new Loops({ ...options, ...limits, maker, roundTrip });
    this.#cover = new Cover({ ...options, maker });
    this.#sources = [
      (at) => this.#deliveries.next(at),
      (at) => this.#requester.next(at),
      (at) => this.#loops.nextPing(at),
    ];
    for (const message of this.#inbox.restore(at)) this.#arrived(message, at);
  }

  /** What happened so far. */
  get counts(): ClientCounts {
    const { demands, malformed, refused } = this.#requester.counts;
    const { replies, foreignSurbs } = this.#replier;
    return {
      realPackets: this.#realPackets,
      coverPackets: this.#coverPackets,
      retransmissions: this.#deliveries.retransmissions,
      queuedPackets: this.#deliveries.size,
      heldBytes: this.#inbox.heldBytes + this.#requester.heldBytes +
        replies.heldBytes,
      surbsGiven: this.#book.size,
      surbsEvicted: this.#book.evicted,
      overheadMs: this.#roundTrip.overheadMs,
      loops: this.#loops.counts,
      fragments: this.#inbox.counts,
      replies: replies.counts,
      demands,
      malformedReplies: malformed,
      refusedReplies: refused,
      dropped: { ...this.#drops, foreign_surb: foreignSurbs },
    };
  }

  /** Whether fragments of new messages are refused until {@link taken} makes room. */
  get isFull(): boolean {
    return this.#inbox.isFull;
  }

  /** Whether nothing waits to be sent or acknowledged, and no reply to be taken. */
  get isIdle(): boolean {
    return this.#deliveries.size === 0 && !this.#replier.replies.isBusy;
  }

  /** What happened since the last call. */
  takeEvents(): ClientEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /**
   * Begins to send a message; gives the key of its events.
   *
   * @throws {MixClientError} `queue_full`.
   * @throws {RangeError} If it is too long, or the address is none or cannot be sealed to.
   */
  send(
    to: MixAddress,
    bytes: Uint8Array,
    { deadlineMs, wantsReply = false }: CoreSendOptions,
    at: Instant,
  ): string {
    const { crypto, limits } = this.#options;
    if (bytes.length > limits.maxMessageBytes) {
      throw new RangeError(
        `A message has at most ${limits.maxMessageBytes} bytes: got ${bytes.length}`,
      );
    }
    try {
      seal(crypto, to.sealKey, new Uint8Array(0));
    } catch (cause) {
      if (!(cause instanceof NoiseError)) throw cause;
      throw new RangeError("The seal key of this address has low order", {
        cause,
      });
    }
    const messageId = crypto.random(16);
    const key = messageId.toHex();
    const message = {
      messageId,
      to: decodeMixAddress(encodeMixAddress(to)),
      bytes: new Uint8Array(bytes), // a copy, as the caller may write over its own
      deadlineMs: at.nowMs + deadlineMs,
    };
    if (!wantsReply) {
      this.#deliveries.send(message, at);
      return key;
    }
    const request = this.#requester.begin(
      messageId,
      message.to,
      message.deadlineMs,
    );
    try {
      this.#deliveries.send({
        ...message,
        waysBack: (count, at) => this.#requester.waysBack(request, count, at),
      }, at);
    } catch (error) {
      this.#requester.end(key);
      throw error;
    }
    return key;
  }

  /** Stops sending a message, and waiting for its reply. */
  cancel(key: string): void {
    this.#deliveries.cancel(key);
    this.#requester.end(key);
    this.#loops.cancel(key);
  }

  /**
   * Replies to the message that came under `key`.
   *
   * @throws {MixClientError} `answered`, `expired` or `queue_full`.
   * @throws {RangeError} If it is too long.
   */
  reply(key: string, bytes: Uint8Array, at: Instant): void {
    const { maxReplyBytes } = this.#options.limits.requests;
    if (bytes.length > maxReplyBytes) {
      throw new RangeError(
        `A reply has at most ${maxReplyBytes} bytes: got ${bytes.length}`,
      );
    }
    const { replies } = this.#replier;
    const fault = replies.reply(key, new Uint8Array(bytes), at);
    if (fault) throw new MixClientError(fault);
  }

  /**
   * Queues a loop whose return is an event; gives its key.
   *
   * @throws {MixClientError} `queue_full`.
   */
  ping(): string {
    return this.#loops.ping();
  }

  /** Notes that the application has taken a message. */
  taken(key: string, at: Instant): void {
    this.#inbox.taken(Uint8Array.fromHex(key), at);
  }

  /**
   * The packet to send now: a real one if there is any for `slot`, else cover like it.
   *
   * @returns `undefined` if there is no route.
   */
  next(slot: Slot, at: Instant): ClientPacket | undefined {
    const real = this.#real(slot, at);
    if (real) this.#realPackets++;
    const packet = real ?? this.#unreal(slot, at);
    if (!packet) this.#drops.no_route++;
    else if (!real) this.#coverPackets++;
    return packet;
  }

  /** Takes what the gateway brings; `false` if it must bring it again later, as there is no room. */
  receive(identifier: Uint8Array, payload: Bytes, at: Instant): boolean {
    if (identifier.some((byte) => byte !== 0)) {
      this.#returned(identifier, payload, at);
      return true;
    }
    const { crypto, geometry, sealKeyPair } = this.#options;
    const sealed = payload.subarray(0, sealedLength(geometry));
    const plain = unseal(crypto, sealKeyPair, sealed);
    if (!plain) return this.#drop("unsealable");
    let body;
    try {
      body = decodePacketBody(plain);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return this.#drop("malformed");
    }
    switch (body.kind) {
      case "loop":
        this.#looped(body.nonce, at);
        return true;
      case "demand": {
        const key = body.messageId.toHex();
        if (this.#replier.replies.demand(key, body, at)) {
          this.#events.push({ kind: "replied", key });
        }
        return true;
      }
      case "fragment": {
        const received = this.#inbox.accept(body, at);
        if (received === "refused") return false;
        if (received) this.#arrived(received, at);
        return true;
      }
    }
  }

  /**
   * Lets time pass: call it at least every second or so.
   *
   * @throws {StorageError} If the store fails; what could not be deleted is deleted by a later call.
   */
  tick(at: Instant): void {
    for (const { key, code } of this.#deliveries.tick(at.nowMs)) {
      this.#fail(key, code);
    }
    for (const key of this.#requester.tick(at.nowMs)) {
      this.#fail(key, "deadline");
    }
    for (const key of this.#replier.replies.tick(at)) {
      this.#events.push({ kind: "failed", key, code: "expired" });
    }
    this.#inbox.tick(at);
    this.#loops.tick(at.nowMs);
    this.#book.tick(at.wallMs, isMoot);
    this.#store.retry();
  }

  #unreal(slot: Slot, at: Instant): ClientPacket | undefined {
    if (slot === "loop") return this.#loops.next(at);
    return slot === "reply" ? this.#cover.reply(at) : this.#cover.message(at);
  }

  #real(slot: Slot, at: Instant): ClientPacket | undefined {
    if (slot === "loop") return undefined;
    if (slot === "reply") return this.#replier.next(at);
    for (let i = 0; i < this.#sources.length; i++) {
      const packet = this.#sources[this.#turn++ % this.#sources.length]!(at);
      if (packet) return packet;
    }
    return undefined;
  }

  /** Takes what came by a SURB of ours. */
  #returned(identifier: Uint8Array, payload: Bytes, at: Instant): void {
    const given = this.#book.take(identifier);
    if (!given) return void this.#drop("unknown_surb");
    let message;
    try {
      message = recoverReply(this.#options.crypto, given.recovery, payload);
    } catch (error) {
      if (!(error instanceof SphinxError)) throw error;
      return void this.#drop("malformed");
    }
    const { meaning } = given;
    if (meaning.kind === "ack") return this.#acknowledged(meaning, at);
    const id = identifier.toHex();
    const reply = this.#requester.returned(meaning, id, message, at);
    if (reply === undefined) return;
    if (typeof reply === "string") return void this.#drop(reply);
    const { request, bytes } = reply;
    this.#deliveries.cancel(request.key);
    this.#events.push({ kind: "reply", key: request.key, bytes });
    this.#announceEnd(request, at);
  }

  #acknowledged(
    { item, sentMs, delaysMs }: Extract<Meaning, { kind: "ack" }>,
    at: Instant,
  ): void {
    this.#roundTrip.measure(at.nowMs - sentMs, delaysMs);
    const key = item && this.#deliveries.acknowledge(item);
    if (key === undefined) return;
    // A request goes on until its reply is here.
    if (this.#requester.acknowledged(key, at.nowMs)) return;
    this.#events.push({ kind: "sent", key });
  }

  /** Tells the replier, until its gateway acknowledges, that the reply is here. */
  #announceEnd({ key, messageId, to }: Request, at: Instant): void {
    const body = encodePacketBody(this.#maker.bodyLength, {
      kind: "demand",
      messageId,
      next: MAX_FRAGMENTS,
      later: new Uint8Array(LATER_LENGTH),
      surbs: [],
    });
    this.#deliveries.announce(key, to, body, at.nowMs + DONE_MS);
  }

  #arrived({ messageId, bytes, surbs }: Received, at: Instant): void {
    const key = messageId.toHex();
    const canReply = surbs.length > 0;
    if (canReply) {
      for (const late of this.#replier.replies.offer(key, surbs, at)) {
        this.#events.push({ kind: "failed", key: late, code: "expired" });
      }
    }
    this.#events.push({ kind: "message", key, bytes, canReply });
  }

  #looped(nonce: Bytes, at: Instant): void {
    const loop = this.#loops.returned(nonce, at.nowMs);
    if (!loop) return void this.#drop("unknown_loop");
    const { isPing, tookMs } = loop;
    if (!isPing) return;
    this.#events.push({ kind: "pong", key: nonce.toHex(), tookMs });
  }

  #fail(key: string, code: MixClientErrorCode): void {
    this.cancel(key);
    this.#events.push({ kind: "failed", key, code });
  }

  #drop(reason: ClientDrop): true {
    this.#drops[reason]++;
    return true;
  }
}

function isMoot(meaning: Meaning): boolean {
  return meaning.kind === "reply" && meaning.request.done;
}
