import { type Bytes, Writer } from "../../core/bytes/mod.ts";
import { Eid } from "../bundle/eid.ts";
import { BundleError } from "../bundle/error.ts";
import type { RefusalReason } from "../cla/convergence_layer.ts";
import { TcpclError } from "./error.ts";
import {
  type Message,
  type MsgRejectReason,
  type SessInit,
  type SessTermReason,
  writeMessage,
  type XferRefuseReason,
  type XferSegment,
} from "./message.ts";
import { type Decoded, MessageDecoder } from "./message_decoder.ts";
import type { SessionOptions } from "./options.ts";
import { TransferReceiver } from "./transfer_receiver.ts";
import { TransferSender } from "./transfer_sender.ts";

/** What a session tells its owner. */
export type SessionEvent =
  | { readonly type: "open"; readonly peer: SessInit }
  | {
    readonly type: "bundle";
    readonly transferId: bigint;
    readonly bytes: Bytes;
  }
  | { readonly type: "acknowledged"; readonly transferId: bigint }
  | {
    readonly type: "refused";
    readonly transferId: bigint;
    readonly reason: RefusalReason;
  }
  | { readonly type: "cancelled"; readonly transferIds: readonly bigint[] }
  | { readonly type: "ended"; readonly error: TcpclError | undefined };

/** Where a session stands. */
export type SessionState =
  | "opening" // SESS_INIT is missing on one side
  | "open"
  | "ending" // SESS_TERM was sent: what is under way comes to its outcome
  | "ended"; // what {@link TcpclSession.pull} still gives is the last

/** Our keepalives leave after this part of the interval, as dtn7-rs leaves who is silent for one interval rather than two. */
const EARLY = 0.75;
/** A session without keepalives ends when no bundle moved for so long: its peer may be gone. */
const UNKEPT_MS = 600_000;
/** Answers that may wait to be written; beyond them nothing more is read. */
const MAX_WAITING_BYTES = 65_536;
/** What {@link TcpclSession.pull} gathers, if there is as much. */
const PULL_BYTES = 65_536;
/** Room that it starts with. */
const ROOM_BYTES = 1_024;
/** Data of this size are written from where they lie. */
const COPY_BYTES = 16_384;

/**
 * A session of TCPCL version 4 (RFC 9174 §5, §6) after the contact headers, without IO: bytes and time in, bytes and events out.
 *
 * A peer that breaks the protocol is sent MSG_REJECT, and the session is over: what was acknowledged stays so, and what was not is
 * without an outcome.
 */
export class TcpclSession {
  readonly #options: SessionOptions;
  readonly #decoder = new MessageDecoder();
  readonly #receiver: TransferReceiver;
  /** Messages other than those of transfers, to be written first. */
  #control = new Writer();
  #sender: TransferSender | undefined;
  /** Data of a segment whose head was written. */
  #body: Uint8Array | undefined;
  #state: SessionState = "opening";
  #events: SessionEvent[] = [];
  #peer: SessInit | undefined;
  #keepaliveMs = 0;
  #peerIsEnding = false;
  #segmentRefusal: XferRefuseReason | undefined;
  #isPaused = false;
  #lastIn: number;
  #lastOut: number;
  #lastBundle: number;
  /** When data of a bundle came last. */
  #lastData: number;
  #endBy = Infinity;

  /** Starts at `now`, in milliseconds of a clock that never goes back. */
  constructor(options: SessionOptions, now: number) {
    this.#options = options;
    this.#receiver = new TransferReceiver(options);
    this.#lastIn =
      this.#lastOut =
      this.#lastBundle =
      this.#lastData =
        now;
    if (options.active) this.#sendInit();
  }

  /** Where it stands. */
  get state(): SessionState {
    return this.#state;
  }

  /** What the peer wants, once it has said so. */
  get peer(): SessInit | undefined {
    return this.#peer;
  }

  /** Largest bundle that the peer takes, in bytes; 0 before it has said so. */
  get maxBundleBytes(): number {
    const { peer } = this;
    if (!peer || peer.segmentMruBytes === 0) return 0;
    return this.#options.ignorePeerTransferMru
      ? Number.MAX_SAFE_INTEGER
      : peer.transferMruBytes;
  }

