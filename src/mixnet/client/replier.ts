import { equal } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import type { Store } from "../../core/storage/mod.ts";
import type { SphinxGeometry } from "../sphinx/geometry.ts";
import { replyPacket } from "../sphinx/surb.ts";
import type { MixAddress } from "./mix_address.ts";
import type { ClientPacket } from "./packet_maker.ts";
import { Replies, type ReplyLimits } from "./replies.ts";
import { replyRoom, sealReply } from "./reply_body.ts";
import type { Instant, RouteSource } from "./route_source.ts";

/** Parts of {@link Replier}. */
export interface ReplierOptions {
  /** Seals replies. */
  readonly crypto: CryptoProvider;
  /** Sizes. */
  readonly geometry: SphinxGeometry;
  /** Ours. */
  readonly address: MixAddress;
  /** Says how long SURBs can be used. */
  readonly routes: RouteSource;
  /** Keeps replies. */
  readonly store: Store;
  /** Bounds. */
  readonly limits: ReplyLimits;
}

/** {@link Replies} and their packets. */
export class Replier {
  /** What there is to send. */
  readonly replies: Replies;
  readonly #options: ReplierOptions;
  #foreign = 0;

  /** Takes what the store holds at `at`. */
  constructor(options: ReplierOptions, at: Instant) {
    this.#options = options;
    const { geometry, limits, store, routes } = options;
    this.replies = new Replies({
      limits,
      store,
      roomPerPacket: replyRoom(geometry),
      usableUntilMs: (epoch, wallMs) => routes.usableUntilMs(epoch, wallMs),
    }, at);
  }

  /** Ways back that did not begin at our gateway, and were not used: it would not mix the packet. */
  get foreignSurbs(): number {
    return this.#foreign;
  }

  /** The next packet. */
  next(at: Instant): ClientPacket | undefined {
    const { crypto, geometry, address } = this.#options;
    for (;;) {
      const next = this.replies.shift(at);
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
      this.#foreign++;
    }
  }
}
