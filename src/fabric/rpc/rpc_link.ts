import { type Bytes, Writer } from "../../core/bytes/mod.ts";
import type { Clock, WaitOptions } from "../../core/async/mod.ts";
import { HtxError, type Session, type Stream } from "../../htx/mod.ts";
import { FabricError, type FabricErrorCode } from "../error.ts";
import type { AgentId } from "../identity/agent_id.ts";
import {
  decodeMessage,
  encodedLength,
  encodeMessage,
  type Message,
  PRIORITIES,
  writeMessage,
} from "../message/message.ts";
import {
  decodeHello,
  decodeStatuses,
  encodeFrame,
  encodeHello,
  type Frame,
  FRAME_HEAD_LENGTH,
  type Hello,
  MAX_BODY,
  type StatusCode,
  writeFrameHead,
} from "./frame.ts";
import { FrameDecoder } from "./frame_decoder.ts";
import { framesOf, readsOf } from "./frames_of.ts";
import { FrameWriter } from "./frame_writer.ts";
import { SendWindow } from "./send_window.ts";
import { SlotMap } from "../slot_map.ts";

/** What became of a message that was sent live. */
export type Sent =
  | { readonly kind: "answer"; readonly message: Message } // the answer to a request
  | {
    readonly kind: "status";
    readonly code: StatusCode;
    readonly reason: string;
  };

/** What a link does with what comes, and says first. */
export interface RpcLinkOptions {
  /** What we say first; the time is put in when it is said. */
  readonly hello: Omit<Hello, "wallTimeMs">;
  /** Time. */
  readonly clock: Clock;
  /** Takes a signed record of the other end. */
  learn(record: Uint8Array): AgentId;
  /** Whether the other end, by its static key, speaks for an agent. */
  speaksFor(staticKey: Uint8Array, id: AgentId): boolean;
  /** Takes a message, whose sender is verified; its payload is its own. Answer with {@link RpcLink.status} or {@link RpcLink.answer}. */
  onMessage(message: Message, link: RpcLink): void;
  /** Hears of a message or an opening, in a stream of its own, whose sender the other end does not speak for, as far as is known. */
  onUnproven(): void;
  /** Takes the answer to a request that did not go by this link, or is not waited for here any more. */
  onAnswer(answer: Message): void;
  /** Takes signed receipts, not yet verified. */
  onReceipts(receipts: Bytes): void;
  /** Takes an application's stream that the other end opens; `rest` are its first bytes. */
  onOpening(
    opening: Message,
    stream: Stream,
    rest: Uint8Array,
    link: RpcLink,
  ): void;
}

interface Pending {
  readonly message: Message;
  readonly size: number;
  readonly isOnlyCopy: boolean;
  readonly resolve: (sent: Sent) => void;
  readonly reject: (error: unknown) => void;
}

/** How a message is sent live. */
export interface SendLiveOptions extends WaitOptions {
  /** Whether it goes by no other way once it is answered, so that the other end need not remember it; it may by default. */
  readonly isOnlyCopy?: boolean;
}

/** Answers that the other end has not confirmed are remembered up to this number, the newest. */
const MAX_UNCONFIRMED = 4_096;
/** A longer message goes in a stream of its own, so that others need not wait for it. */
const LARGE_BYTES = 65_536;
const WEIGHTS = [4, 16, 64, 256];
/** Bytes of answers that wait for the other end to read. */
const MAX_ANSWERS_BYTES = 32 * 1024 * 1024;
/** Clocks that differ by less are taken as one: a hello needs time too. */
const MIN_SKEW_MS = 1_000;
/** Why a record is not taken that may be as its agent signed it. */
const UNTAKEN: ReadonlySet<FabricErrorCode> = new Set<FabricErrorCode>([
  ...["stale", "expired", "full"] as const,
]);
/** Agents that one node speaks for. */
const MAX_AGENTS = 64;

