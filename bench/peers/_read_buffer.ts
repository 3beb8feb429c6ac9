/** A buffer that is small until it is filled, so that an idle stream costs little. */
export class ReadBuffer {
  /** Where to read to. */
  room = new Uint8Array(2_048);

  /** The first `length` bytes of the room, valid until more is read. */
  take(length: number): Uint8Array {
    const bytes = this.room.subarray(0, length);
    if (length === this.room.length && length < 262_144) {
      this.room = new Uint8Array(8 * length);
    }
    return bytes;
  }
}
