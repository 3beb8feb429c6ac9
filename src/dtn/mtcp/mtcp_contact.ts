import type { Clock } from "../../core/async/mod.ts";
import type { Connection } from "../../core/transport/mod.ts";
import {
  ConnectionContact,
  type ConnectionContactOptions,
} from "../cla/connection_contact.ts";
import { ContactError } from "../cla/contact_error.ts";
import { type Batch, Outbox } from "../cla/outbox.ts";
import type { Outgoing } from "../cla/outgoing.ts";
import {
  MtcpDecoder,
  type MtcpDecoderOptions,
  mtcpHead,
} from "./mtcp_decoder.ts";

/** Options of {@link MtcpContact}. */
export interface MtcpContactOptions
  extends ConnectionContactOptions, MtcpDecoderOptions {}

/** A contact of MTCP: bundles back to back on a connection, handed over once the connection took them. */
export class MtcpContact extends ConnectionContact {
  /** Absent: MTCP has no such thing. */
  readonly peerNodeId = undefined;
  /** As {@link Contact.maxBundleBytes}: what we take ourselves. */
  readonly maxBundleBytes: number;
  readonly #decoder: MtcpDecoder;
  readonly #outbox = new Outbox();
  readonly #clock: Clock;
  #movedMs: number;

  /** Takes over `connection`. */
  constructor(connection: Connection, options: MtcpContactOptions) {
    super(connection, options);
    this.maxBundleBytes = options.maxBundleBytes;
    this.#decoder = new MtcpDecoder(options);
    this.#clock = options.clock;
    this.#movedMs = options.clock.now();
  }

  /** When bytes last went either way, by the clock. */
  get movedMs(): number {
    return this.#movedMs;
  }

  protected override get isReceiving(): boolean {
    return this.#decoder.isInside;
  }

  protected override take(bytes: Uint8Array): void {
    this.#movedMs = this.#clock.now();
    for (const bundle of this.#decoder.decode(bytes)) {
      this.deliver(bundle.bytes, this.hold(bundle.free));
    }
  }

  protected override peerEnded(): void {
    if (this.#decoder.isInside) {
      throw new ContactError("disconnected", "The peer ended in a bundle");
    }
    this.beginEnding();
  }

  protected override queue(outgoing: Outgoing): () => boolean {
    return this.#outbox.add(outgoing);
  }

  protected override writeNext(): Promise<void> | undefined {
    const batch = this.#outbox.next(({ length }) => mtcpHead(length));
    return batch && this.#write(batch);
  }

  protected override get hasSaidAll(): boolean {
    return this.isEnding;
  }

  protected override letGo(): void {
    this.#outbox.clear();
    this.#decoder.close();
  }

  async #write({ bundles, chunks }: Batch): Promise<void> {
    for (const chunk of chunks) await this.write(chunk);
    this.#movedMs = this.#clock.now();
    for (const { resolve } of bundles) resolve({ kind: "handedOver" });
  }
}
