import { type Bytes, equal } from "../../core/bytes/mod.ts";

interface Piece {
  readonly offset: number;
  readonly data: Uint8Array;
}

/** What {@link PartialPayload.insert} did. */
export type Insertion =
  | "added" // some of the bytes are new
  | "duplicate" // none is
  | "conflicting" // one is another than before: nothing was taken
  | "too_many_pieces"; // nothing was taken

/** Pieces of a payload, in order and without overlap; each is a copy. */
export class PartialPayload {
  readonly #pieces: Piece[] = [];
  readonly #maxPieces: number;
  #length = 0;

  /** Holds at most `maxPieces`. */
  constructor(maxPieces: number) {
    this.#maxPieces = maxPieces;
  }

  /** Number of bytes that are here. */
  get length(): number {
    return this.#length;
  }

  /** Number of pieces. */
  get pieces(): number {
    return this.#pieces.length;
  }

  /** Takes what is new of `data`, which begins at `offset`. */
  insert(offset: number, data: Uint8Array): Insertion {
    const end = offset + data.length;
    const first = this.#firstThatEndsAfter(offset);
    const merged: Piece[] = [];
    let fresh = 0;
    let at = offset;
    const fill = (to: number) => {
      if (to <= at) return;
      merged.push({
        offset: at,
        data: data.subarray(at - offset, to - offset),
      });
      fresh += to - at;
    };
    let next = first;
    for (; next < this.#pieces.length; next++) {
      const piece = this.#pieces[next]!;
      if (piece.offset >= end) break;
      fill(piece.offset);
      if (!agree(piece, offset, data)) return "conflicting";
      merged.push(piece);
      at = piece.offset + piece.data.length;
    }
    fill(end);
    if (fresh === 0) return "duplicate";
    const added = merged.length - (next - first);
    if (this.#pieces.length + added > this.#maxPieces) return "too_many_pieces";
    const kept = merged.map((piece) =>
      piece.data.buffer === data.buffer
        ? { ...piece, data: piece.data.slice() }
        : piece
    );
    this.#pieces.splice(first, next - first, ...kept);
    this.#length += fresh;
    return "added";
  }

  /** All pieces joined. */
  join(): Bytes {
    const out = new Uint8Array(this.#length);
    let at = 0;
    for (const { data } of this.#pieces) {
      out.set(data, at);
      at += data.length;
    }
    return out;
  }

  #firstThatEndsAfter(offset: number): number {
    let [low, high] = [0, this.#pieces.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const piece = this.#pieces[middle]!;
      if (piece.offset + piece.data.length > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** Whether `piece` and `data`, which begins at `offset`, are the same where they overlap. */
function agree(piece: Piece, offset: number, data: Uint8Array): boolean {
  const from = Math.max(piece.offset, offset);
  const to = Math.min(
    piece.offset + piece.data.length,
    offset + data.length,
  );
  return equal(
    piece.data.subarray(from - piece.offset, to - piece.offset),
    data.subarray(from - offset, to - offset),
  );
}
