import { type Bytes, concat } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { SphinxError } from "../sphinx/error.ts";
import type { SphinxGeometry } from "../sphinx/geometry.ts";
import { createPacket } from "../sphinx/packet.ts";
import { createSurb, replyPacket } from "../sphinx/surb.ts";
import { encodeForwardContent, sealedLength } from "./forward_content.ts";
import type { MixAddress } from "./mix_address.ts";
import type { ReplySurb } from "./reply_surb.ts";
import type { Instant, RouteSource } from "./route_source.ts";
import { seal, SEAL_OVERHEAD } from "./seal.ts";
import type { GivenSurb, SurbBook } from "./surb_book.ts";

const NO_IDENTIFIER = new Uint8Array(16);

/**
 * What a packet may be, drawn before it is known what there is to send: a message or the like, which is acknowledged and so has a way
 * there and one back; a reply, which has one way; or a loop.
 */
export type Slot = "message" | "reply" | "loop";

/** A packet for our gateway. */
export interface ClientPacket {
  /** Of the keys it was built for, low 32 bits. */
  readonly epoch: number;
  /** The packet. */
  readonly packet: Bytes;
}

/** What {@link PacketMaker} needs. */
export interface PacketMakerOptions<T> {
  /** Cryptography. */
  readonly crypto: CryptoProvider;
  /** Sizes. */
  readonly geometry: SphinxGeometry;
  /** Ours. */
  readonly address: MixAddress;
  /** Routes. */
  readonly routes: RouteSource;
  /** Where SURBs that we give away are noted. */
  readonly book: SurbBook<T>;
}

/** Makes packets, each on fresh routes; all packets of a client are made here, so that they have one form. */
export class PacketMaker<T> {
  readonly #options: PacketMakerOptions<T>;

  /** Makes nothing yet. */
  constructor(options: PacketMakerOptions<T>) {
    this.#options = options;
  }

  /** Bytes of what is sealed into a forward packet. */
  get bodyLength(): number {
    return sealedLength(this.#options.geometry) - SEAL_OVERHEAD;
  }

  /**
   * A packet with `body` sealed to `to`, and an acknowledgement to come back that means `meaning`.
   *
   * @returns The packet, and the delays of both routes together and of the one there, in milliseconds; `undefined` if there is no route.
   */
  forward(
    to: MixAddress,
    body: Uint8Array,
    at: Instant,
    meaning: (delaysMs: number) => T,
  ):
    | (ClientPacket & { readonly delaysMs: number; readonly thereMs: number })
    | undefined {
    const { crypto, geometry, address, routes } = this.#options;
    const there = routes.route(at.wallMs, address.gatewayId, to.gatewayId);
    if (!there) return undefined;
    const delaysMs = (backMs: number) => there.delaysMs + backMs;
    try {
      const ack = this.#surb(to, at, (backMs) => meaning(delaysMs(backMs)));
      if (!ack) return undefined;
      const content = encodeForwardContent({
        ackEpoch: ack.epoch,
        ackSurb: ack.surb,
        sealed: seal(crypto, to.sealKey, body),
      });
      const packet = createPacket(crypto, geometry, {
        route: there.hops,
        destination: to.clientId,
        identifier: NO_IDENTIFIER,
      }, content);
      ack.give();
      return {
        epoch: there.epoch >>> 0,
        packet,
        delaysMs: delaysMs(ack.delaysMs),
        thereMs: there.delaysMs,
      };
    } catch (error) {
      if (error instanceof SphinxError) return undefined;
      throw error;
    }
  }

  /**
   * A packet from us to `destination` at a gateway, of the form of a reply: with a SURB's header, for which nobody waits.
   *
   * @returns `undefined` if there is no route.
   */
  onSurb(
    gatewayId: Uint8Array,
    destination: Uint8Array,
    identifier: Uint8Array,
    at: Instant,
  ): ClientPacket | undefined {
    const { crypto, geometry, address, routes } = this.#options;
    const there = routes.route(at.wallMs, address.gatewayId, gatewayId);
    if (!there) return undefined;
    try {
      const route = { route: there.hops, destination, identifier };
      const { surb } = createSurb(crypto, route);
      const message = new Uint8Array(geometry.messageLength);
      const { packet } = replyPacket(crypto, geometry, surb, message);
      return { epoch: there.epoch >>> 0, packet };
    } catch (error) {
      if (error instanceof SphinxError) return undefined;
      throw error;
    }
  }

  /**
   * A way back for whoever has address `from`; its reply means what `meaning` says of its key.
   *
   * @returns It, its id in hex and the delays of its route in milliseconds; `undefined` if there is no route.
   */
  replySurb(
    from: MixAddress,
    at: Instant,
    meaning: (key: Bytes, delaysMs: number) => T,
  ):
    | {
      readonly surb: ReplySurb;
      readonly id: string;
      readonly delaysMs: number;
    }
    | undefined {
    const key = this.#options.crypto.random(32);
    try {
      const made = this.#surb(from, at, (delaysMs) => meaning(key, delaysMs));
      if (!made) return undefined;
      made.give();
      const { epoch, surb, id, delaysMs } = made;
      return { surb: { epoch, surb, key }, id, delaysMs };
    } catch (error) {
      if (error instanceof SphinxError) return undefined;
      throw error;
    }
  }

  #surb(from: MixAddress, at: Instant, meaning: (delaysMs: number) => T) {
    const { crypto, address, routes, book } = this.#options;
    const back = routes.route(at.wallMs, from.gatewayId, address.gatewayId);
    if (!back) return undefined;
    const identifier = concat(Uint8Array.of(1), crypto.random(15));
    const { surb, recovery } = createSurb(crypto, {
      route: back.hops,
      destination: address.clientId,
      identifier,
    });
    const given: GivenSurb<T> = {
      recovery,
      expiresMs: routes.usableUntilMs(back.epoch >>> 0, at.wallMs),
      meaning: meaning(back.delaysMs),
    };
    return {
      epoch: back.epoch >>> 0,
      surb,
      id: identifier.toHex(),
      delaysMs: back.delaysMs,
      give: () => book.give(identifier, given),
    };
  }
}
