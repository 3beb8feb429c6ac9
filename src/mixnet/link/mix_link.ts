import { type Clock, delay, systemClock } from "../../core/async/mod.ts";
import type { Bytes } from "../../core/bytes/mod.ts";
import type { Address, Connection } from "../../core/transport/mod.ts";
import { MixnetError } from "../error.ts";
import {
  checkLinkFrame,
  decodeLinkFrame,
  encodeLinkFrame,
  linkBodyLength,
  type LinkFrame,
  linkFrameLength,
} from "./link_frame.ts";
import type { LinkCipher } from "./link_cipher.ts";
import type { LinkSecrets } from "./link_handshake.ts";

/** Most bytes of one write or read: 26 frames of regular packets. */
const BATCH_BYTES = 65_536;
const IDLE_MS = 120_000;
const SEND_MS = 30_000;
/** How long a peer may take to end a link that we end. */
const LINGER_MS = 2_000;

/** What both ends of a {@link MixLink} can tune. */
export interface MixLinkOptions {
  /** How long the peer may send no whole frame while we read, in milliseconds. Default 120,000. */
  readonly idleTimeoutMs?: number;
  /** How long one write may take, in milliseconds. Default 30,000. */
  readonly sendTimeoutMs?: number;
  /**
   * Takes `frames`, a number of frames that arrived, from the peer's budget, and says how many milliseconds to read nothing.
   * Default: 0, for any number.
   */
  readonly spend?: (frames: number) => number;
  /** Time and timers. Default: the machine's. */
  readonly clock?: Clock;
}

/** Counts since a link began, in frames. */
export interface MixLinkStats {
  /** Sent, padding included. */
  readonly sent: number;
  /** Received, padding included. */
  readonly received: number;
  /** Received of {@link received} that were padding. */
  readonly padding: number;
}

/**
 * An established link: sends frames, and gives those that arrive.
 *
 * It ends by {@link close}, by the peer or by a failure; {@link closed} tells which. Nothing is read but by iterating
 * {@link frames}, so that a peer is slowed by who does not take its frames.
 */
export class MixLink implements AsyncDisposable {
  /** The peer's link key, 32 bytes. */
  readonly remoteStaticKey: Bytes;
  /** Resolves when the link is over, with what went wrong, or `undefined` if either end closed it in order; never rejects. */
  readonly closed: Promise<MixnetError | undefined>;
  readonly #connection: Connection;
  readonly #packetLength: number;
  readonly #frameLength: number;
  readonly #bodyLength: number;
  readonly #sealer: LinkCipher;
  readonly #opener: LinkCipher;
  readonly #options: MixLinkOptions;
  readonly #clock: Clock;
  readonly #resolveClosed: (error: MixnetError | undefined) => void;
  readonly #over = new AbortController();
  #out: Bytes = new Uint8Array(0);
  #in: Bytes = new Uint8Array(0);
  /** Bytes at the start of {@link #in} that are of a frame that is not whole. */
  #held = 0;
  #padding = 0;
  #sending = false;
  #iterated = false;

