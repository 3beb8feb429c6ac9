import { type Bytes, DecodeError, equal } from "../../core/bytes/mod.ts";
import { NoiseError } from "../../core/noise/mod.ts";
import { SphinxError } from "../sphinx/error.ts";
import { recoverReply, replyPacket } from "../sphinx/surb.ts";
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
import { MixClientError } from "./error.ts";
import { sealedLength } from "./forward_content.ts";
import { Inbox, type Received } from "./inbox.ts";
import { LoopTally } from "./loop_tally.ts";
import type { MixAddress } from "./mix_address.ts";
import { Outbox } from "./outbox.ts";
import {
  decodePacketBody,
  type Demand,
  demandRoom,
  encodePacketBody,
  LATER_LENGTH,
  MAX_FRAGMENTS,
} from "./packet_body.ts";
import { type ClientPacket, PacketMaker } from "./packet_maker.ts";
import { Replies } from "./replies.ts";
import { openReply, replyRoom, sealReply } from "./reply_body.ts";
import type { ReplySurb } from "./reply_surb.ts";
import {
  type GivenOut,
  progressOf,
  type Request,
  Requests,
} from "./requests.ts";
import { RoundTrip } from "./round_trip.ts";
import type { Instant } from "./route_source.ts";
import { SavedMessages } from "./saved_messages.ts";
import { seal, unseal } from "./seal.ts";
import { fragmentSurbs, split } from "./split.ts";
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
  readonly #maker: PacketMaker<Meaning>;
  readonly #book: SurbBook<Meaning>;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  readonly #requests: Requests;
  readonly #replies: Replies;
  readonly #loops: LoopTally;
  readonly #saved: SavedMessages;
  readonly #roundTrip: RoundTrip;
  /** Deadlines of requests, in monotonic milliseconds. */
  readonly #deadlines = new Map<string, number>();
  readonly #pings = new Set<string>();
  readonly #pingQueue: Bytes[] = [];
  readonly #drops = noClientDrops();
  #events: ClientEvent[] = [];
  #turn = 0;
  #realPackets = 0;
  #coverPackets = 0;

  /** Goes on where the store says that another left off at `at`. */
  constructor(options: ClientCoreOptions, at: Instant) {
    this.#options = options;
    const { limits, store, geometry, routes } = options;
    this.#book = new SurbBook(limits.maxSurbs);
    this.#maker = new PacketMaker({ ...options, book: this.#book });
    this.#outbox = new Outbox(limits.maxQueuedPackets);
    this.#inbox = new Inbox(store, this.#maker.bodyLength, limits.inbox);
    this.#requests = new Requests(limits.requests, limits.roundTrip);
    this.#replies = new Replies(
      limits.replies,
      replyRoom(geometry),
      (epoch, wallMs) => routes.usableUntilMs(epoch, wallMs),
    );
    this.#loops = new LoopTally(limits.maxLoops);
    this.#saved = new SavedMessages(store);
    this.#roundTrip = new RoundTrip(limits.roundTrip);
    for (const message of this.#inbox.restore(at)) this.#arrived(message, at);
    for (const { messageId, to, bytes, deadlineWallMs } of this.#saved.all()) {
      const leftMs = deadlineWallMs - at.wallMs;
      if (leftMs <= 0) this.#saved.delete(messageId);
      else this.#deliver(messageId, to, bytes, at.nowMs + leftMs);
    }
  }

  /** What happened so far. */
  get counts(): ClientCounts {
    const { demands, malformed } = this.#requests.counts;
    return {
      realPackets: this.#realPackets,
      coverPackets: this.#coverPackets,
      retransmissions: this.#outbox.retransmissions,
      queuedPackets: this.#outbox.size,
      heldBytes: this.#inbox.heldBytes + this.#requests.heldBytes +
        this.#replies.heldBytes,
      surbsGiven: this.#book.size,
      surbsEvicted: this.#book.evicted,
      overheadMs: this.#roundTrip.overheadMs,
      loops: this.#loops.counts,
      fragments: this.#inbox.counts,
      replies: this.#replies.counts,
      demands,
      malformedReplies: malformed,
      dropped: { ...this.#drops },
    };
  }

  /** Whether fragments of new messages are refused until {@link taken} makes room. */
  get isFull(): boolean {
    return this.#inbox.isFull;
  }

  /** Whether nothing waits to be sent or acknowledged. */
  get isIdle(): boolean {
    return this.#outbox.size === 0;
  }

  /** Whether `key` is of a request that has no reply yet. */
  isRequest(key: string): boolean {
    return this.#requests.get(key) !== undefined;
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
   * @throws {RangeError} If it is too long, or the address cannot be sealed to.
   */
  send(
    to: MixAddress,
    bytes: Bytes,
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
    const endMs = at.nowMs + deadlineMs;
    if (wantsReply && !this.#requests.hasRoom) {
      throw new MixClientError("queue_full");
    }
    const request = wantsReply
      ? this.#requests.add(key, messageId, to)
      : undefined;
    if (!this.#deliver(messageId, to, bytes, endMs, request)) {
      this.cancel(key);
      throw new MixClientError("queue_full");
    }
    if (request) {
      this.#deadlines.set(key, endMs);
      return key;
    }
    const deadlineWallMs = Math.ceil(at.wallMs + deadlineMs);
    try {
      this.#saved.set(messageId, { to, bytes, deadlineWallMs });
    } catch (error) {
      this.cancel(key);
      throw error;
    }
    return key;
  }

  /** Stops sending a message, and waiting for its reply. */
  cancel(key: string): void {
    this.#outbox.cancel(key);
    this.#endRequest(key);
    this.#pings.delete(key);
    if (isMessage(key)) this.#saved.delete(Uint8Array.fromHex(key));
  }

  /**
   * Replies to the message that came under `key`.
   *
   * @throws {MixClientError} `answered`, `expired` or `queue_full`.
   * @throws {RangeError} If it is too long.
   */
  reply(key: string, bytes: Bytes, at: Instant): void {
    const { maxReplyBytes } = this.#options.limits.requests;
    if (bytes.length > maxReplyBytes) {
      throw new RangeError(
        `A reply has at most ${maxReplyBytes} bytes: got ${bytes.length}`,
      );
    }
    const fault = this.#replies.reply(key, bytes, at);
    if (fault) throw new MixClientError(fault);
  }

  /** Queues a loop whose return is an event; gives its key. */
  ping(): string {
    const nonce = this.#options.crypto.random(16);
    this.#pings.add(nonce.toHex());
    this.#pingQueue.push(nonce);
    return nonce.toHex();
  }

  /** Notes that the application has taken a message. */
  taken(key: string, at: Instant): void {
    this.#inbox.taken(Uint8Array.fromHex(key), at);
  }

  /**
   * The packet to send now: a real one if there is any and `mayBeReal`, else a loop.
   *
   * @returns `undefined` if there is no route.
   */
  next(mayBeReal: boolean, at: Instant): ClientPacket | undefined {
    const real = mayBeReal ? this.#real(at) : undefined;
    if (real) this.#realPackets++;
    const packet = real ?? this.#loop(this.#options.crypto.random(16), at);
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
      case "demand":
        this.#demanded(body, at);
        return true;
      case "fragment": {
        const received = this.#inbox.accept(body, at);
        if (received === "refused") return false;
        if (received) this.#arrived(received, at);
        return true;
      }
    }
  }

  /** Lets time pass: call it at least every second or so. */
  tick(at: Instant): void {
    for (const key of this.#outbox.tick(at.nowMs)) this.#fail(key, "deadline");
    for (const [key, endMs] of this.#deadlines) {
      if (endMs <= at.nowMs) this.#fail(key, "deadline");
    }
    this.#requests.tick(at.nowMs);
    for (const key of this.#replies.tick(at.nowMs)) {
      this.#events.push({ kind: "failed", key, code: "expired" });
    }
    this.#inbox.tick(at);
    this.#loops.tick(at.nowMs);
    this.#book.tick(at.wallMs, isMoot);
  }

  #deliver(
    messageId: Bytes,
    to: MixAddress,
    bytes: Bytes,
    deadlineMs: number,
    request?: Request,
  ): boolean {
    const { bodyLength } = this.#maker;
    const surbs = request ? fragmentSurbs(bodyLength) : 0;
    const pieces = split(bytes.length, surbs, bodyLength);
    return this.#outbox.add({
      key: messageId.toHex(),
      to,
      count: pieces.length,
      deadlineMs,
      body: (index, at) => {
        const piece = pieces[index]!;
        const surbs = request && !request.done
          ? this.#surbsFor(request, piece.surbs, at)
          : [];
        if (!surbs) return undefined;
        return encodePacketBody(bodyLength, {
          kind: "fragment",
          messageId,
          index,
          count: pieces.length,
          surbs,
          bytes: bytes.subarray(piece.start, piece.end),
        });
      },
    });
  }

  #real(at: Instant): ClientPacket | undefined {
    const sources = [
      () => this.#forward(at),
      () => this.#reply(at),
      () => this.#demand(at),
      () => this.#ping(at),
    ];
    for (let i = 0; i < sources.length; i++) {
      const packet = sources[this.#turn++ % sources.length]!();
      if (packet) return packet;
    }
    return undefined;
  }

  #forward(at: Instant): ClientPacket | undefined {
    const item = this.#outbox.shift();
    if (!item) return undefined;
    const { delivery, index } = item;
    const body = delivery.body(index, at);
    const made = body && this.#maker.forward(
      delivery.to,
      body,
      at,
      (delaysMs) => ({ kind: "ack", item, sentMs: at.nowMs, delaysMs }),
    );
    if (!made) {
      this.#outbox.putBack(item);
      return undefined;
    }
    this.#outbox.sent(item, at.nowMs, made.delaysMs, this.#roundTrip);
    return made;
  }

  #reply(at: Instant): ClientPacket | undefined {
    const { crypto, geometry, address } = this.#options;
    for (;;) {
      const next = this.#replies.shift(at);
      if (!next) return undefined;
      const { surb, fragment } = next;
      const { packet, firstHop } = replyPacket(
        crypto,
        geometry,
        surb.surb,
        sealReply(crypto, geometry, surb.key, fragment),
      );
      if (equal(firstHop, address.gatewayId)) {
        return { epoch: surb.epoch, packet };
      }
      this.#drop("foreign_surb");
    }
  }

  #demand(at: Instant): ClientPacket | undefined {
    const { bodyLength } = this.#maker;
    const due = this.#requests.shift(demandRoom(bodyLength));
    if (!due) return undefined;
    const { request } = due;
    const surbs = this.#surbsFor(request, due.surbs, at);
    if (!surbs) return undefined;
    const body = encodePacketBody(bodyLength, {
      kind: "demand",
      messageId: request.messageId,
      ...progressOf(request),
      surbs,
    });
    this.#requests.sent(request);
    return this.#maker.forward(request.to, body, at, (delaysMs) => ({
      kind: "ack",
      item: undefined,
      sentMs: at.nowMs,
      delaysMs,
    }));
  }

  #ping(at: Instant): ClientPacket | undefined {
    const nonce = this.#pingQueue[0];
    const packet = nonce && this.#loop(nonce, at);
    if (packet) this.#pingQueue.shift();
    return packet;
  }

  #loop(nonce: Bytes, at: Instant): ClientPacket | undefined {
    const { address } = this.#options;
    const body = encodePacketBody(this.#maker.bodyLength, {
      kind: "loop",
      nonce,
    });
    const made = this.#maker.forward(address, body, at, (delaysMs) => ({
      kind: "ack",
      item: undefined,
      sentMs: at.nowMs,
      delaysMs,
    }));
    if (!made) return undefined;
    const lostMs = at.nowMs + 2 * this.#roundTrip.timeoutMs(made.delaysMs, 0);
    this.#loops.left(nonce, at.nowMs, made.thereMs, lostMs);
    return made;
  }

  #surbsFor(
    request: Request,
    count: number,
    at: Instant,
  ): ReplySurb[] | undefined {
    const surbs: ReplySurb[] = [];
    const given: GivenOut[] = [];
    for (let i = 0; i < count; i++) {
      const made = this.#maker.replySurb(request.to, at, (key, delaysMs) => ({
        kind: "reply",
        request,
        key,
        sentMs: at.nowMs,
        delaysMs,
      }));
      if (!made) return undefined;
      surbs.push(made.surb);
      given.push({ id: made.id, delaysMs: made.delaysMs });
    }
    this.#requests.gave(request, at.nowMs, given);
    return surbs;
  }

  #returned(identifier: Uint8Array, payload: Bytes, at: Instant): void {
    const { crypto } = this.#options;
    const given = this.#book.take(identifier);
    if (!given) return void this.#drop("unknown_surb");
    let message;
    try {
      message = recoverReply(crypto, given.recovery, payload);
    } catch (error) {
      if (!(error instanceof SphinxError)) throw error;
      return void this.#drop("malformed");
    }
    const { meaning } = given;
    const tookMs = at.nowMs - meaning.sentMs;
    if (meaning.kind === "ack") {
      this.#roundTrip.measure(tookMs, meaning.delaysMs);
      const key = meaning.item && this.#outbox.acknowledge(meaning.item);
      if (key !== undefined) this.#delivered(key, at);
      return;
    }
    const { request, key, delaysMs } = meaning;
    const fragment = openReply(crypto, key, message);
    if (!fragment) return void this.#drop("malformed");
    if (request.done) return void this.#drop("late_reply");
    const reply = this.#requests.accept(
      request,
      identifier.toHex(),
      fragment,
      at.nowMs,
      tookMs,
      delaysMs,
    );
    if (!reply) return;
    this.#deadlines.delete(request.key);
    this.#outbox.cancel(request.key);
    this.#events.push({ kind: "reply", key: request.key, bytes: reply });
    this.#announceEnd(request, at);
  }

  /** Tells the replier, until its gateway acknowledges, that the reply is here. */
  #announceEnd(request: Request, at: Instant): void {
    const { bodyLength } = this.#maker;
    const body = encodePacketBody(bodyLength, {
      kind: "demand",
      messageId: request.messageId,
      next: MAX_FRAGMENTS,
      later: new Uint8Array(LATER_LENGTH),
      surbs: [],
    });
    this.#outbox.add({
      key: `end of ${request.key}`,
      to: request.to,
      count: 1,
      deadlineMs: at.nowMs + DONE_MS,
      body: () => body,
    });
  }

  #delivered(key: string, at: Instant): void {
    const request = this.#requests.get(key);
    if (request) this.#requests.acknowledged(request, at.nowMs);
    if (isMessage(key)) {
      this.#saved.delete(Uint8Array.fromHex(key));
      this.#events.push({ kind: "sent", key });
    }
  }

  #arrived({ messageId, bytes, surbs }: Received, at: Instant): void {
    const key = messageId.toHex();
    const canReply = surbs.length > 0;
    if (canReply) {
      for (const late of this.#replies.offer(key, surbs, at)) {
        this.#events.push({ kind: "failed", key: late, code: "expired" });
      }
    }
    this.#events.push({ kind: "message", key, bytes, canReply });
  }

  #demanded(demand: Demand, at: Instant): void {
    const key = demand.messageId.toHex();
    if (this.#replies.demand(key, demand, at)) {
      this.#events.push({ kind: "replied", key });
    }
  }

  #looped(nonce: Bytes, at: Instant): void {
    const key = nonce.toHex();
    const tookMs = this.#loops.returned(nonce, at.nowMs);
    if (tookMs === undefined) return void this.#drop("unknown_loop");
    if (this.#pings.delete(key)) {
      this.#events.push({ kind: "pong", key, tookMs });
    }
  }

  #fail(key: string, code: "deadline"): void {
    this.cancel(key);
    if (isMessage(key)) this.#events.push({ kind: "failed", key, code });
  }

  #endRequest(key: string): void {
    this.#deadlines.delete(key);
    const request = this.#requests.get(key);
    if (request) this.#requests.end(request);
  }

  #drop(reason: ClientDrop): true {
    this.#drops[reason]++;
    return true;
  }
}

/** Whether `key` is of a message of the caller, and not of the end of a reply. */
function isMessage(key: string): boolean {
  return key.length === 32;
}

function isMoot(meaning: Meaning): boolean {
  return meaning.kind === "reply" && meaning.request.done;
}
