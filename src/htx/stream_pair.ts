import type { Clock } from "../core/async/mod.ts";
import { giveBack } from "../core/bytes/mod.ts";
import type { CryptoProvider } from "../core/crypto/mod.ts";
import {
  ByteConnection,
  type Connection,
  TransportError,
} from "../core/transport/mod.ts";
import type {
  HeaderField,
  HeadersEvent,
  Http2Connection,
  Http2Event,
  Priority,
} from "../http2/mod.ts";
import { ReceiveQueue } from "./receive_queue.ts";
import { Shaper } from "./shaping.ts";

/** Longest DATA payload: with its header it fills a TLS record, as Chrome's do. */
export const MAX_DATA_BYTES = 16_384 - 9;

/** Bytes handed to HTTP/2 before they are written: as many as TLS seals at once. */
const WRITE_BYTES = 16 * MAX_DATA_BYTES;
/** What is left goes with them if it is no more than this: a batch of HTX is a little longer. */
const REST_BYTES = 1_024;
/** Most bytes that may wait because the peer does not read; beyond, it keeps us busy with frames that want an answer. */
const MAX_BACKLOG_BYTES = 524_288;
/** What a client may send at once; nginx too widens the window of a stream that has a body. */
const UPLINK_WINDOW_BYTES = 1 << 22;
const READ_BYTES = 262_144;
/** How long the peer may take to end its side of the connection below after both streams have ended. */
const LINGER_MS = 2_000;
const EMPTY = new Uint8Array(0);

/** What a {@link StreamPair} is made of. */
export interface StreamPairInit {
  /** What HTTP/2 runs over; the pair owns it. */
  readonly connection: Connection;
  /** Our end of HTTP/2, which has taken everything received so far. */
  readonly http2: Http2Connection;
  /** The stream whose response body is the downlink. */
  readonly downlink: number;
  /** Events that nobody has looked at. */
  readonly events?: readonly Http2Event[];
  /** Times PINGs. */
  readonly clock: Clock;
  /** Draws PINGs. */
  readonly crypto: CryptoProvider;
}

/**
 * A byte connection over two streams of HTTP/2: down in the body of a response, up in the body of a later request.
 *
 * The windows of HTTP/2 bound what the peer can make it hold. If a stream is reset, or HTTP/2 broken, so is the pair.
 */
abstract class StreamPair extends ByteConnection {
  /** Our end of what HTTP/2 runs over. */
  readonly localAddress: string;
  /** The peer's end of that. */
  readonly remoteAddress: string;
  protected readonly init: StreamPairInit;
  /** The stream we read, once there is one. */
  protected inbound = 0;
  /** The stream we write, once there is one. */
  protected outbound = 0;
  readonly #received = new ReceiveQueue();
  #inboundEnded = false;
  /** What is left of the buffer of a reader who waits; if any is, nothing else is kept. */
  #room: Uint8Array = EMPTY;
  #failure: unknown;
  #changed = Promise.withResolvers<void>();
  #flushing: Promise<void> | undefined;
  #pumping: Promise<void>;

  /** Takes over the reading and writing of the connection. */
  constructor(init: StreamPairInit) {
    super();
    this.init = init;
    this.localAddress = init.connection.localAddress;
    this.remoteAddress = init.connection.remoteAddress;
    this.#pumping = Promise.resolve();
  }

  /** Begins to read; once, when the fields of the subclass stand. */
  protected start(): void {
    this.#pumping = this.#pump();
  }

  /** Takes a header section that is not ours to know. */
  protected abstract takeHeaders(event: HeadersEvent): void;

  /** Tells a subclass that the inbound stream has ended. */
  protected inboundEnd(): void {}

