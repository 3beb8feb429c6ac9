import { Deadline, systemClock } from "../async/mod.ts";
import { type Bytes, DecodeError } from "../bytes/mod.ts";
import { ByteConnection } from "./byte_connection.ts";
import type { Address, Connection } from "./connection.ts";
import { TransportError } from "./error.ts";
import { WebSocketDecoder } from "./websocket_decoder.ts";
import {
  CLOSE_CODE,
  type CloseCode,
  encodeClose,
  encodeFrame,
  MAX_HEADER_BYTES,
  OPCODE,
  type Opcode,
} from "./websocket_frame.ts";

const FRAME_BYTES = 65_536;
const POOLED_BUFFERS = 16;
const GOODBYE_MS = 1_000;
const DISCARD_BYTES = 16_384;

/** Options of both ends of a WebSocket. */
export interface WebSocketOptions {
  /** Longest payload of a frame that is accepted, in bytes; 1 MiB if not given. Nothing of this size is kept. */
  readonly maxFrameBytes?: number;
}

/** What makes an established WebSocket of `connection`. */
interface Established extends WebSocketOptions {
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  /** Bytes read behind the HTTP head. */
  readonly leftover: Uint8Array;
  /** Draws masking keys: given at the client's end, absent at the server's. */
  readonly random?: (byteLength: number) => Bytes;
}

/**
 * The bytes of the binary messages of a WebSocket, one message for each write of up to 64 KiB.
 *
 * A close frame with code 1000 ends one side, as {@link closeWrite} does; the other may go on, which RFC 6455 §5.5.1
 * allows but implementations other than this one do not use: they answer at once.
 * {@link close} sends code 1001 if the connection takes it at once; the peer reads that, any other code and a
 * connection that ends without a close frame as `reset`.
 */
export class WebSocketConnection extends ByteConnection {
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  readonly #connection: Connection;
  readonly #random: ((byteLength: number) => Bytes) | undefined;
  readonly #decoder: WebSocketDecoder;
  #leftover: Uint8Array;
  /** Settles when the last frame in turn is written. */
  #turn: Promise<void> = Promise.resolve();
  #framesInTurn = 0;
  #pong: Bytes | undefined;
  #closeSent = false;