  /** Takes over `connection`, on which the handshake has ended, and the keys. */
  constructor(
    connection: Connection,
    packetLength: number,
    { remoteStaticKey, sealer, opener }: LinkSecrets,
    options: MixLinkOptions = {},
  ) {
    const { promise, resolve } = Promise.withResolvers<
      MixnetError | undefined
    >();
    this.closed = promise;
    this.#resolveClosed = resolve;
    this.remoteStaticKey = remoteStaticKey;
    this.#connection = connection;
    this.#packetLength = packetLength;
    this.#frameLength = linkFrameLength(packetLength);
    this.#bodyLength = linkBodyLength(packetLength);
    this.#sealer = sealer;
    this.#opener = opener;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** The peer's end. */
  get remoteAddress(): Address {
    return this.#connection.remoteAddress;
  }

  /** Whether it is neither closed nor broken, as far as we know. */
  get isOpen(): boolean {
    return !this.#over.signal.aborted;
  }

  /** Most frames that {@link send} writes at once. */
  get maxBatchFrames(): number {
    return Math.max(1, Math.floor(BATCH_BYTES / this.#frameLength));
  }

  /** Counts since the link began. */
  get stats(): MixLinkStats {
    return {
      sent: this.#sealer.frames,
      received: this.#opener.frames,
      padding: this.#padding,
    };
  }

  /**
   * Seals and writes `frames`, up to {@link maxBatchFrames} a write, and resolves when more may be sent. One call at a time.
   *
   * Sent is not arrived: when a link breaks, what it had taken last may be lost.
   *
   * @throws {RangeError} If a frame does not fit the network; then none was sent.
   * @throws {TypeError} If a call is pending.
   * @throws {MixnetError} `closed` if the link is over, `disconnected` if it breaks, `timeout` if the peer is too slow; then it is
   * unknown which arrived.
   */
  async send(frames: readonly LinkFrame[]): Promise<void> {
    if (this.#sending) throw new TypeError("A send is already pending");
    for (const frame of frames) checkLinkFrame(frame, this.#packetLength);
    if (!this.isOpen) throw new MixnetError("closed", "The link is closed");
    this.#sending = true;
    const ms = this.#options.sendTimeoutMs ?? SEND_MS;
    try {
      for (let at = 0; at < frames.length; at += this.maxBatchFrames) {
        const sealed = this.#seal(frames.slice(at, at + this.maxBatchFrames));
        const cancel = this.#clock.setTimeout(() => this.#fail(tooSlow()), ms);
        try {
          await this.#connection.write(sealed);
        } catch (cause) {
          throw this.#fail(broken(cause));
        } finally {
          cancel();
        }
      }
    } finally {
      this.#sending = false;
    }
  }

  /**
   * What arrives, in batches of at least one frame, without padding, until the link is over. Iterate it once.
   *
   * The arrays in a batch are views of one array of its own.
   */
  async *frames(): AsyncGenerator<readonly LinkFrame[], void> {
    if (this.#iterated) throw new TypeError("Frames are iterated once");
    this.#iterated = true;
    const watch = this.#watch();
    try {
      while (this.isOpen) {
        const length = await this.#read(watch);
        if (length === null) return this.#end(undefined);
        const count = Math.floor((this.#held + length) / this.#frameLength);
        const batch = this.#openFrames(count, this.#held + length);
        if (batch.length > 0) yield batch;
        const ms = count > 0 ? this.#options.spend?.(count) ?? 0 : 0;
        if (ms > 0) await this.#pause(ms);
      }
    } catch (error) {
      if (!(error instanceof MixnetError)) throw error;
      this.#fail(error);
    } finally {
      watch.stop();
      this.close();
    }
  }

  /**
   * Ends the link once what was sent has left, and the peer has ended it too: within 2 s, while {@link frames} is iterated.
   * Not while a send is pending.
   */
  async end(): Promise<void> {
    if (!this.isOpen) return;
    const cancel = this.#clock.setTimeout(() => this.close(), LINGER_MS);
    try {
      await this.#connection.closeWrite();
      await this.closed;
    } catch (cause) {
      this.#fail(broken(cause));
    } finally {
      cancel();
    }
  }

  /** Ends the link at once; what was sent may be lost. May be called again. */
  close(): void {
    this.#end(undefined);
  }

  /** Closes it, and waits until the connection is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#connection.closed;
  }

  #seal(frames: readonly LinkFrame[]): Bytes {
    const length = frames.length * this.#frameLength;
    if (this.#out.length < length) this.#out = new Uint8Array(length);
    for (const [i, frame] of frames.entries()) {
      const start = i * this.#frameLength;
      const sealed = this.#out.subarray(start, start + this.#frameLength);
      encodeLinkFrame(frame, sealed.subarray(0, this.#bodyLength));
      this.#sealer.seal(sealed, this.#bodyLength);
    }
    return this.#out.subarray(0, length);
  }

  /** Reads behind what is held; the buffer starts with two frames and grows to a batch once a read has filled it. */
  async #read(watch: Watch): Promise<number | null> {
    if (this.#in.length === 0) {
      this.#in = new Uint8Array(2 * this.#frameLength);
    }
    watch.start();
    try {
      const length = await this.#connection.read(
        this.#in.subarray(this.#held),
      );
      if (length === null && this.#held > 0) {
        throw new MixnetError("truncated", "A link ended within a frame");
      }
      return length;
    } catch (error) {
      throw error instanceof MixnetError ? error : broken(error);
    } finally {
      watch.pause();
    }
  }

  /** Opens the first `count` frames of `filled` bytes, and keeps the rest. */
  #openFrames(count: number, filled: number): LinkFrame[] {
    const bodies = new Uint8Array(count * this.#bodyLength);
    const frames: LinkFrame[] = [];
    for (let i = 0; i < count; i++) {
      const start = i * this.#frameLength;
      const body = bodies.subarray(
        i * this.#bodyLength,
        (i + 1) * this.#bodyLength,
      );
      this.#opener.open(
        this.#in.subarray(start, start + this.#frameLength),
        body,
      );
      const frame = decodeLinkFrame(body);
      if (frame.type === "padding") this.#padding++;
      else frames.push(frame);
    }
    const rest = this.#in.subarray(count * this.#frameLength, filled);
    const most = this.maxBatchFrames * this.#frameLength;
    if (filled === this.#in.length && filled < most) {
      this.#in = new Uint8Array(Math.min(most, 4 * filled));
    }
    this.#in.set(rest);
    this.#held = rest.length;
    return frames;
  }

  async #pause(ms: number): Promise<void> {
    try {
      await delay(this.#clock, ms, { signal: this.#over.signal });
    } catch {
      // the link is over, as the loop sees
    }
  }

  /** A watch that ends the link if it runs for the idle time, not counting pauses, without a whole frame. */
  #watch(): Watch {
    const ms = this.#options.idleTimeoutMs ?? IDLE_MS;
    const clock = this.#clock;
    let cancel = () => {};
    let seen = this.#opener.frames;
    let leftMs = ms;
    let startedAtMs = 0;
    let timerAtMs = Infinity;
    const arm = (atMs: number) => {
      timerAtMs = atMs;
      cancel = clock.setTimeout(check, atMs - clock.now());
    };
    const check = () => {
      timerAtMs = Infinity;
      if (startedAtMs < 0) return; // paused: start() arms it again
      const dueAtMs = startedAtMs + leftMs;
      if (clock.now() < dueAtMs) return arm(dueAtMs);
      this.#fail(
        new MixnetError("timeout", `A peer sent no frame for ${ms} ms`),
      );
    };
    return {
      start: () => {
        if (this.#opener.frames !== seen) {
          seen = this.#opener.frames;
          leftMs = ms;
        }
        startedAtMs = clock.now();
        if (timerAtMs === Infinity) arm(startedAtMs + leftMs);
      },
      pause: () => {
        leftMs -= clock.now() - startedAtMs;
        startedAtMs = -1;
      },
      stop: () => cancel(),
    };
  }

  /** Ends the link because of `error`; gives it back. */
  #fail(error: MixnetError): MixnetError {
    this.#end(error);
    return error;
  }

  #end(error: MixnetError | undefined): void {
    if (!this.isOpen) return;
    this.#over.abort();
    this.#connection.close();
    this.#sealer[Symbol.dispose]();
    this.#opener[Symbol.dispose]();
    this.#resolveClosed(error);
  }
}

interface Watch {
  /** Runs from now on; a frame that came since the last start gives it the whole time again. */
  start(): void;
  /** Stands still. */
  pause(): void;
  /** Ends it. */
  stop(): void;
}

function tooSlow(): MixnetError {
  return new MixnetError("timeout", "A peer took too long to take frames");
}

function broken(cause: unknown): MixnetError {
  return new MixnetError("disconnected", "A link broke", { cause });
}
