import type { Bytes } from "../../core/bytes/mod.ts";
import { Reader, type Writer } from "../../core/bytes/mod.ts";
import { Assembly } from "../cla/assembly.ts";
import type { ByteBudget } from "../cla/byte_budget.ts";
import { TcpclError } from "./error.ts";
import { TRANSFER_LENGTH } from "./extension_item.ts";
import {
  writeMessage,
  type XferAck,
  type XferRefuseReason,
  type XferSegment,
} from "./message.ts";

/** Options of {@link TransferReceiver}. */
export interface TransferReceiverOptions {
  /** Most data bytes of one segment. */
  readonly segmentMruBytes: number;
  /** Most bytes of one bundle. */
  readonly transferMruBytes: number;
  /** What bundles take room of until they are settled. */
  readonly budget: ByteBudget;
}

/** A bundle that came whole. */
export interface ReceivedTransfer {
  readonly transferId: bigint;
  readonly bytes: Bytes;
}

interface Transfer {
  readonly id: bigint;
  readonly assembly: Assembly;
  /** Bytes that the peer announced for all of it. */
  readonly announced: number | undefined;
  /** Acknowledgements of its segments that wait for those of earlier transfers. */
  acks: XferAck[];
  /** Whether the last of {@link acks} waits for the node, or was released by it. */
  stage: "coming" | "held" | "accepted";
}

/** Acknowledgements that may wait; beyond them nothing more is read. */
const MAX_WAITING_ACKS = 4_096;

/**
 * The receiving half of a session (RFC 9174 §5.2): assembles bundles and answers for their segments.
 *
 * Each segment is acknowledged when it has come, the last one when the bundle is accepted. Acknowledgements leave in the order of the
 * segments, since peers match them in that order; refusals leave at once.
 */
export class TransferReceiver {
  readonly #options: TransferReceiverOptions;
  /** Those not wholly acknowledged, the oldest first. */
  readonly #transfers = new Map<bigint, Transfer>();
  #refusals: { transferId: bigint; reason: XferRefuseReason }[] = [];
  #current: Transfer | undefined;
  /** The transfer that was refused while it came; what comes of it is skipped. */
  #skipped: bigint | undefined;
  #segment: XferSegment | undefined;
  #segmentLeft = 0;
  #waitingAcks = 0;
  #unsettled = 0;
  #refused = 0;

  /** Starts with nothing under way. */
  constructor(options: TransferReceiverOptions) {
    this.#options = options;
  }

  /** Whether the peer may go on: false while too many answers wait. */
  get wantsInput(): boolean {
    return this.#waitingAcks + this.#refusals.length < MAX_WAITING_ACKS;
  }

  /** Whether a bundle has come in part. */
  get isReceiving(): boolean {
    return this.#current !== undefined;
  }

  /** Number of bundles that came in part, or whole without being accepted or refused. */
  get unsettled(): number {
    return this.#unsettled;
  }

  /** Number of bundles refused here rather than by the node. */
  get refused(): number {
    return this.#refused;
  }

  /**
   * Takes the head of a segment.
   *
   * @param refusal Why no new transfer is taken, if none is.
   * @throws {TcpclError} `violation` if it does not continue what came, `limit` if it is longer than a segment may be.
   */
  begin(segment: XferSegment, refusal?: XferRefuseReason): void {
    const { start, transferId, dataLength } = segment;
    if (dataLength > this.#options.segmentMruBytes) {
      throw new TcpclError(
        "limit",
        `Want at most ${this.#options.segmentMruBytes} bytes in a segment: got ${dataLength}`,
      );
    }
    this.#segment = segment;
    this.#segmentLeft = dataLength;
    if (start) this.#start(segment, refusal);
    else if (
      this.#current?.id !== transferId && this.#skipped !== transferId
    ) {
      throw new TcpclError("violation", "A segment continues no transfer");
    }
    const current = this.#current;
    if (!current) return;
    const length = current.assembly.length + dataLength;
    const { announced, id } = current;
    if (
      length > this.#options.transferMruBytes ||
      announced !== undefined && length > announced
    ) this.#refuseCurrent(id, "notAcceptable");
  }

  /** Takes data of the segment; `last` ends it. Gives the bundle that it completes. */
  take(data: Uint8Array, last: boolean): ReceivedTransfer | undefined {
    const current = this.#current;
    const segment = this.#segment!;
    this.#segmentLeft -= data.length;
    if (!current) {
      if (last && segment.end) this.#skipped = undefined;
      return;
    }
    const { assembly, id, announced } = current;
    const expected = announced ??
      assembly.length + data.length + this.#segmentLeft;
    if (data.length > 0 && !assembly.append(data, expected)) {
      this.#refuseCurrent(id, "noResources");
      if (last && segment.end) this.#skipped = undefined;
      return;
    }
    if (!last) return;
    return this.#endSegment(current, segment);
  }

