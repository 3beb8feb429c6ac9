import { CliError } from "../_error.ts";
import { digestOf, PIECE_BYTES } from "./content.ts";

/** What a download must turn out to be. */
export interface Expected {
  /** What a person calls it, e.g. `page 17`. */
  readonly name: string;
  /** Its length. */
  readonly sizeBytes: number;
  /** The SHA-256 of each of its pieces, in hex. */
  readonly digests: readonly string[];
}

/**
 * Reads `body` to its end and compares the SHA-256 of every piece; `onBytes` hears how many bytes came.
 *
 * @throws {CliError} `failed` at the first piece that differs, and if the body is shorter or longer.
 */
export async function checkBody(
  body: AsyncIterable<Uint8Array>,
  { name, sizeBytes, digests }: Expected,
  onBytes: (count: number) => void = () => {},
): Promise<void> {
  let doneBytes = 0;
  let index = 0;
  for await (const piece of regroup(body, sizeBytes, onBytes)) {
    const end = doneBytes + piece.length;
    if (end > sizeBytes) throw fault(name, `has more than ${sizeBytes} bytes`);
    if (end < sizeBytes && piece.length < PIECE_BYTES) {
      throw fault(name, `ended after ${end} of ${sizeBytes} bytes`);
    }
    const got = digestOf(piece);
    const want = digests[index++];
    if (got !== want) {
      const where = `from byte ${doneBytes} to ${end} of ${sizeBytes}`;
      throw fault(name, `differs ${where}: SHA-256 ${got}, wanted ${want}`);
    }
    doneBytes = end;
  }
  if (doneBytes < sizeBytes) {
    throw fault(name, `ended after ${doneBytes} of ${sizeBytes} bytes`);
  }
}

/** Joins and splits what comes into pieces, which share one buffer: only the last is shorter. */
async function* regroup(
  body: AsyncIterable<Uint8Array>,
  sizeBytes: number,
  onBytes: (count: number) => void,
): AsyncGenerator<Uint8Array, void> {
  const piece = new Uint8Array(Math.min(PIECE_BYTES, sizeBytes + 1));
  let length = 0;
  for await (let bytes of body) {
    onBytes(bytes.length);
    while (bytes.length > 0) {
      const part = bytes.subarray(0, piece.length - length);
      piece.set(part, length);
      bytes = bytes.subarray(part.length);
      length += part.length;
      if (length < piece.length) break;
      yield piece;
      length = 0;
    }
  }
  if (length > 0) yield piece.subarray(0, length);
}

function fault(name: string, what: string): CliError {
  return new CliError("failed", `The ${name} ${what}`);
}
