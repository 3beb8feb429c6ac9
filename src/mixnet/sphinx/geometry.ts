/** Bytes of a Sphinx header: alpha 32, header MAC 16, beta 300. */
export const HEADER_LENGTH = 348;

/** What the payload adds to a message: 16 zero bytes and the byte 0x01 before the padding. */
export const PAYLOAD_OVERHEAD = 17;

/** The sizes of every packet of a network, in bytes; the payload's length decides the others. */
export interface SphinxGeometry {
  /** Of the encrypted payload (delta). */
  readonly payloadLength: number;
  /** Of a whole packet, header included. */
  readonly packetLength: number;
  /** Of the longest message that fits. */
  readonly messageLength: number;
}

/**
 * The geometry of packets with `payloadLength` bytes of payload.
 *
 * @param payloadLength 33, one more than the left part of LIONESS, to 65,535.
 * @throws {RangeError} If it is out of range.
 */
export function sphinxGeometry(payloadLength: number): SphinxGeometry {
  if (
    !Number.isInteger(payloadLength) || payloadLength < 33 ||
    payloadLength > 65_535
  ) {
    throw new RangeError(
      `A payload has 33 to 65,535 bytes: got ${payloadLength}`,
    );
  }
  return {
    payloadLength,
    packetLength: HEADER_LENGTH + payloadLength,
    messageLength: payloadLength - PAYLOAD_OVERHEAD,
  };
}

/** Nym's regular packet: 2,413 bytes, messages of up to 2,048. */
export const REGULAR: SphinxGeometry = sphinxGeometry(2_065);

/** Packets of 2,048 bytes, messages of up to 1,683. */
export const COMPACT: SphinxGeometry = sphinxGeometry(1_700);
