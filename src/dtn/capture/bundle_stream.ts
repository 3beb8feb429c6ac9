import { type Bytes, concat } from "../../core/bytes/mod.ts";
import type { ByteBudget } from "../cla/byte_budget.ts";
import { ContactError } from "../cla/contact_error.ts";
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
  readonly layer: "tcpcl" | "mtcp" | "udp";
  /** The node id that the sender gave itself in the session, if it has. */
  readonly nodeId?: string;
  /** The bundle, not decoded. */
  readonly bytes: Bytes;
}

/** What one side of a TCP connection says. */
type Reading = "unknown" | "tcpcl" | "mtcp" | "over";

/** Most bytes that are looked at to tell the layer. */
const SNIFFED_BYTES = 10;
const MAX_BUNDLE_BYTES = 134_217_728;
const MAGIC = "dtn!";
const TLS_HANDSHAKE = 22;
const CBOR_BYTES = 2;
const INDEFINITE_ARRAY = 0x9f;

/** Takes what one side of a TCP connection says, from its first byte, and gives the bundles in it: over TCPCLv4, or MTCP. */
export class BundleStream {
  readonly #drop: (reason: "other" | "tls" | "broken") => void;
  readonly #budget: ByteBudget;
  #reading: Reading = "unknown";
  #first: Uint8Array = new Uint8Array();
  #isBeforeSession = true;
  #messages = new MessageDecoder();
  #mtcp: MtcpDecoder | undefined;
  #nodeId: string | undefined;
  #transfer: Uint8Array[] | undefined;
  #endsTransfer = false;

  /** Waits for the first byte; `drop` hears why nothing more comes of it, and `budget` bounds what MTCP holds. */
  constructor(
    drop: (reason: "other" | "tls" | "broken") => void,
    budget: ByteBudget,
  ) {
    this.#drop = drop;
    this.#budget = budget;
  }

  /** Whether what came ends inside of a bundle. */
  get isInside(): boolean {
    return this.#transfer !== undefined || (this.#mtcp?.isInside ?? false);
  }

  /** Takes the next bytes, which it may keep. */
  push(bytes: Uint8Array): CarriedBundle[] {
    const found: CarriedBundle[] = [];
    if (this.#reading === "over") return found;
    try {
      if (this.#reading === "unknown") bytes = this.#sniff(bytes);
      const isTcpcl = this.#reading === "tcpcl";
      if (isTcpcl) this.#tcpcl(bytes, found);
      else if (this.#reading === "mtcp") this.#bundles(bytes, found);
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
    this.#reading = "over";
  }

  /** Tells the layer, and gives what is to be read of it. */
  #sniff(bytes: Uint8Array): Uint8Array {
    const all = concat(this.#first, bytes);
    const layer = layerOf(all);
    if (layer === undefined && all.length < SNIFFED_BYTES) this.#first = all;
    else if (layer === undefined) this.#end("other");
    else {
      this.#reading = layer;
      if (layer === "mtcp") {
        const budget = this.#budget;
        this.#mtcp = new MtcpDecoder({
          budget,
          maxBundleBytes: MAX_BUNDLE_BYTES,
        });
      } else decodeContactHeader(all.subarray(0, CONTACT_HEADER_BYTES));
      return layer === "mtcp" ? all : all.subarray(CONTACT_HEADER_BYTES);
    }
    return all.subarray(0, 0);
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

  #bundles(bytes: Uint8Array, found: CarriedBundle[]): void {
    for (const { bytes: whole, free } of this.#mtcp!.decode(bytes)) {
      free();
      found.push({ layer: "mtcp", bytes: whole });
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

/** The layer of a stream that begins with `bytes`, as far as they tell. */
function layerOf(bytes: Uint8Array): "tcpcl" | "mtcp" | undefined {
  const magic = new TextDecoder().decode(bytes.subarray(0, 4));
  if (magic === MAGIC && bytes.length >= CONTACT_HEADER_BYTES) return "tcpcl";
  const info = (bytes[0] ?? 0) & 31;
  if (bytes.length === 0 || bytes[0]! >> 5 !== CBOR_BYTES || info > 27) return;
  const head = info < 24 ? 1 : 1 + 2 ** (info - 24);
  return bytes[head] === INDEFINITE_ARRAY ? "mtcp" : undefined;
}