/** A live connection of two nodes of agents: one HTX session, over which their messages go both ways. */
export class RpcLink implements AsyncDisposable {
  /** The static key of the other end, 32 bytes. */
  readonly staticKey: Bytes;
  /** Agents that the other end speaks for, by records that it has shown, as text: 64 at most. */
  readonly agents: Set<string> = new Set();
  /** How far the other end's clock is ahead of ours, in milliseconds, as its hello said; 0 if it did not say, or it is less than a second. */
  readonly skewMs: number;
  /** Resolves when the link is over; never rejects. */
  readonly closed: Promise<void>;
  readonly #session: Session;
  readonly #options: RpcLinkOptions;
  readonly #writer: FrameWriter;
  readonly #window: SendWindow;
  /** What the other end takes at a time in streams of their own. */
  readonly #large: SendWindow;
  /** Messages of ours that wait for a status or an answer, by id. */
  readonly #pending = new SlotMap<Pending>();
  /** Bytes of messages of theirs that we owe a status or an answer, by id. */
  readonly #owed = new Map<string, number>();
  #owedBytes = 0;
  /** Bytes of large messages of ours that are not sent yet, and of theirs that come. */
  #departing = 0;
  #arriving = 0;
  /** Hear that an answer of ours came, by its id. */
  readonly #unconfirmed = new SlotMap<() => void>();
  #heard = 0;
  #error: unknown;

  /** Goes on where {@linkcode openLink} has exchanged hellos. */
  constructor(
    session: Session,
    control: Stream,
    peer: Hello,
    rest: FrameDecoder,
    options: RpcLinkOptions,
  ) {
    this.staticKey = session.remoteStaticKey;
    this.#session = session;
    this.#options = options;
    const { clock } = options;
    this.#writer = new FrameWriter(
      control,
      clock,
      (error) => this.#fail(error),
    );
    this.#window = new SendWindow(peer.maxMessages, peer.maxBytes);
    const skewMs = (peer.wallTimeMs ?? clock.wallTime()) - clock.wallTime();
    this.skewMs = Math.abs(skewMs) < MIN_SKEW_MS ? 0 : skewMs;
    this.#large = new SendWindow(Infinity, peer.maxBytes);
    for (const record of peer.records) this.#learn(record);
    this.closed = session.closed.then(({ error }) => this.#end(error));
    void this.#readControl(control, rest);
    void this.#acceptStreams();
  }

  /** Whether messages can be sent. */
  get isOpen(): boolean {
    return this.#error === undefined && this.#session.isOpen;
  }

  /** How often something came: while it grows, the other end lives. */
  get heard(): number {
    return this.#heard;
  }

  /** Why it is over; `undefined` while it is not, and if it ended as sessions do. */
  get error(): unknown {
    return this.#error;
  }

  /** Messages that wait for room at the other end, for a status or an answer. */
  get pending(): number {
    return this.#pending.size + this.#window.waiting;
  }

