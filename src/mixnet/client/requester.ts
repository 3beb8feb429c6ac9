import type { Bytes } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import type { Meaning } from "./client_core_options.ts";
import { MixClientError } from "./error.ts";
import type { MixAddress } from "./mix_address.ts";
import { demandRoom, encodePacketBody } from "./packet_body.ts";
import type { ClientPacket, PacketMaker } from "./packet_maker.ts";
import { openReply } from "./reply_body.ts";
import type { ReplySurb } from "./reply_surb.ts";
import {
  type GivenOut,
  progressOf,
  type Request,
  type RequestLimits,
  Requests,
} from "./requests.ts";
import type { RoundTripOptions } from "./round_trip.ts";
import type { Instant } from "./route_source.ts";

/** Parts of {@link Requester}. */
export interface RequesterOptions {
  /** Opens replies. */
  readonly crypto: CryptoProvider;
  /** Makes packets and SURBs. */
  readonly maker: PacketMaker<Meaning>;
  /** Bounds. */
  readonly limits: RequestLimits;
  /** Bytes of a reply in one packet. */
  readonly roomPerPacket: number;
  /** Times beyond the delays of routes. */
  readonly roundTrip: RoundTripOptions;
}

/** A reply that is whole. */
export interface WholeReply {
  /** Which request it ends. */
  readonly request: Request;
  /** What it says. */
  readonly bytes: Bytes;
}

/** Requests and their packets: gives SURBs away, asks for what is missing, and puts replies together. */
export class Requester {
  readonly #options: RequesterOptions;
  readonly #requests: Requests;
  /** In monotonic milliseconds. */
  readonly #deadlines = new Map<string, number>();

  /** None yet. */
  constructor(options: RequesterOptions) {
    this.#options = options;
    const { limits, roomPerPacket, roundTrip } = options;
    this.#requests = new Requests(limits, roomPerPacket, roundTrip);
  }

  /** What happened so far: see {@link Requests.counts}. */
  get counts(): Requests["counts"] {
    return this.#requests.counts;
  }

  /** Bytes of replies held. */
  get heldBytes(): number {
    return this.#requests.heldBytes;
  }

  /**
   * Begins to wait for the reply to a message.
   *
   * @throws {MixClientError} `queue_full`.
   */
  begin(messageId: Bytes, to: MixAddress, deadlineMs: number): Request {
    if (!this.#requests.hasRoom) throw new MixClientError("queue_full");
    const key = messageId.toHex();
    this.#deadlines.set(key, deadlineMs);
    return this.#requests.add(key, messageId, to);
  }

  /** Stops waiting. */
  end(key: string): void {
    this.#deadlines.delete(key);
    const request = this.#requests.get(key);
    if (request) this.#requests.end(request);
  }

  /** Notes that a message is in the replier's mailbox; `false` if it is no request that waits for its reply. */
  acknowledged(key: string, nowMs: number): boolean {
    const request = this.#requests.get(key);
    if (!request) return false;
    this.#requests.acknowledged(request, nowMs);
    return true;
  }

  /** `count` fresh ways back; none once the request has ended, `undefined` if there is no route. */
  waysBack(
    request: Request,
    count: number,
    at: Instant,
  ): ReplySurb[] | undefined {
    const surbs: ReplySurb[] = [];
    const given: GivenOut[] = [];
    if (request.done) return surbs;
    const { maker } = this.#options;
    for (let i = 0; i < count; i++) {
      const made = maker.replySurb(request.to, at, (key, delaysMs) => ({
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

  /** The packet of a demand that is due. */
  next(at: Instant): ClientPacket | undefined {
    const { maker } = this.#options;
    const due = this.#requests.shift(demandRoom(maker.bodyLength));
    if (!due) return undefined;
    const { request } = due;
    const surbs = this.waysBack(request, due.surbs, at);
    if (!surbs) return undefined;
    const body = encodePacketBody(maker.bodyLength, {
      kind: "demand",
      messageId: request.messageId,
      ...progressOf(request),
      surbs,
    });
    this.#requests.sent(request);
    return maker.forward(request.to, body, at, (delaysMs) => ({
      kind: "ack",
      item: undefined,
      sentMs: at.nowMs,
      delaysMs,
    }));
  }

  /** Takes what a SURB brought back: a reply that is whole now, or why it was dropped. */
  returned(
    { request, key, sentMs, delaysMs }: Extract<Meaning, { kind: "reply" }>,
    surbId: string,
    message: Bytes,
    at: Instant,
  ): WholeReply | "malformed" | "late_reply" | undefined {
    const fragment = openReply(this.#options.crypto, key, message);
    if (!fragment) return "malformed";
    if (request.done) return "late_reply";
    const bytes = this.#requests.accept(
      request,
      surbId,
      fragment,
      at.nowMs,
      at.nowMs - sentMs,
      delaysMs,
    );
    if (!bytes) return undefined;
    this.#deadlines.delete(request.key);
    return { request, bytes };
  }

  /** Lets time pass: the keys of requests whose deadline is over. */
  tick(nowMs: number): string[] {
    this.#requests.tick(nowMs);
    return [...this.#deadlines].filter(([, endMs]) => endMs <= nowMs)
      .map(([key]) => key);
  }
}
