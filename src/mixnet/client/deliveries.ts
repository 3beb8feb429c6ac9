import type { Bytes } from "../../core/bytes/mod.ts";
import type { Store } from "../../core/storage/mod.ts";
import type { Meaning } from "./client_core_options.ts";
import { MixClientError } from "./error.ts";
import type { MixAddress } from "./mix_address.ts";
import { type LateDelivery, Outbox, type OutboxItem } from "./outbox.ts";
import { encodePacketBody } from "./packet_body.ts";
import type { ClientPacket, PacketMaker } from "./packet_maker.ts";
import type { ReplySurb } from "./reply_surb.ts";
import type { RoundTrip } from "./round_trip.ts";
import type { Instant } from "./route_source.ts";
import { SavedMessages } from "./saved_messages.ts";
import { fragmentSurbs, split } from "./split.ts";

/** How many deliveries may have no route before a packet is cover instead. */
const MAX_TRIES = 4;
/** Begins the keys of {@link Deliveries.announce}. */
const ANNOUNCEMENT = "end of ";

/** Parts of {@link Deliveries}. */
export interface DeliveriesOptions {
  /** Makes the packets. */
  readonly maker: PacketMaker<Meaning>;
  /** Says when a packet counts as lost. */
  readonly roundTrip: RoundTrip;
  /** Keeps what is to go on after a restart. */
  readonly store: Store;
  /** Most packets that wait to be sent or acknowledged. */
  readonly maxQueuedPackets: number;
}

/** A message to be delivered. */
export interface OutgoingMessage {
  /** 16 bytes, by which the recipient knows copies. */
  readonly messageId: Bytes;
  /** Where it goes. */
  readonly to: MixAddress;
  /** What it says. */
  readonly bytes: Bytes;
  /** When to give up, in monotonic milliseconds. */
  readonly deadlineMs: number;
  /** Fresh ways back to enclose, made for each attempt: none if it asks for no reply; `undefined` while there is no route. */
  readonly waysBack?: (count: number, at: Instant) =>
    | readonly ReplySurb[]
    | undefined;
}

/** Messages on their way, cut into fragments that are sent until each is acknowledged. */
export class Deliveries {
  readonly #options: DeliveriesOptions;
  readonly #outbox: Outbox;
  readonly #saved: SavedMessages;
  readonly #savedKeys = new Set<string>();

  /** Goes on with what the store holds at `at`. */
  constructor(options: DeliveriesOptions, at: Instant) {
    this.#options = options;
    this.#outbox = new Outbox(options.maxQueuedPackets);
    this.#saved = new SavedMessages(options.store);
    for (const { messageId, to, bytes, deadlineWallMs } of this.#saved.all()) {
      const leftMs = deadlineWallMs - at.wallMs;
      this.#savedKeys.add(messageId.toHex());
      if (leftMs <= 0) this.#forget(messageId.toHex());
      else this.#add({ messageId, to, bytes, deadlineMs: at.nowMs + leftMs });
    }
  }

  /** Packets that wait to be sent or acknowledged. */
  get size(): number {
    return this.#outbox.size;
  }

  /** Packets that were sent again so far. */
  get retransmissions(): number {
    return this.#outbox.retransmissions;
  }

  /**
   * Begins to deliver a message, and saves it unless it asks for a reply: nobody would wait for that after a restart.
   *
   * @throws {MixClientError} `queue_full`.
   * @throws {RangeError} If it is too long.
   */
  send(message: OutgoingMessage, at: Instant): void {
    const { messageId, to, bytes, deadlineMs, waysBack } = message;
    if (!this.#add(message)) throw new MixClientError("queue_full");
    if (waysBack) return;
    const deadlineWallMs = Math.ceil(at.wallMs + deadlineMs - at.nowMs);
    try {
      this.#saved.set(messageId, { to, bytes, deadlineWallMs });
    } catch (error) {
      this.#outbox.cancel(messageId.toHex());
      throw error;
    }
    this.#savedKeys.add(messageId.toHex());
  }

  /** Delivers a body that is no part of a message, if there is room; nobody is told what becomes of it. */
  announce(key: string, to: MixAddress, body: Bytes, deadlineMs: number): void {
    this.#outbox.add({
      key: ANNOUNCEMENT + key,
      to,
      count: 1,
      deadlineMs,
      body: () => body,
    });
  }

  /** Stops delivering a message. */
  cancel(key: string): void {
    this.#outbox.cancel(key);
    this.#forget(key);
  }

  /** The next packet; `undefined` if none waits, or those whose turn it is have no route. */
  next(at: Instant): ClientPacket | undefined {
    const tries = Math.min(MAX_TRIES, this.#outbox.readyCount);
    for (let i = 0; i < tries; i++) {
      const item = this.#outbox.shift()!;
      const made = this.#make(item, at);
      if (made) return made;
      this.#outbox.putBack(item);
    }
    return undefined;
  }

  /** Notes an acknowledgement; the key of the message if it was the last. */
  acknowledge(item: OutboxItem): string | undefined {
    const key = this.#outbox.acknowledge(item);
    if (key === undefined || key.startsWith(ANNOUNCEMENT)) return undefined;
    this.#forget(key);
    return key;
  }

  /** Lets time pass: the messages that are given up. */
  tick(nowMs: number): LateDelivery[] {
    const late = this.#outbox.tick(nowMs);
    for (const { key } of late) this.#forget(key);
    return late.filter(({ key }) => !key.startsWith(ANNOUNCEMENT));
  }

  #add({ messageId, to, bytes, deadlineMs, waysBack }: OutgoingMessage) {
    const { bodyLength } = this.#options.maker;
    const surbCount = waysBack ? fragmentSurbs(bodyLength) : 0;
    const pieces = split(bytes.length, surbCount, bodyLength);
    return this.#outbox.add({
      key: messageId.toHex(),
      to,
      count: pieces.length,
      deadlineMs,
      body: (index, at) => {
        const piece = pieces[index]!;
        const surbs = waysBack ? waysBack(piece.surbs, at) : [];
        return surbs && encodePacketBody(bodyLength, {
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

  #make(item: OutboxItem, at: Instant): ClientPacket | undefined {
    const { maker, roundTrip } = this.#options;
    const { delivery, index } = item;
    const body = delivery.body(index, at);
    const made = body && maker.forward(delivery.to, body, at, (delaysMs) => ({
      kind: "ack",
      item,
      sentMs: at.nowMs,
      delaysMs,
    }));
    if (made) this.#outbox.sent(item, at.nowMs, made.delaysMs, roundTrip);
    return made;
  }

  #forget(key: string): void {
    if (this.#savedKeys.delete(key)) {
      this.#saved.delete(Uint8Array.fromHex(key));
    }
  }
}