  /**
   * Sends a message; resolves with its answer, or what the other end says of it.
   *
   * @throws {FabricError} `unreachable` if the link ends before: the other end may have it or not.
   * @throws The reason of the signal; afterwards what comes about it is ignored.
   */
  async send(
    message: Message,
    { signal, isOnlyCopy = false }: SendLiveOptions = {},
  ): Promise<Sent> {
    signal?.throwIfAborted();
    if (!this.isOpen) throw unreachable(this.#error);
    const size = encodedLength(message);
    if (!this.#window.tryEnter(size)) await this.#window.enter(size, signal);
    // The link may have ended while room was waited for.
    if (!this.isOpen) throw unreachable(this.#error);
    const { promise, resolve, reject } = Promise.withResolvers<Sent>();
    const id = message.id.toHex();
    this.#pending.set(id, { message, size, isOnlyCopy, resolve, reject });
    this.#write(message, size);
    if (!signal) return await promise;
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Says what becomes of a message that came. */
  status(message: Message, code: StatusCode, reason = ""): void {
    if (!this.#pay(message.id)) return;
    this.#writer.status({ id: message.id, code, reason });
  }

  /**
   * Answers a request that came; `false` if the link is over, or the other end is slow to take answers: it must go another way.
   *
   * @param onConfirmed - Hears that the answer came, and that no copy of the request will.
   */
  answer(answer: Message, onConfirmed?: () => void): boolean {
    if (!answer.replyTo || !this.#pay(answer.replyTo)) return false;
    if (this.#writer.backlog + this.#departing > MAX_ANSWERS_BYTES) {
      return false;
    }
    if (onConfirmed) this.#awaitConfirmation(answer.id.toHex(), onConfirmed);
    this.#write(answer, encodedLength(answer));
    return true;
  }

  /**
   * Waits for a sign of life of the other end, and ends the link if there is none.
   *
   * @throws {FabricError} `unreachable` if there is none until `signal` aborts.
   */
  async check(signal: AbortSignal): Promise<void> {
    try {
      await this.#session.ping({ signal });
    } catch (error) {
      this.#fail(error);
      // That the session closes in order would take as long as it waits for the other end.
      this.#end(undefined);
      throw unreachable(error);
    }
  }

  /** Sends signed receipts. */
  sendReceipts(receipts: Uint8Array): void {
    if (this.isOpen) this.#writer.write("receipts", receipts);
  }

  /** Sends a signed record of an agent of ours. */
  sendRecord(record: Uint8Array): void {
    if (this.isOpen) this.#writer.write("record", record);
  }

  /**
   * Opens a stream for an application.
   *
   * @throws {RangeError} If the opening is longer than 131,072 bytes.
   * @throws {FabricError} `unreachable` if the link is over.
   * @throws The reason of the signal.
   */
  async openStream(
    opening: Message,
    { signal }: WaitOptions = {},
  ): Promise<Stream> {
    const body = encodeMessage(opening);
    if (body.length > MAX_BODY.opening) {
      throw new RangeError(
        `An opening has at most ${MAX_BODY.opening} bytes: got ${body.length}`,
      );
    }
    const weight = WEIGHTS[PRIORITIES.indexOf(opening.priority)]!;
    try {
      const stream = await this.#session.open({
        weight,
        ...signal && { signal },
      });
      await stream.write(encodeFrame("opening", body));
      return stream;
    } catch (error) {
      throw error instanceof HtxError ? unreachable(error) : error;
    }
  }

  /** Ends the link. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.close();
    await this.closed;
  }

  #write(message: Message, size: number): void {
    if (size <= LARGE_BYTES) this.#writer.message(message, size);
    else void this.#writeLarge(message, size).catch((e) => this.#fail(e));
  }

  async #writeLarge(message: Message, size: number): Promise<void> {
    const weight = WEIGHTS[PRIORITIES.indexOf(message.priority)]!;
    this.#departing += size;
    try {
      await this.#large.enter(size);
      const stream = await this.#session.open({ weight });
      const writer = new Writer(FRAME_HEAD_LENGTH + size);
      writeFrameHead(writer, "message", size);
      writeMessage(writer, message);
      await stream.write(writer.finish());
      await stream.closeWrite();
      this.#large.leave(size);
    } finally {
      this.#departing -= size;
    }
  }

  #awaitConfirmation(id: string, onConfirmed: () => void): void {
    this.#unconfirmed.set(id, onConfirmed);
    if (this.#unconfirmed.size <= MAX_UNCONFIRMED) return;
    this.#unconfirmed.delete(this.#unconfirmed.firstKey()!);
  }

  #confirmed(id: string): void {
    const onConfirmed = this.#unconfirmed.get(id);
    this.#unconfirmed.delete(id);
    onConfirmed?.();
  }

  /** Whether we owed something about a message; we do no longer. */
  #pay(id: Uint8Array): boolean {
    const key = id.toHex();
    const size = this.#owed.get(key);
    if (size === undefined || !this.isOpen) return false;
    this.#owed.delete(key);
    this.#owedBytes -= size;
    return true;
  }

  async #readControl(control: Stream, decoder: FrameDecoder): Promise<void> {
    try {
      for await (const frames of readsOf(control, decoder)) {
        this.#heard++;
        for (const frame of frames) this.#take(frame);
      }
      await this.#session.close();
    } catch (error) {
      this.#fail(error);
    }
  }

  async #acceptStreams(): Promise<void> {
    try {
      for await (const stream of this.#session) {
        void this.#takeStream(stream).catch((error) => this.#fail(error));
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  async #takeStream(stream: Stream): Promise<void> {
    let arriving = 0;
    const decoder = FrameDecoder.ofLink((length) => {
      this.#arriving += length;
      arriving += length;
      if (this.#arriving > this.#maxArriving) {
        throw violation("More at a time than we take");
      }
    });
    let count = 0;
    try {
      for await (const { type, body } of framesOf(stream, decoder)) {
        if (count++ > 0) throw violation("Want one message in a stream");
        if (type === "message") {
          this.#takeLarge(body);
          continue;
        }
        if (type !== "opening") throw violation("A stream begins otherwise");
        const opening = decodeMessage(body.slice());
        if (!this.#isSender(opening)) {
          this.#options.onUnproven();
          return stream.close();
        }
        if (opening.kind !== "request") throw violation("No opening");
        return this.#options.onOpening(opening, stream, decoder.rest(), this);
      }
      await stream.closeWrite();
    } catch (error) {
      stream.close();
      // The other end gave the stream up, which is its right.
      if (!(error instanceof HtxError)) throw error;
    } finally {
      this.#arriving -= arriving;
    }
  }

  /** What a sender that keeps to our window has under way at most, as it learns of what has come late. */
  get #maxArriving(): number {
    return 2 * Math.max(this.#options.hello.maxBytes, MAX_BODY.message);
  }

  /** A stream may overtake the record that lets its sender speak: it is to be sent again. */
  #takeLarge(body: Uint8Array): void {
    const message = decodeMessage(body.slice());
    if (this.#isSender(message)) return this.#takeDecoded(message, body.length);
    this.#options.onUnproven();
    this.#writer.status({ id: message.id, code: "full", reason: "" });
  }

  #take({ type, body }: Frame): void {
    switch (type) {
      case "message":
        return this.#takeMessage(body);
      case "statuses":
        for (const { id, code, reason } of decodeStatuses(body)) {
          const key = id.toHex();
          if (code === "handled" && this.#unconfirmed.has(key)) {
            this.#confirmed(key);
          } else this.#settle(key, { kind: "status", code, reason });
        }
        return;
      case "receipts":
        return this.#options.onReceipts(body.slice());
      case "record":
        return this.#learn(body);
      default:
        throw violation(`No ${type} belongs here`);
    }
  }

  #takeMessage(body: Uint8Array): void {
    // What waits for a handler must not change with the buffer that is read into.
    const message = decodeMessage(body.slice());
    if (!this.#isSender(message)) {
      throw violation("The other end does not speak for that agent");
    }
    this.#takeDecoded(message, body.length);
  }

  #takeDecoded(message: Message, size: number): void {
    if (message.replyTo) {
      const key = message.replyTo.toHex();
      const pending = this.#pending.get(key);
      if (pending?.message.to.equals(message.from)) {
        if (pending.isOnlyCopy) {
          this.#confirm(message.id, size);
        }
        return this.#settle(key, { kind: "answer", message });
      }
      this.#options.onAnswer(message);
      return this.#writer.status({ id: message.id, code: "taken", reason: "" });
    }
    const { maxMessages, maxBytes } = this.#options.hello;
    const key = message.id.toHex();
    const isAlone = this.#owed.size === 0;
    const isBeyond = this.#owed.size >= maxMessages ||
      this.#owedBytes + size > maxBytes;
    if (this.#owed.has(key) || isBeyond && !isAlone) {
      throw violation("More messages than we take");
    }
    this.#owed.set(key, size);
    this.#owedBytes += size;
    this.#options.onMessage(this.#inOurTime(message), this);
  }

