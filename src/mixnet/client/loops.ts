import type { Bytes } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import type { Meaning } from "./client_core_options.ts";
import { MixClientError } from "./error.ts";
import { type LoopCounts, LoopTally } from "./loop_tally.ts";
import type { MixAddress } from "./mix_address.ts";
import { encodePacketBody } from "./packet_body.ts";
import type { ClientPacket, PacketMaker } from "./packet_maker.ts";
import type { RoundTrip } from "./round_trip.ts";
import type { Instant } from "./route_source.ts";

/** Parts of {@link Loops}. */
export interface LoopsOptions {
  /** Draws nonces. */
  readonly crypto: CryptoProvider;
  /** Ours. */
  readonly address: MixAddress;
  /** Makes the packets. */
  readonly maker: PacketMaker<Meaning>;
  /** Says when a loop counts as lost. */
  readonly roundTrip: RoundTrip;
  /** Most loops on their way. */
  readonly maxLoops: number;
  /** Most pings that did not come back. */
  readonly maxPings: number;
}

/** Packets to ourselves, by which we see whether the network works, and pings: those whose return somebody waits for. */
export class Loops {
  readonly #options: LoopsOptions;
  readonly #tally: LoopTally;
  readonly #pings = new Map<string, { readonly nonce: Bytes; sent: boolean }>();

  /** None yet. */
  constructor(options: LoopsOptions) {
    this.#options = options;
    this.#tally = new LoopTally(options.maxLoops);
  }

  /** What became of them so far. */
  get counts(): LoopCounts {
    return this.#tally.counts;
  }

  /**
   * Begins a ping; gives its key, a nonce in hex.
   *
   * @throws {MixClientError} `queue_full` while too many have not come back.
   */
  ping(): string {
    const { crypto, maxPings } = this.#options;
    if (this.#pings.size >= maxPings) throw new MixClientError("queue_full");
    const nonce = crypto.random(16);
    this.#pings.set(nonce.toHex(), { nonce, sent: false });
    return nonce.toHex();
  }

  /** Forgets a ping. */
  cancel(key: string): void {
    this.#pings.delete(key);
  }

  /** The packet of a ping that waits to be sent. */
  nextPing(at: Instant): ClientPacket | undefined {
    for (const ping of this.#pings.values()) {
      if (ping.sent) continue;
      const packet = this.#make(ping.nonce, at);
      ping.sent = packet !== undefined;
      return packet;
    }
    return undefined;
  }

  /** A packet that nobody waits for; `undefined` if there is no route. */
  next(at: Instant): ClientPacket | undefined {
    return this.#make(this.#options.crypto.random(16), at);
  }

  /** Notes a loop that came: how long it took in milliseconds, and whether it was a ping; `undefined` if none is on its way. */
  returned(
    nonce: Bytes,
    nowMs: number,
  ): { readonly tookMs: number; readonly isPing: boolean } | undefined {
    const tookMs = this.#tally.returned(nonce, nowMs);
    if (tookMs === undefined) return undefined;
    return { tookMs, isPing: this.#pings.delete(nonce.toHex()) };
  }

  /** Counts the loops as lost whose time is over. */
  tick(nowMs: number): void {
    this.#tally.tick(nowMs);
  }

  #make(nonce: Bytes, at: Instant): ClientPacket | undefined {
    const { address, maker, roundTrip } = this.#options;
    const body = encodePacketBody(maker.bodyLength, { kind: "loop", nonce });
    const made = maker.forward(address, body, at, (delaysMs) => ({
      kind: "ack",
      item: undefined,
      sentMs: at.nowMs,
      delaysMs,
    }));
    if (!made) return undefined;
    const lostMs = at.nowMs + 2 * roundTrip.timeoutMs(made.delaysMs, 0);
    this.#tally.left(nonce, at.nowMs, made.thereMs, lostMs);
    return made;
  }
}
