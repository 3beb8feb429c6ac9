import { delay, systemClock } from "../src/core/async/mod.ts";
import type { CryptoProvider } from "../src/core/crypto/mod.ts";
import { dialTcp } from "../src/core/transport/mod.ts";
import {
  acceptLink,
  dialLink,
  type LinkFrame,
  type MixLink,
} from "../src/mixnet/mod.ts";
import type { BenchNetwork } from "./_mixnode_network.ts";
import type { PreparedPackets } from "./_mixnode_packets.ts";

const PATIENCE_MS = 15_000;

/** The nodes before and behind the one that is measured: sends it prepared packets, and checks every one that comes out. */
export class Load implements AsyncDisposable {
  /** When each packet was sent and came back, in monotonic milliseconds; 0: not yet. */
  readonly sentMs: Float64Array;
  readonly arrivedMs: Float64Array;
  readonly #packets: PreparedPackets;
  readonly #epoch: number;
  readonly #crypto: CryptoProvider;
  readonly #link: MixLink;
  readonly #sink: Promise<void>;
  readonly #stop: () => void;
  #sent = 0;
  #arrived = 0;
  #failure: Error | undefined;

  private constructor(
    crypto: CryptoProvider,
    network: BenchNetwork,
    packets: PreparedPackets,
    link: MixLink,
  ) {
    this.#crypto = crypto;
    this.#packets = packets;
    this.#epoch = network.epoch;
    this.#link = link;
    this.sentMs = new Float64Array(packets.count);
    this.arrivedMs = new Float64Array(packets.count);
    this.#sink = this.#acceptAll(network);
    this.#stop = () => network.sinkListener.close();
  }

  /** Dials the node, and listens for what it sends on. */
  static async start(
    crypto: CryptoProvider,
    network: BenchNetwork,
    packets: PreparedPackets,
  ): Promise<Load> {
    const connection = await dialTcp(network.nodeAddress);
    const link = await dialLink(connection, {
      ...linkOptions(crypto, network),
      staticKeyPair: network.loadLinkKeyPair,
      remoteStaticKey: network.nodeLinkKey,
      idleTimeoutMs: Infinity,
    });
    return new Load(crypto, network, packets, link);
  }

  /** Packets sent so far; those are the first of the prepared ones. */
  get sent(): number {
    return this.#sent;
  }

  /** Packets that came out of the node. */
  get arrived(): number {
    return this.#arrived;
  }

  /** Sends as fast as the node takes packets until `endMs` on the monotonic clock, or until `spare` are left. */
  async flood(endMs: number, spare: number): Promise<void> {
    while (systemClock.now() < endMs && this.#left > spare) {
      await this.#send(Math.min(this.#left, this.#link.maxBatchFrames));
    }
  }

  /** Sends packets as a Poisson process until `endMs`, or until none are left. */
  async pace(perSecond: number, endMs: number): Promise<void> {
    let nextMs = systemClock.now();
    for (let now = nextMs; now < endMs && this.#left > 0;) {
      let due = 0;
      while (nextMs <= now) {
        nextMs -= Math.log1p(-Math.random()) * 1_000 / perSecond;
        due++;
      }
      if (due > 0) await this.#send(Math.min(this.#left, due));
      await delay(systemClock, Math.max(0, nextMs - systemClock.now()));
      now = systemClock.now();
    }
  }

  /** Waits until every packet that was sent has come back, but no longer than 15 s for the next one. */
  async settle(): Promise<void> {
    let [seen, sinceMs] = [this.#arrived, systemClock.now()];
    while (this.#arrived < this.#sent) {
      if (this.#failure) throw this.#failure;
      await delay(systemClock, 50);
      if (this.#arrived > seen) sinceMs = systemClock.now();
      else if (systemClock.now() - sinceMs > PATIENCE_MS) {
        throw new Error(
          `${this.#sent - this.#arrived} packets of ${this.#sent} are lost`,
        );
      }
      seen = this.#arrived;
    }
    if (this.#failure) throw this.#failure;
  }

  /** Ends the links. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop();
    await this.#link[Symbol.asyncDispose]();
    await this.#sink;
  }

  get #left(): number {
    return this.#packets.count - this.#sent;
  }

  async #send(count: number): Promise<void> {
    if (this.#failure) throw this.#failure;
    const epoch = this.#epoch;
    const frames: LinkFrame[] = [];
    const now = systemClock.now();
    for (; count > 0; count--) {
      const packet = this.#packets.packet(this.#sent);
      this.sentMs[this.#sent++] = now;
      frames.push({ type: "packet", epoch, packet });
    }
    await this.#link.send(frames);
  }

  async #acceptAll(network: BenchNetwork): Promise<void> {
    const links: Promise<void>[] = [];
    for await (const connection of network.sinkListener) {
      links.push(
        acceptLink(connection, {
          ...linkOptions(this.#crypto, network),
          staticKeyPair: network.sinkLinkKeyPair,
        }).then((link) => this.#takeAll(link)),
      );
    }
    await Promise.all(links);
  }

  async #takeAll(link: MixLink): Promise<void> {
    for await (const frames of link.frames()) {
      const now = systemClock.now();
      for (const frame of frames) {
        try {
          this.#take(frame, now);
        } catch (error) {
          this.#failure = error as Error;
        }
      }
    }
  }

  #take(frame: LinkFrame, now: number): void {
    if (frame.type !== "packet" || frame.epoch !== this.#epoch) {
      throw new Error("The node sent something else than packets of the epoch");
    }
    const digest = this.#crypto.hash("sha256", frame.packet);
    const number = this.#packets.numberOf(digest);
    if (number === undefined) throw new Error("A packet came out wrong");
    if (this.sentMs[number] === 0) throw new Error("A packet was not sent yet");
    if (this.arrivedMs[number] !== 0) throw new Error("A packet came twice");
    this.arrivedMs[number] = now;
    this.#arrived++;
  }
}

function linkOptions(
  crypto: CryptoProvider,
  { parameters }: BenchNetwork,
) {
  const { network, payloadLength } = parameters;
  return { crypto, network, packetLength: 348 + payloadLength };
}
