import type { Writer } from "../../core/bytes/mod.ts";
import { TcpclError } from "./error.ts";
import { transferLengthItem } from "./extension_item.ts";
import { writeMessage, type XferAck } from "./message.ts";

interface Transfer {
  readonly id: bigint;
  readonly bundle: Uint8Array;
  /** Bytes that left. */
  sent: number;
  /** Bytes that the peer acknowledged. */
  acked: number;
  /** Whether the first segment left, and the last one. */
  stage: "waiting" | "leaving" | "sent";
}

/**
 * The sending half of a session (RFC 9174 §5.2): cuts bundles into segments and matches the answers. Transfers follow each other
 * without a wait for answers, as the RFC allows; their segments never mix.
 */
export class TransferSender {
  readonly #segmentBytes: number;
  /** Those without an outcome, in the order of their ids. */
  readonly #transfers = new Map<bigint, Transfer>();
  /** The next one to leave is at the head. */
  #waiting: Transfer[] = [];
  #head = 0;
  #leaving: Transfer | undefined;
  #nextId = 0n;

  /**
   * Starts with nothing to send.
   *
   * @param segmentBytes Most data bytes of a segment, at least 1.
   */
  constructor(segmentBytes: number) {
    this.#segmentBytes = segmentBytes;
  }

  /** Number of transfers whose first byte left and whose outcome is not known. */
  get underWay(): number {
    return this.#transfers.size - (this.#waiting.length - this.#head);
  }

  /** Whether a segment can leave now. */
  get hasSegment(): boolean {
    return this.#leaving !== undefined || this.#head < this.#waiting.length;
  }

  /** Puts a bundle behind those that wait, and gives the id of its transfer. */
  send(bundle: Uint8Array): bigint {
    const transfer: Transfer = {
      id: this.#nextId++,
      bundle,
      sent: 0,
      acked: 0,
      stage: "waiting",
    };
    this.#transfers.set(transfer.id, transfer);
    this.#waiting.push(transfer);
    return transfer.id;
  }

  /** Takes back a bundle of which nothing left, and says whether that was so. */
  cancel(id: bigint): boolean {
    const transfer = this.#transfers.get(id);
    if (transfer?.stage !== "waiting") return false;
    this.#transfers.delete(id);
    this.#waiting = this.#waiting.slice(this.#head)
      .filter((each) => each !== transfer);
    this.#head = 0;
    return true;
  }

  /** Takes back every bundle of which nothing left, and gives their ids. */
  cancelWaiting(): bigint[] {
    const ids = this.#waiting.slice(this.#head).map(({ id }) => id);
    for (const id of ids) this.#transfers.delete(id);
    this.#waiting = [];
    this.#head = 0;
    return ids;
  }

  /** Appends the head of the next segment, and gives its data, which follow. */
  writeSegment(writer: Writer): Uint8Array {
    const transfer = this.#leaving ??= this.#next();
    const { id, bundle, sent } = transfer;
    const start = transfer.stage === "waiting";
    const data = bundle.subarray(sent, sent + this.#segmentBytes);
    transfer.sent += data.length;
    const end = transfer.sent === bundle.length;
    transfer.stage = end ? "sent" : "leaving";
    if (end) this.#leaving = undefined;
    writeMessage(writer, {
      type: "XFER_SEGMENT",
      start,
      end,
      transferId: id,
      extensions: start && !end ? [transferLengthItem(bundle.length)] : [],
      dataLength: data.length,
    });
    return data;
  }

  /**
   * Takes an acknowledgement, and says whether the peer has the whole bundle now. Its flags do not count, since dtn7-rs leaves them
   * out. One that comes after a refusal is nothing.
   *
   * @throws {TcpclError} `violation` if it is for something that was not sent.
   */
  acknowledge({ transferId, ackedLength }: XferAck): boolean {
    const transfer = this.#sentTransfer(transferId);
    if (!transfer) return false;
    if (ackedLength < transfer.acked || ackedLength > transfer.sent) {
      throw new TcpclError("violation", "An acknowledgement of unsent bytes");
    }
    transfer.acked = ackedLength;
    if (transfer.stage !== "sent" || ackedLength < transfer.bundle.length) {
      return false;
    }
    this.#transfers.delete(transferId);
    return true;
  }

  /**
   * Takes a refusal, and says whether the bundle was still without an outcome; what is left of it does not leave.
   *
   * @throws {TcpclError} `violation` if it is for something that was not sent.
   */
  refuse(transferId: bigint): boolean {
    const transfer = this.#sentTransfer(transferId);
    if (!transfer) return false;
    this.#transfers.delete(transferId);
    if (this.#leaving === transfer) this.#leaving = undefined;
    return true;
  }

  #next(): Transfer {
    const transfer = this.#waiting[this.#head++]!;
    if (this.#head * 2 >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    return transfer;
  }

  #sentTransfer(id: bigint): Transfer | undefined {
    const transfer = this.#transfers.get(id);
    if (id >= this.#nextId || transfer?.stage === "waiting") {
      throw new TcpclError("violation", "An answer to a transfer not sent");
    }
    return transfer;
  }
}
