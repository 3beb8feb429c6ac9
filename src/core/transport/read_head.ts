import type { Connection } from "./connection.ts";
import { TransportError } from "./error.ts";
import { type Decoded, HTTP_HEAD_LIMIT } from "./http_head.ts";

const FIRST_READ_BYTES = 1024;

/** A head and the bytes that came behind it. */
export interface ReadHead<Head> {
  /** The head. */
  readonly head: Head;
  /** Bytes that were read but belong to what follows. */
  readonly leftover: Uint8Array;
}

/**
 * Reads from `connection` until `decode`, such as `decodeRequestHead`, has a whole head.
 *
 * Bound the wait by closing the connection.
 *
 * @throws {DecodeError} If the head is malformed or too long.
 * @throws {TransportError} If the connection breaks or ends first.
 */
export async function readHead<Head>(
  connection: Pick<Connection, "read">,
  decode: (bytes: Uint8Array) => Decoded<Head> | undefined,
): Promise<ReadHead<Head>> {
  let buffer = new Uint8Array(FIRST_READ_BYTES);
  for (let length = 0;;) {
    const count = await connection.read(buffer.subarray(length));
    if (count === null) {
      throw new TransportError("reset", "The connection ended in its head");
    }
    length += count;
    const decoded = decode(buffer.subarray(0, length));
    if (decoded) {
      const { head } = decoded;
      return { head, leftover: buffer.slice(decoded.length, length) };
    }
    if (length === buffer.length) {
      const larger = new Uint8Array(Math.min(2 * length, HTTP_HEAD_LIMIT));
      larger.set(buffer);
      buffer = larger;
    }
  }
}