  /** Bundles that were refused here rather than by the node. */
  get refused(): number {
    return this.#receiver.refused;
  }

  /** Whether more may be read: false while the peer does not read our answers. */
  get wantsInput(): boolean {
    return this.#receiver.wantsInput &&
      this.#control.length < MAX_WAITING_BYTES;
  }

  /** When to call {@link tick} at the latest. */
  get nextTickMs(): number {
    if (this.#state === "ended") return Infinity;
    const keepalive = this.#keepaliveMs || Infinity;
    return Math.min(
      this.#lastOut + EARLY * keepalive,
      this.#isPaused ? Infinity : this.#lastIn + 2 * keepalive,
      this.#lastBundle + this.#idleTimeoutMs,
      this.#stallsAt,
      this.#endBy,
    );
  }

  /** Takes bytes of the peer. */
  receive(bytes: Uint8Array, now: number): SessionEvent[] {
    this.#lastIn = now;
    try {
      for (const decoded of this.#decoder.decode(bytes)) {
        if (this.#state === "ended") break;
        this.#handle(decoded, now);
      }
    } catch (error) {
      if (!(error instanceof TcpclError)) throw error;
      this.#fail(error);
    }
    return this.#takeEvents();
  }

  /** Lets time pass: keepalives leave, a peer that fell silent is left. */
  tick(now: number): SessionEvent[] {
    if (this.#state === "ended") return this.#takeEvents();
    const keepalive = this.#keepaliveMs || Infinity;
    if (!this.#isPaused && now >= this.#lastIn + 2 * keepalive) {
      this.#sendTerm("idleTimeout", false);
      this.#finish(new TcpclError("timeout", "The peer fell silent"));
    } else if (now >= this.#endBy) {
      this.#finish(new TcpclError("timeout", "Transfers did not end in time"));
    } else if (now >= this.#stallsAt) {
      this.#receiver.giveUp();
      this.#finishIfDone();
    } else if (now >= this.#lastBundle + this.#idleTimeoutMs) {
      this.#lastBundle = now;
      if (this.#isIdle) this.#end("idleTimeout", now);
    } else if (now >= this.#lastOut + EARLY * keepalive) {
      this.#lastOut = now;
      if (this.#control.length === 0) this.#send({ type: "KEEPALIVE" });
    }
    return this.#takeEvents();
  }

  /** Says that nothing is read for a while, so that silence means nothing. */
  pause(): void {
    this.#isPaused = true;
  }

  /** Says that reading goes on. */
  resume(now: number): void {
    this.#isPaused = false;
    this.#lastIn = this.#lastData = now;
  }

  /**
   * Sends a bundle, and gives the id of its transfer. Its bytes must stay as they are until an event tells its outcome.
   *
   * @throws {TypeError} If the session is not open.
   */
  send(bundle: Uint8Array): bigint {
    if (this.#state !== "open" || this.#peerIsEnding) {
      throw new TypeError("A session that is not open sends no bundles");
    }
    return this.#sender!.send(bundle);
  }

  /** Takes back a bundle of which nothing left, and says whether that was so. */
  cancel(transferId: bigint): boolean {
    return this.#sender?.cancel(transferId) ?? false;
  }

  /** Acknowledges a bundle. */
  accept(transferId: bigint, now: number): SessionEvent[] {
    this.#receiver.accept(transferId);
    return this.#settled(now);
  }

  /** Refuses a bundle. */
  refuse(
    transferId: bigint,
    reason: RefusalReason,
    now: number,
  ): SessionEvent[] {
    this.#receiver.refuse(transferId, reason);
    return this.#settled(now);
  }

  /** Ends the session once what is under way has its outcome; bundles of which nothing left are cancelled. */
  end(reason: SessTermReason, now: number): SessionEvent[] {
    this.#end(reason, now);
    return this.#takeEvents();
  }

  /** Lets go of everything when the connection is gone. */
  abandon(): void {
    this.#state = "ended";
    this.#receiver.close();
  }

  /** The bytes to write next, if there are any. Large ones borrow the bundle. */
  pull(now: number): Uint8Array | undefined {
    if (this.#body) return this.#pullBody(now);
    const writer = this.#control;
    this.#receiver.write(writer, PULL_BYTES);
    const sender = this.#sender;
    while (
      this.#state !== "ended" && !this.#body && sender?.hasSegment &&
      writer.length < PULL_BYTES
    ) {
      const data = sender.writeSegment(writer);
      if (data.length < COPY_BYTES) writer.put(data);
      else this.#body = data;
      this.#lastBundle = now;
    }
    if (writer.length === 0) {
      if (this.#state === "ended") this.#receiver.close();
      return;
    }
    this.#lastOut = now;
    this.#control = new Writer(ROOM_BYTES);
    return writer.finish();
  }

  #pullBody(now: number): Uint8Array {
    const body = this.#body!;
    this.#body = undefined;
    this.#lastOut = now;
    return body;
  }

  #handle(decoded: Decoded, now: number): void {
    if (
      !this.#peer && decoded.type !== "SESS_INIT" &&
      decoded.type !== "SESS_TERM" && decoded.type !== "MSG_REJECT"
    ) throw new TcpclError("violation", `Want SESS_INIT: got ${decoded.type}`);
    switch (decoded.type) {
      case "SESS_INIT":
        return this.#open(decoded);
      case "XFER_SEGMENT":
        return this.#beginSegment(decoded, now);
      case "data":
        return this.#takeData(decoded.data, decoded.last, now);
      case "XFER_ACK": {
        const { transferId } = decoded;
        if (this.#sender!.acknowledge(decoded)) {
          this.#events.push({ type: "acknowledged", transferId });
          this.#finishIfDone();
        }
        return;
      }
      case "XFER_REFUSE":
        return this.#refused(decoded.transferId, decoded.reason);
      case "KEEPALIVE":
        return;
      case "SESS_TERM":
        return this.#takeTerm(decoded.reason, now);
      case "MSG_REJECT":
        return this.#finish(
          new TcpclError(
            "rejected",
            `The peer rejected a message of type ${decoded.messageType}: ${decoded.reason}`,
          ),
        );
    }
  }

  #open(peer: SessInit): void {
    if (this.#peer) throw new TcpclError("violation", "A second SESS_INIT");
    const fault = peer.extensions.some(({ critical }) => critical)
      ? new TcpclError("unknown", "A critical session extension")
      : faultOfNodeId(peer.nodeId) ?? this.#faultOfPeer(peer.nodeId);
    if (fault) {
      this.#sendTerm("contactFailure", false);
      return this.#finish(fault);
    }
    this.#peer = peer;
    const { active, keepaliveS, segmentBytes } = this.#options;
    if (!active) this.#sendInit();
    this.#keepaliveMs = 1_000 * Math.min(keepaliveS, peer.keepaliveS);
    this.#sender = new TransferSender(
      Math.max(1, Math.min(segmentBytes, peer.segmentMruBytes)),
    );
    if (this.#state === "opening") this.#state = "open";
    this.#events.push({ type: "open", peer });
  }

  /** RFC 9174 §4.4.4: a node that its certificate does not name is sent "Contact Failure". */
  #faultOfPeer(nodeId: string): TcpclError | undefined {
    const { isPeer = () => true } = this.#options;
    if (isPeer(nodeId)) return undefined;
    return new TcpclError("insecure", "The peer has not proved its node id");
  }

  #beginSegment(segment: XferSegment, now: number): void {
    if (segment.start && this.#peerIsEnding) {
      throw new TcpclError("violation", "A transfer after SESS_TERM");
    }
    this.#receiver.begin(
      segment,
      this.#state === "ending" ? "sessionTerminating" : undefined,
    );
    this.#lastData = now;
  }

  #takeData(data: Uint8Array, last: boolean, now: number): void {
    const bundle = this.#receiver.take(data, last);
    if (bundle) this.#events.push({ type: "bundle", ...bundle });
    this.#lastBundle = this.#lastData = now;
    this.#finishIfDone();
  }

