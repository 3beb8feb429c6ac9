/** Most bytes that wait behind a gap. */
export const MAX_PENDING_BYTES = 65_536;

/** Most pieces that wait behind a gap. */
export const MAX_PENDING_PIECES = 256;

interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/**
 * Puts the pieces of a stream in order. Of bytes that come twice the first count, as far as they were not passed on yet the
 * piece that starts earlier.
 *
 * What waits behind a gap is bounded by {@link MAX_PENDING_BYTES} and {@link MAX_PENDING_PIECES}; a piece beyond is refused.
 */
export class Reassembly {
  #next = 0;
  #pending: Piece[] = [];
  #pendingBytes = 0;

  /** Offset of the first byte that was not passed on yet. */
  get next(): number {
    return this.#next;
  }

  /** Whether something waits behind a gap. */
  get hasGap(): boolean {
    return this.#pending.length > 0;
  }

  /** Takes `bytes` of the stream from `offset` on, and returns what is now in order; `undefined` if they are refused. */
  insert(offset: number, bytes: Uint8Array): Uint8Array[] | undefined {
    if (offset > this.#next) return this.#wait(offset, bytes) ? [] : undefined;
    const ready: Uint8Array[] = [];
    this.#pass({ offset, bytes }, ready);
    while (this.#pending[0] && this.#pending[0].offset <= this.#next) {
      const piece = this.#pending.shift()!;
      this.#pendingBytes -= piece.bytes.length;
      this.#pass(piece, ready);
    }
    return ready;
  }

  #pass({ offset, bytes }: Piece, ready: Uint8Array[]): void {
    const fresh = bytes.subarray(Math.min(this.#next - offset, bytes.length));
    if (fresh.length === 0) return;
    this.#next += fresh.length;
    ready.push(fresh);
  }

  #wait(offset: number, bytes: Uint8Array): boolean {
    const at = this.#pending.findIndex((piece) => piece.offset >= offset);
    const same = this.#pending[at];
    if (same?.offset === offset && same.bytes.length >= bytes.length) {
      return true;
    }
    if (
      this.#pending.length >= MAX_PENDING_PIECES ||
      this.#pendingBytes + bytes.length > MAX_PENDING_BYTES
    ) return false;
    this.#pending.splice(at < 0 ? this.#pending.length : at, 0, {
      offset,
      bytes,
    });
    this.#pendingBytes += bytes.length;
    return true;
  }
}
