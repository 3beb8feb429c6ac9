import { type Bytes, encodeCbor } from "../../core/bytes/mod.ts";
import { FieldReader } from "../field_reader.ts";
import { EPOCH_ID_LENGTH } from "./commit_rank.ts";

/** An epoch that a member has decided for. */
export interface EpochAck {
  /** Its number. */
  readonly epoch: number;
  /** Its name, in hexadecimal. */
  readonly id: string;
}

const MAX_ACKS = 64;
const read = new FieldReader("acknowledgements");

/** Decisions as a body: an array of 1 to 64 × [epoch, 32B name]. */
export function encodeAcks(acks: readonly EpochAck[]): Bytes {
  return encodeCbor(
    acks.slice(-MAX_ACKS).map(({ epoch, id }) => [
      epoch,
      Uint8Array.fromHex(id),
    ]),
  );
}

/**
 * The decisions of a body.
 *
 * @throws {DecodeError} If it is malformed.
 */
export function decodeAcks(body: Uint8Array): readonly EpochAck[] {
  const options = { maxDepth: 2, maxItems: 3 * MAX_ACKS + 1 };
  return read.list(body, MAX_ACKS, options).map((each) => {
    const [epoch, id] = read.array(each, 2, 2);
    return {
      epoch: read.unsigned(epoch!),
      id: read.bytes(id!, EPOCH_ID_LENGTH).toHex(),
    };
  });
}
