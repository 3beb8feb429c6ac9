import type { VirtualClock } from "../../../src/core/async/mod.ts";
import type { ClientLink } from "../../../src/mixnet/client/gateway_connection.ts";
import type { GatewayLink } from "../../../src/mixnet/gateway/gateway.ts";
import type { LinkFrame } from "../../../src/mixnet/link/link_frame.ts";

/** One end of a link between client and gateway, whose frames a test reads and gives as the other end. */
export class FakeLink implements GatewayLink, ClientLink {
  /** What was sent, and when. */
  readonly sent: { readonly atMs: number; readonly frame: LinkFrame }[] = [];
  isOpen = true;
  /** Batches that were asked for. */
  reads = 0;
  readonly stats = { received: 0 };
  readonly remoteStaticKey: Uint8Array;
  readonly #clock: VirtualClock;
  readonly #batches: (readonly LinkFrame[])[] = [];
  #wake: () => void = () => {};

  constructor(
    clock: VirtualClock,
    remoteStaticKey: Uint8Array = new Uint8Array(32),
  ) {
    this.#clock = clock;
    this.remoteStaticKey = remoteStaticKey;
  }

  /** The messages sent, by their sequence. */
  get sequences(): number[] {
    return this.sent.flatMap(({ frame }) =>
      frame.type === "message" ? [frame.sequence] : []
    );
  }

  send(frames: readonly LinkFrame[]): Promise<void> {
    if (!this.isOpen) return Promise.reject(new Error("The link is closed"));
    for (const frame of frames) {
      this.sent.push({ atMs: this.#clock.now(), frame });
    }
    return Promise.resolve();
  }

  /** Gives a batch. */
  give(...frames: LinkFrame[]): void {
    this.stats.received += frames.length;
    this.#batches.push(frames);
    this.#wake();
  }

  async *frames(): AsyncGenerator<readonly LinkFrame[], void> {
    while (this.isOpen) {
      this.reads++;
      const batch = this.#batches.shift();
      if (batch) yield batch;
      else await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  close(): void {
    this.isOpen = false;
    this.#wake();
  }
}