  /** Waits until something has happened; throws if the connection broke. */
  protected async change(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    await this.#changed.promise;
    if (this.#failure !== undefined) throw this.#failure;
  }

  protected override async receive(buffer: Uint8Array): Promise<number | null> {
    const length = this.#received.read(buffer) || await this.#await(buffer);
    if (length === 0) return null;
    this.init.http2.consume(this.inbound, length);
    this.flushSoon();
    return length;
  }

  protected override async send(bytes: Uint8Array): Promise<void> {
    const { http2 } = this.init;
    for (let at = 0; at < bytes.length;) {
      if (this.#failure !== undefined) throw this.#failure;
      const isLast = bytes.length - at <= WRITE_BYTES + REST_BYTES;
      const part = bytes.subarray(at, isLast ? bytes.length : at + WRITE_BYTES);
      const sent = http2.send(this.outbound, part, {
        maxDataBytes: MAX_DATA_BYTES,
      });
      at += sent;
      if (sent > 0) await this.flush();
      else await this.change();
    }
  }

  protected override async sendEnd(): Promise<void> {
    this.init.http2.send(this.outbound, EMPTY, { endStream: true });
    await this.flush();
  }

  protected override async drop(cleanly: boolean): Promise<void> {
    this.#fail(new TransportError("closed", "The connection is closed"));
    const { connection, clock } = this.init;
    if (cleanly) {
      const cancel = clock.setTimeout(() => connection.close(), LINGER_MS);
      await connection.closeWrite().catch(() => connection.close());
      await this.#pumping;
      cancel();
    }
    connection.close();
    await this.#pumping;
  }

  /** Waits for data, which goes straight into `buffer` as far as that has room; gives 0 at the end. */
  async #await(buffer: Uint8Array): Promise<number> {
    this.#room = buffer;
    try {
      while (this.#room === buffer && !this.#inboundEnded) await this.change();
      return buffer.length - this.#room.length;
    } finally {
      this.#room = EMPTY;
    }
  }

  /** Writes all that HTTP/2 has to send. */
  protected flush(): Promise<void> {
    if (this.#flushing) return this.#flushing;
    if (this.init.http2.outgoingBytes === 0) return Promise.resolve();
    return this.#flushing = this.#writeOut();
  }

  /** As {@link flush}, and breaks the connection if that fails. */
  protected flushSoon(): void {
    if (this.init.http2.outgoingBytes > MAX_BACKLOG_BYTES) {
      this.breakWith(
        new TransportError("limit", "Peer does not read what it asks for"),
      );
    } else if (this.init.http2.outgoingBytes > 0) {
      this.flush().catch((error) => this.breakWith(error));
    }
  }

  async #writeOut(): Promise<void> {
    const { http2, connection } = this.init;
    try {
      for (;;) {
        const bytes = http2.takeOutgoing();
        if (!bytes) return;
        await connection.write(bytes);
        giveBack(bytes);
      }
    } finally {
      this.#flushing = undefined; // before anybody can add what would not be taken
    }
  }

  async #pump(): Promise<void> {
    const { connection, http2, clock } = this.init;
    const buffer = new Uint8Array(READ_BYTES);
    try {
      for (const event of this.init.events ?? []) this.#take(event);
      for (;;) {
        const length = await connection.read(buffer);
        if (length === null) break;
        const received = buffer.subarray(0, length);
        for (const event of http2.receive(received, clock.now())) {
          this.#take(event);
        }
        this.flushSoon();
        this.#notify();
      }
      const ended = broken("The connection ended");
      if (!this.#inboundEnded) throw ended;
      this.#fail(ended); // nobody grants a writer any more
    } catch (error) {
      if (this.#failure !== undefined) return;
      this.#fail(error);
      this.breakWith(error);
    }
  }

  #take(event: Http2Event): void {
    if (event.type === "data") this.#takeData(event);
    else if (event.type === "headers") {
      this.takeHeaders(event);
      if (event.streamId === this.inbound) this.#endInbound(event.endStream);
    } else if (event.type === "reset") {
      const ours = [this.inbound, this.outbound].includes(event.streamId);
      if (ours) throw broken("A stream was reset", event.error);
    } else if (event.type === "failed") {
      this.flushSoon();
      throw new TransportError("malformed", "Peer broke HTTP/2", {
        cause: event.error,
      });
    }
  }

  #takeData(
    { streamId, data, endStream }: Extract<Http2Event, { type: "data" }>,
  ): void {
    if (streamId !== this.inbound || this.#failure !== undefined) {
      return this.init.http2.consume(streamId, data.length);
    }
    const part = data.subarray(0, this.#room.length);
    if (part.length > 0) {
      this.#room.set(part);
      this.#room = this.#room.subarray(part.length);
    }
    const rest = data.subarray(part.length);
    if (rest.length > 0) this.#received.push(new Uint8Array(rest));
    this.#endInbound(endStream);
  }

  #endInbound(endStream: boolean): void {
    if (!endStream) return;
    this.#inboundEnded = true;
    this.inboundEnd();
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#notify();
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** The client's end: it has sent the request of the downlink, and opens the uplink once that is answered. */
export class ClientStreamPair extends StreamPair {
  readonly #shaper: Shaper;
  #answer: readonly HeaderField[] | undefined;
  #cancelPing: () => void = () => {};

  /** Starts to wait for the answer. */
  constructor(init: StreamPairInit) {
    super(init);
    this.inbound = init.downlink;
    this.#shaper = new Shaper(init.crypto, init.clock.now(), {
      idlePadding: false,
    });
    this.start();
  }

  /**
   * The fields that the request of the downlink was answered with.
   *
   * @throws {TransportError} If the connection breaks first.
   */
  async answer(): Promise<readonly HeaderField[]> {
    while (!this.#answer) await this.change();
    return this.#answer;
  }

  /**
   * Opens the uplink, and begins to send PINGs at random times.
   *
   * @throws {TransportError} `reset` if the server takes no other stream.
   */
  async openUplink(
    fields: readonly HeaderField[],
    { priority, frame = false }: { priority: Priority; frame?: boolean },
  ): Promise<void> {
    const { http2 } = this.init;
    try {
      this.outbound = http2.request(fields, { priority });
    } catch (cause) {
      throw broken("Server takes no other stream", cause);
    }
    if (frame) http2.prioritize(this.outbound, priority);
    await this.flush();
    this.#schedulePing();
  }

  protected override takeHeaders({ streamId, fields }: HeadersEvent): void {
    const final = !/^1/.test(new Map(fields).get(":status")!);
    if (streamId === this.inbound && final) this.#answer ??= fields;
  }

  protected override drop(cleanly: boolean): Promise<void> {
    this.#cancelPing();
    return super.drop(cleanly);
  }

  #schedulePing(): void {
    const { clock, crypto, http2 } = this.init;
    this.#cancelPing = clock.setTimeout(() => {
      if (this.#shaper.pingDue(clock.now())) http2.ping(crypto.random(8));
      this.flushSoon();
      this.#schedulePing();
    }, this.#shaper.dueAtMs - clock.now());
  }
}

/** The server's end: it has answered the request of the downlink, and takes the first POST behind it for the uplink. */
export class ServerStreamPair extends StreamPair {
  /** Starts to wait for the uplink. */
  constructor(init: StreamPairInit) {
    super(init);
    this.outbound = init.downlink;
    this.start();
  }

  protected override takeHeaders({ streamId, fields }: HeadersEvent): void {
    if (streamId === this.inbound) return;
    const post = new Map(fields).get(":method") === "POST";
    if (this.inbound === 0 && post) {
      this.inbound = streamId;
      this.init.http2.widen(streamId, UPLINK_WINDOW_BYTES);
    } else this.init.http2.reset(streamId, "refusedStream");
  }

  protected override inboundEnd(): void {
    this.init.http2.respond(this.inbound, [[":status", "204"]], {
      endStream: true,
    });
    this.flushSoon();
  }
}

function broken(message: string, cause?: unknown): TransportError {
  return new TransportError("reset", message, { cause });
}