  /** Takes over a connection whose HTTP upgrade is done. */
  constructor(connection: Connection, established: Established) {
    super();
    const { localAddress, remoteAddress, leftover, random } = established;
    this.localAddress = localAddress;
    this.remoteAddress = remoteAddress;
    this.#connection = connection;
    this.#leftover = leftover;
    this.#random = random;
    this.#decoder = new WebSocketDecoder({
      masked: random === undefined,
      maxFrameBytes: established.maxFrameBytes ?? 1_048_576,
    });
  }

  protected async receive(buffer: Uint8Array): Promise<number | null> {
    for (;;) {
      if (this.#decoder.closeCode !== undefined) return await this.#peerEnd();
      const count = await this.#fill(buffer);
      if (count === null) {
        throw new TransportError("reset", "Ended without a close frame");
      }
      const length = await this.#decode(buffer.subarray(0, count));
      this.#answerPing();
      if (length > 0) return length;
    }
  }

  protected async send(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += FRAME_BYTES) {
      const part = bytes.subarray(at, at + FRAME_BYTES);
      await this.#transmit(OPCODE.binary, part);
    }
  }

  protected sendEnd(): Promise<void> {
    return this.#transmitClose(CLOSE_CODE.normal);
  }

  protected async drop(): Promise<void> {
    if (!this.#closeSent && this.#framesInTurn === 0) {
      const hasEnded = this.#decoder.closeCode !== undefined;
      await this.#goodbye(hasEnded ? CLOSE_CODE.normal : CLOSE_CODE.goingAway);
    }
    this.#connection.close();
  }

  async #fill(buffer: Uint8Array): Promise<number | null> {
    if (this.#leftover.length === 0) return await this.#connection.read(buffer);
    const part = this.#leftover.subarray(0, buffer.length);
    buffer.set(part);
    this.#leftover = this.#leftover.subarray(part.length);
    return part.length;
  }

  async #decode(bytes: Uint8Array): Promise<number> {
    try {
      return this.#decoder.feed(bytes);
    } catch (error) {
      const isMalformed = error instanceof DecodeError;
      await this.#refuse(
        isMalformed ? CLOSE_CODE.protocolError : CLOSE_CODE.tooBig,
      );
      throw error;
    }
  }

  async #peerEnd(): Promise<null> {
    const code = this.#decoder.closeCode!;
    if (code === CLOSE_CODE.normal || code === CLOSE_CODE.absent) return null;
    await this.#goodbye(CLOSE_CODE.normal);
    throw new TransportError("reset", `The peer closed with code ${code}`);
  }

  /** Only the latest ping is answered, so that a peer that does not read cannot make pongs pile up. */
  #answerPing(): void {
    const ping = this.#decoder.takePing();
    if (!ping || this.#closeSent) return;
    const isQueued = this.#pong !== undefined;
    this.#pong = ping;
    if (isQueued) return;
    this.#inTurn(() => {
      const pong = this.#pong!;
      this.#pong = undefined;
      return this.#write(OPCODE.pong, pong);
    }).catch(() => {}); // the next read or write meets the same failure
  }

  #transmitClose(code: CloseCode): Promise<void> {
    if (this.#closeSent) return Promise.resolve();
    this.#closeSent = true;
    return this.#transmit(OPCODE.close, encodeClose(code));
  }

  /** Sends a close frame, and gives up after a second if the connection does not take it. */
  #goodbye(code: CloseCode): Promise<void> {
    return withinGoodbye(this.#transmitClose(code));
  }

  /** Sends a close frame and discards what comes, since closing TCP before everything is read would destroy it. */
  #refuse(code: CloseCode): Promise<void> {
    return withinGoodbye((async () => {
      await this.#transmitClose(code);
      await this.#connection.closeWrite();
      const buffer = new Uint8Array(DISCARD_BYTES);
      while (await this.#connection.read(buffer) !== null);
    })());
  }

  #transmit(opcode: Opcode, payload: Uint8Array): Promise<void> {
    return this.#inTurn(() => this.#write(opcode, payload));
  }

  #inTurn(write: () => Promise<void>): Promise<void> {
    const isFree = this.#framesInTurn++ === 0;
    const written = isFree ? write() : this.#turn.then(write);
    const done = () => {
      this.#framesInTurn--;
    };
    this.#turn = written.then(done, done);
    return written;
  }

  async #write(opcode: Opcode, payload: Uint8Array): Promise<void> {
    const buffer = takeBuffer(payload.length + MAX_HEADER_BYTES);
    const mask = this.#random?.(4);
    const length = encodeFrame(opcode, payload, mask, buffer);
    await this.#connection.write(buffer.subarray(0, length));
    giveBack(buffer);
  }
}

/** Resolves when `parting` settles, or after a second. */
async function withinGoodbye(parting: Promise<void>): Promise<void> {
  using deadline = new Deadline(systemClock, GOODBYE_MS);
  const { promise, resolve } = Promise.withResolvers<void>();
  deadline.signal.addEventListener("abort", () => resolve(), { once: true });
  parting.then(resolve, () => resolve());
  await promise;
}

/** Frame buffers between writes, shared so that an idle connection holds none. */
const pool: Uint8Array[] = [];

function takeBuffer(byteLength: number): Uint8Array {
  if (byteLength < FRAME_BYTES / 8) return new Uint8Array(byteLength);
  return pool.pop() ?? new Uint8Array(FRAME_BYTES + MAX_HEADER_BYTES);
}

function giveBack(buffer: Uint8Array): void {
  if (buffer.length > FRAME_BYTES && pool.length < POOLED_BUFFERS) {
    pool.push(buffer);
  }
}