  /** Nobody waits to hear that an answer came; a large one takes much room there until it is known. */
  #confirm(id: Bytes, size: number): void {
    const status = { id, code: "handled", reason: "" } as const;
    if (size > LARGE_BYTES) this.#writer.status(status);
    else this.#writer.statusSoon(status);
  }

  /** A message whose times are by our clock, as somebody measured them by the other end's. */
  #inOurTime(message: Message): Message {
    if (this.skewMs === 0) return message;
    const ours = (ms: number) => Math.max(0, ms - this.skewMs);
    const createdMs = ours(message.createdMs);
    const deadlineMs = ours(message.deadlineMs);
    const isSafe = Number.isSafeInteger(createdMs) &&
      Number.isSafeInteger(deadlineMs);
    return isSafe ? { ...message, createdMs, deadlineMs } : message;
  }

  #isSender({ from }: Message): boolean {
    return this.#options.speaksFor(this.staticKey, from);
  }

  #settle(key: string, sent: Sent): void {
    const pending = this.#pending.get(key);
    if (!pending) return;
    this.#pending.delete(key);
    this.#window.leave(pending.size);
    pending.resolve(sent);
  }

  #learn(record: Uint8Array): void {
    try {
      const id = this.#options.learn(record.slice());
      // Anybody may show the record of another, whom it does not speak for.
      if (!this.#options.speaksFor(this.staticKey, id)) return;
      if (this.agents.size < MAX_AGENTS) this.agents.add(`${id}`);
    } catch (error) {
      const code = error instanceof FabricError ? error.code : undefined;
      // One agent's record that is too old is no fault of the others.
      if (!code || !UNTAKEN.has(code)) throw error;
    }
  }

  #fail(error: unknown): void {
    this.#error ??= error;
    void this.#session.close();
  }

  #end(error: HtxError | undefined): void {
    this.#error ??= error ?? new HtxError("closed", "The link is over");
    const reason = unreachable(this.#error);
    this.#writer[Symbol.dispose]();
    this.#window.close(reason);
    this.#large.close(reason);
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#pending.clear();
    this.#owed.clear();
    this.#unconfirmed.clear();
  }
}

