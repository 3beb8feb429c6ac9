import { type Bytes, concat } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { type Random, secureRandom } from "../node/draw.ts";
import type { Meaning } from "./client_core_options.ts";
import { NOBODY } from "./forward_content.ts";
import type { MixAddress } from "./mix_address.ts";
import { encodePacketBody } from "./packet_body.ts";
import type { ClientPacket, PacketMaker } from "./packet_maker.ts";
import type { Instant, RouteSource } from "./route_source.ts";

/** Parts of {@link Cover}. */
export interface CoverOptions {
  /** Draws gateways. */
  readonly crypto: CryptoProvider;
  /** Ours. */
  readonly address: MixAddress;
  /** Knows the gateways. */
  readonly routes: RouteSource;
  /** Makes the packets. */
  readonly maker: PacketMaker<Meaning>;
}

/**
 * Packets for nobody, in place of messages and replies while there are none: they end at a gateway drawn by chance, which drops them.
 *
 * Cover to ourselves would come back to our own gateway, and messages do not: the flows between nodes would tell who talks across
 * gateways, and our mailbox would fill more slowly while we do.
 */
export class Cover {
  readonly #options: CoverOptions;
  readonly #random: Random;

  /** Made none yet. */
  constructor(options: CoverOptions) {
    this.#options = options;
    this.#random = secureRandom(options.crypto);
  }

  /** A packet like one of a message: it is acknowledged. */
  message(at: Instant): ClientPacket | undefined {
    const { crypto, address, maker } = this.#options;
    const gatewayId = this.#gateway(at);
    if (!gatewayId) return undefined;
    const body = encodePacketBody(maker.bodyLength, {
      kind: "loop",
      nonce: crypto.random(16),
    });
    const to = { ...address, gatewayId, clientId: NOBODY };
    return maker.forward(to, body, at, (delaysMs) => ({
      kind: "ack",
      item: undefined,
      sentMs: at.nowMs,
      delaysMs,
    }));
  }

  /** A packet like one of a reply: it takes its way by a SURB, and is not acknowledged. */
  reply(at: Instant): ClientPacket | undefined {
    const { crypto, maker } = this.#options;
    const gatewayId = this.#gateway(at);
    const identifier = concat(Uint8Array.of(1), crypto.random(15));
    return gatewayId && maker.onSurb(gatewayId, NOBODY, identifier, at);
  }

  #gateway({ wallMs }: Instant): Bytes | undefined {
    const gateways = this.#options.routes.gateways(wallMs);
    const id = gateways[Math.floor(this.#random() * gateways.length)];
    return id && new Uint8Array(id);
  }
}