  /** Refuses the bundle that has come in part; what is left of it is skipped. */
  giveUp(): void {
    if (this.#current) this.#refuseCurrent(this.#current.id, "retransmit");
  }

  /** Releases the acknowledgement of a bundle; nothing happens if it is not held. */
  accept(transferId: bigint): void {
    const transfer = this.#transfers.get(transferId);
    if (transfer?.stage !== "held") return;
    transfer.stage = "accepted";
    this.#unsettled--;
    transfer.assembly.free();
  }

  /** Refuses a bundle that is held; nothing happens if it is not. */
  refuse(transferId: bigint, reason: XferRefuseReason): void {
    const transfer = this.#transfers.get(transferId);
    if (transfer?.stage !== "held") return;
    this.#forget(transfer);
    this.#refusals.push({ transferId, reason });
  }

  /** Appends the answers that may leave, as long as `writer` holds less than `maxBytes`. */
  write(writer: Writer, maxBytes: number): void {
    for (const { transferId, reason } of this.#refusals) {
      writeMessage(writer, { type: "XFER_REFUSE", transferId, reason });
    }
    if (this.#refusals.length > 0) this.#refusals = [];
    for (const transfer of this.#transfers.values()) {
      const { acks, stage } = transfer;
      const free = stage === "held" ? acks.length - 1 : acks.length;
      for (const ack of acks.splice(0, free)) {
        writeMessage(writer, ack);
        this.#waitingAcks--;
      }
      if (stage !== "accepted") return;
      this.#transfers.delete(transfer.id);
      if (writer.length >= maxBytes) return;
    }
  }

  /** Lets go of all that came in part or was not settled. */
  close(): void {
    for (const { assembly } of this.#transfers.values()) assembly.free();
    this.#transfers.clear();
    this.#unsettled = 0;
    this.#current = undefined;
  }

  #start(segment: XferSegment, refusal: XferRefuseReason | undefined): void {
    const { transferId } = segment;
    if (this.#current || this.#transfers.has(transferId)) {
      throw new TcpclError("violation", "A transfer starts inside another");
    }
    this.#skipped = undefined;
    const announced = announcedLength(segment);
    const reason = refusal ?? this.#startRefusal(segment, announced);
    if (reason) {
      this.#refused++;
      this.#skipped = transferId;
      this.#refusals.push({ transferId, reason });
      return;
    }
    this.#current = {
      id: transferId,
      assembly: new Assembly(this.#options.budget),
      announced,
      acks: [],
      stage: "coming",
    };
    this.#transfers.set(transferId, this.#current);
    this.#unsettled++;
  }

  #startRefusal(
    { extensions }: XferSegment,
    announced: number | undefined,
  ): XferRefuseReason | undefined {
    if (
      extensions.some((item) => item.critical && !isTransferLength(item))
    ) return "extensionFailure";
    if (announced !== undefined && announced > this.#options.transferMruBytes) {
      return "notAcceptable";
    }
  }

  #endSegment(
    current: Transfer,
    { start, end, transferId }: XferSegment,
  ): ReceivedTransfer | undefined {
    const { assembly, announced } = current;
    if (end && announced !== undefined && assembly.length !== announced) {
      this.#refuseCurrent(transferId, "notAcceptable");
      this.#skipped = undefined;
      return;
    }
    current.acks.push({
      type: "XFER_ACK",
      start,
      end,
      transferId,
      ackedLength: assembly.length,
    });
    this.#waitingAcks++;
    if (!end) return;
    current.stage = "held";
    this.#current = undefined;
    return { transferId, bytes: assembly.finish() };
  }

  #refuseCurrent(transferId: bigint, reason: XferRefuseReason): void {
    this.#refused++;
    this.#forget(this.#current!);
    this.#current = undefined;
    this.#skipped = transferId;
    this.#refusals.push({ transferId, reason });
  }

  #forget(transfer: Transfer): void {
    this.#waitingAcks -= transfer.acks.length;
    this.#unsettled--;
    this.#transfers.delete(transfer.id);
    transfer.assembly.free();
  }
}

/**
 * What the peer says about the length of the bundle. An item of another size is no Transfer Length: dtn7-rs has bundle ids under the
 * same type.
 */
function announcedLength({ extensions }: XferSegment): number | undefined {
  const item = extensions.find(isTransferLength);
  return item && Number(new Reader(item.value, "Transfer Length").u64());
}

function isTransferLength(
  { type, value }: { readonly type: number; readonly value: Uint8Array },
): boolean {
  return type === TRANSFER_LENGTH && value.length === 8;
}
