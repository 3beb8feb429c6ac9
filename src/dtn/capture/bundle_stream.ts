import { type Bytes, concat } from "../../core/bytes/mod.ts";
import type { ByteBudget } from "../cla/byte_budget.ts";
import { ContactError } from "../cla/contact_error.ts";
import { PushDecoder } from "../http/push_decoder.ts";
import { MtcpDecoder } from "../mtcp/mtcp_decoder.ts";
import {
  CONTACT_HEADER_BYTES,
  decodeContactHeader,
} from "../tcpcl/contact_header.ts";
import { TcpclError } from "../tcpcl/error.ts";
import { MessageDecoder } from "../tcpcl/message_decoder.ts";

/** A bundle that a stream carried whole, as its sender wrote it. */
export interface CarriedBundle {
  /** The layer that carried it. */
  readonly layer: "tcpcl" | "mtcp" | "http" | "udp";
  /** The node id that the sender gave itself in the session, if it has. */
  readonly nodeId?: string;
  /** The bundle, not decoded. */
  readonly bytes: Bytes;
}

/** What one side of a TCP connection says. */
type Reading = "unknown" | StreamLayer | "over";
type StreamLayer = "tcpcl" | "mtcp" | "http";

/** Most bytes that are looked at to tell the layer. */
const SNIFFED_BYTES = 10;
const MAX_BUNDLE_BYTES = 134_217_728;
const MAGIC = "dtn!";
const PUSH_PATH = "/push";
const TLS_HANDSHAKE = 22;
const CBOR_BYTES = 2;
const INDEFINITE_ARRAY = 0x9f;

/** Takes what one side of a TCP connection says, from its first byte, and gives the bundles in it: over TCPCLv4, MTCP, or pushed over HTTP. */
export class BundleStream {
  readonly #drop: (reason: "other" | "tls" | "broken") => void;
  readonly #budget: ByteBudget;
  #reading: Reading = "unknown";
  #first: Uint8Array = new Uint8Array();
  #isBeforeSession = true;
  #messages = new MessageDecoder();
  #mtcp: MtcpDecoder | undefined;
  #push: PushDecoder | undefined;
  #nodeId: string | undefined;
  #transfer: Uint8Array[] | undefined;
  #endsTransfer = false;

  /** Waits for the first byte; `drop` hears why nothing more comes of it, and `budget` bounds what MTCP and HTTP hold. */
  constructor(
    drop: (reason: "other" | "tls" | "broken") => void,
    budget: ByteBudget,
  ) {
    this.#drop = drop;
    this.#budget = budget;
  }

  /** Whether what came ends inside of a bundle. */
  get isInside(): boolean {
    return this.#transfer !== undefined ||
      (this.#mtcp ?? this.#push)?.isInside === true;
  }

  /** Takes the next bytes, which it may keep. */
  push(bytes: Uint8Array): CarriedBundle[] {
    const found: CarriedBundle[] = [];
    if (this.#reading === "over") return found;
    try {
      if (this.#reading === "unknown") bytes = this.#sniff(bytes);
      this.#read(bytes, found);
    } catch (error) {
      const isKnown = error instanceof TcpclError ||
        error instanceof ContactError;
      if (!isKnown) throw error;
      this.#end("broken");
    }
    return found;
  }

  /** Lets go of what came in part. */
  close(): void {
    this.#mtcp?.close();
    this.#push?.stop();
    this.#reading = "over";
  }

  /** Tells the layer, and gives what is to be read of it. */
  #sniff(bytes: Uint8Array): Uint8Array {
    const all = concat(this.#first, bytes);
    const layer = layerOf(all);
    if (layer === undefined) {
      if (all.length < SNIFFED_BYTES) this.#first = all;
      else if (isAnswers(all)) this.close();
      else this.#end("other");
      return all.subarray(0, 0);
    }
    this.#reading = layer;
    const limits = { budget: this.#budget, maxBundleBytes: MAX_BUNDLE_BYTES };
    if (layer === "mtcp") this.#mtcp = new MtcpDecoder(limits);
    if (layer === "http") {
      this.#push = new PushDecoder({ ...limits, path: PUSH_PATH });
    }
    if (layer !== "tcpcl") return all;
    decodeContactHeader(all.subarray(0, CONTACT_HEADER_BYTES));
    return all.subarray(CONTACT_HEADER_BYTES);
  }

  #read(bytes: Uint8Array, found: CarriedBundle[]): void {
    if (this.#reading === "tcpcl") this.#tcpcl(bytes, found);
    if (this.#reading === "mtcp") this.#frames(bytes, found);
    if (this.#reading === "http") this.#pushes(bytes, found);
  }

  #tcpcl(bytes: Uint8Array, found: CarriedBundle[]): void {
    if (this.#isBeforeSession && bytes.length > 0) {
      this.#isBeforeSession = false;
      if (bytes[0] === TLS_HANDSHAKE) return this.#end("tls");
    }
    for (const message of this.#messages.decode(bytes)) {
      if (message.type === "SESS_INIT") this.#nodeId = message.nodeId;
      if (message.type === "XFER_SEGMENT") {
        if (message.start) this.#transfer = [];
        this.#endsTransfer = message.end;
      }
      if (message.type !== "data" || !this.#transfer) continue;
      this.#transfer.push(message.data);
      if (!message.last || !this.#endsTransfer) continue;
      const whole = concat(...this.#transfer);
      this.#transfer = undefined;
      const nodeId = this.#nodeId || undefined;
      found.push({ layer: "tcpcl", bytes: whole, ...nodeId && { nodeId } });
    }
  }

  #frames(bytes: Uint8Array, found: CarriedBundle[]): void {
    for (const { bytes: whole, free } of this.#mtcp!.decode(bytes)) {
      free();
      found.push({ layer: "mtcp", bytes: whole });
    }
  }

  #pushes(bytes: Uint8Array, found: CarriedBundle[]): void {
    for (const event of this.#push!.decode(bytes)) {
      if (event.kind === "refused") {
        return this.#end(event.status === 404 ? "other" : "broken");
      }
      if (event.kind !== "bundle") continue;
      event.free();
      found.push({ layer: "http", bytes: event.bytes });
    }
  }

  #end(reason: "other" | "tls" | "broken"): void {
    this.close();
    this.#transfer = undefined;
    this.#drop(reason);
  }
}

/** Whether `bytes` may be a bundle: an array of indefinite length, of which the first item is an array of 8 to 11. */
export function mayBeBundle(bytes: Uint8Array): boolean {
  return bytes[0] === INDEFINITE_ARRAY && bytes[1]! >= 0x88 &&
    bytes[1]! <= 0x8b;
}

/** Whether a stream that begins with `bytes` has the answers to what the other side pushes. */
function isAnswers(bytes: Uint8Array): boolean {
  return new TextDecoder().decode(bytes.subarray(0, 7)) === "HTTP/1.";
}

/** The layer of a stream that begins with `bytes`, as far as they tell. */
function layerOf(bytes: Uint8Array): StreamLayer | undefined {
  const text = new TextDecoder().decode(bytes.subarray(0, SNIFFED_BYTES));
  if (text.startsWith(MAGIC) && bytes.length >= CONTACT_HEADER_BYTES) {
    return "tcpcl";
  }
  if (text.startsWith("POST ")) return "http";
  const info = (bytes[0] ?? 0) & 31;
  if (bytes.length === 0 || bytes[0]! >> 5 !== CBOR_BYTES || info > 27) return;
  const head = info < 24 ? 1 : 1 + 2 ** (info - 24);
  return bytes[head] === INDEFINITE_ARRAY ? "mtcp" : undefined;
}