/**
 * Makes a link of a session: opens or takes its first stream, says hello and hears the other end's.
 *
 * @throws {FabricError} `unreachable` if the session ends before.
 * @throws {DecodeError} If the other end says something else; the session is closed.
 * @throws The reason of `signal`.
 */
export async function openLink(
  session: Session,
  role: "dialer" | "listener",
  options: RpcLinkOptions,
  signal?: AbortSignal,
): Promise<RpcLink> {
  const onAbort = () => void session.close();
  signal?.addEventListener("abort", onAbort, { once: true });
  const waiting = signal ? { signal } : {};
  try {
    signal?.throwIfAborted();
    const control = role === "dialer"
      ? await session.open(waiting)
      : await session.accept(waiting);
    if (!control) throw unreachable(undefined);
    const ours = { ...options.hello, wallTimeMs: options.clock.wallTime() };
    await control.write(encodeFrame("hello", encodeHello(ours)));
    const decoder = FrameDecoder.ofLink();
    for await (const { type, body } of framesOf(control, decoder)) {
      if (type !== "hello") throw violation("Want a hello first");
      const hello = decodeHello(body);
      return new RpcLink(session, control, hello, decoder, options);
    }
    throw unreachable(undefined);
  } catch (error) {
    void session.close();
    signal?.throwIfAborted();
    if (error instanceof HtxError) throw unreachable(error);
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

function unreachable(cause: unknown): FabricError {
  return new FabricError("unreachable", "The link is over", { cause });
}

function violation(text: string): FabricError {
  return new FabricError("malformed", text);
}
