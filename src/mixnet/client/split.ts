import { fragmentRoom, MAX_FRAGMENTS } from "./packet_body.ts";

/** Which part of a message a fragment carries. */
export interface Piece {
  /** Of its first byte. */
  readonly start: number;
  /** Behind its last byte. */
  readonly end: number;
  /** How many SURBs go beside it. */
  readonly surbs: number;
}

/** Most SURBs in one fragment of `bodyLength` bytes. */
export function fragmentSurbs(bodyLength: number): number {
  let surbs = 0;
  while (fragmentRoom(bodyLength, surbs + 1) >= 0) surbs++;
  return surbs;
}

/**
 * How a message of `length` bytes with `surbs` SURBs is cut into fragments, each sealed in a body of `bodyLength` bytes: SURBs go
 * first, as many as fit in each, and the message takes the room that is left.
 *
 * @throws {RangeError} If that takes more than {@link MAX_FRAGMENTS}.
 */
export function split(
  length: number,
  surbs: number,
  bodyLength: number,
): Piece[] {
  const most = fragmentSurbs(bodyLength);
  const pieces: Piece[] = [];
  let start = 0;
  let left = surbs;
  do {
    const here = Math.min(left, most);
    const end = Math.min(length, start + fragmentRoom(bodyLength, here));
    pieces.push({ start, end, surbs: here });
    start = end;
    left -= here;
    if (pieces.length > MAX_FRAGMENTS) {
      throw new RangeError(
        `A message has at most ${MAX_FRAGMENTS} fragments: ${length} bytes are too many`,
      );
    }
  } while (start < length || left > 0);
  return pieces;
}
