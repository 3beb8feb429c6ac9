import {
  type Connection,
  encodeRequestHead,
} from "../../core/transport/mod.ts";
import {
  ConnectionContact,
  type ConnectionContactOptions,
} from "../cla/connection_contact.ts";
import { ContactError } from "../cla/contact_error.ts";
import { type Batch, Outbox } from "../cla/outbox.ts";
import type { Outgoing } from "../cla/outgoing.ts";
import { AnswerDecoder, type PushAnswer } from "./answer_decoder.ts";
import type { PushPlace } from "./push_place.ts";
import { refusalOf } from "./push_status.ts";

/** Options of {@link PushingContact}. */
export interface PushingContactOptions
  extends ConnectionContactOptions, Pick<PushPlace, "host" | "path"> {
  /** Most bytes of a bundle. */
  readonly maxBundleBytes: number;
}

/**
 * Pushes bundles over one connection, each as a request, acknowledged by status 200. They follow each other without waiting for
 * answers (RFC 9112 §9.3.2): a bundle whose answer is lost may be sent again, as nodes know those that they have.
 */
export class PushingContact extends ConnectionContact {
  /** Absent: HTTP push has no such thing. */
  readonly peerNodeId = undefined;
  /** As {@link Contact.maxBundleBytes}: what we take ourselves. */
  readonly maxBundleBytes: number;
  readonly #place: Pick<PushPlace, "host" | "path">;
  readonly #decoder = new AnswerDecoder();
  readonly #outbox = new Outbox();
  /** Written, at least in part, and not answered, in order. */
  readonly #asked: Outgoing[] = [];

  /** Takes over `connection`. */
  constructor(connection: Connection, options: PushingContactOptions) {
    super(connection, options);
    this.maxBundleBytes = options.maxBundleBytes;
    this.#place = options;
  }

  /** Bundles never come, so there is always room for answers. */
  protected override async roomToRead(): Promise<void> {}

  protected override take(bytes: Uint8Array): void {
    for (const answer of this.#decoder.decode(bytes)) this.#settle(answer);
  }

  protected override peerEnded(): void {
    throw new ContactError("disconnected", "The peer has ended");
  }

  protected override queue(outgoing: Outgoing): () => boolean {
    return this.#outbox.add(outgoing);
  }

  protected override writeNext(): Promise<void> | undefined {
    const batch = this.#outbox.next((bundle) => this.#head(bundle));
    return batch && this.#write(batch);
  }

  protected override get isOwed(): boolean {
    return this.#asked.length > 0;
  }

  protected override get hasSaidAll(): boolean {
    return this.isEnding && !this.isOwed;
  }

  protected override letGo(): void {
    this.#outbox.clear();
    this.#asked.length = 0;
  }

  async #write({ bundles, chunks }: Batch): Promise<void> {
    this.#asked.push(...bundles);
    for (const chunk of chunks) await this.write(chunk);
  }

  #settle({ status, isLast }: PushAnswer): void {
    const outgoing = this.#asked.shift();
    if (!outgoing) {
      throw new ContactError("violation", "An answer that nobody asked for");
    }
    const reason = refusalOf(status);
    outgoing.resolve(
      reason ? { kind: "refused", reason } : { kind: "acknowledged" },
    );
    this.progress();
    this.writer.wake();
    if (isLast) {
      throw new ContactError("disconnected", "The peer ends the connection");
    }
  }

  #head({ length }: Uint8Array): Uint8Array {
    const { host, path } = this.#place;
    return encodeRequestHead({
      method: "POST",
      target: path,
      fields: [
        ["Host", host],
        ["Content-Type", "application/cbor"],
        ["Content-Length", `${length}`],
      ],
    });
  }
}