  #refused(transferId: bigint, reason: XferRefuseReason): void {
    if (!this.#sender!.refuse(transferId)) return;
    this.#events.push(
      reason === "completed"
        ? { type: "acknowledged", transferId }
        : { type: "refused", transferId, reason },
    );
    this.#finishIfDone();
  }

  #takeTerm(reason: SessTermReason, now: number): void {
    if (!this.#peer) {
      return this.#finish(
        new TcpclError("refused", `The peer refused the contact: ${reason}`),
      );
    }
    this.#peerIsEnding = true;
    if (this.#state === "open") this.#startEnding(reason, true, now);
    this.#finishIfDone();
  }

  #end(reason: SessTermReason, now: number): void {
    if (this.#state === "opening") {
      this.#sendTerm(reason, false);
      return this.#finish(undefined);
    }
    if (this.#state === "open") this.#startEnding(reason, false, now);
  }

  #startEnding(reason: SessTermReason, reply: boolean, now: number): void {
    this.#state = "ending";
    this.#endBy = now + this.#options.endTimeoutMs;
    this.#sendTerm(reason, reply);
    const transferIds = this.#sender!.cancelWaiting();
    if (transferIds.length > 0) {
      this.#events.push({ type: "cancelled", transferIds });
    }
  }

  #settled(now: number): SessionEvent[] {
    this.#lastBundle = now;
    this.#finishIfDone();
    return this.#takeEvents();
  }

  /** Ends an ending session whose peer is ending too and in which nothing is under way; the last answers still leave. */
  #finishIfDone(): void {
    if (this.#state !== "ending" || !this.#peerIsEnding) return;
    if (this.#isIdle) this.#finish(undefined);
  }

  get #idleTimeoutMs(): number {
    const isKept = this.#peer === undefined || this.#keepaliveMs > 0;
    return Math.min(
      this.#options.idleTimeoutMs,
      isKept ? Infinity : UNKEPT_MS,
    );
  }

  /** When a bundle that comes no further is given up, whose room it would hold for ever. */
  get #stallsAt(): number {
    return this.#isPaused || !this.#receiver.isReceiving
      ? Infinity
      : this.#lastData + this.#options.stallTimeoutMs;
  }

  get #isIdle(): boolean {
    return (this.#sender?.underWay ?? 0) === 0 &&
      this.#receiver.unsettled === 0;
  }

  #fail(error: TcpclError): void {
    const reason = REJECTIONS[error.code];
    const { messageType } = this.#decoder;
    if (reason) this.#send({ type: "MSG_REJECT", reason, messageType });
    this.#finish(error);
  }

  #finish(error: TcpclError | undefined): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#events.push({ type: "ended", error });
  }

  #sendInit(): void {
    const { keepaliveS, segmentMruBytes, transferMruBytes, nodeId } =
      this.#options;
    this.#send({
      type: "SESS_INIT",
      keepaliveS,
      segmentMruBytes,
      transferMruBytes,
      nodeId,
      extensions: [],
    });
  }

  #sendTerm(reason: SessTermReason, reply: boolean): void {
    this.#send({ type: "SESS_TERM", reply, reason });
  }

  #send(message: Message): void {
    writeMessage(this.#control, message);
  }

  #takeEvents(): SessionEvent[] {
    const events = this.#events;
    if (events.length > 0) this.#events = [];
    return events;
  }
}

/** Nothing, or an endpoint ID: what is made of it must not have to fear what it is. */
function faultOfNodeId(nodeId: string): TcpclError | undefined {
  if (nodeId === "") return undefined;
  try {
    Eid.parse(nodeId);
  } catch (cause) {
    if (!(cause instanceof BundleError)) throw cause;
    return new TcpclError("malformed", "A node id that is none", { cause });
  }
}

/** How the peer is told of a fault of its own. */
const REJECTIONS: Partial<Record<TcpclError["code"], MsgRejectReason>> = {
  unknown: "typeUnknown",
  malformed: "unsupported",
  limit: "unsupported",
  violation: "unexpected",
};
