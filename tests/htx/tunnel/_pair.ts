import { concat } from "../../../src/core/bytes/mod.ts";
import {
  type Connection,
  MemoryNetwork,
} from "../../../src/core/transport/mod.ts";

/** Two ends of a memory connection that holds `bufferBytes` each way. */
export async function connectionPair(
  bufferBytes = 262_144,
): Promise<[Connection, Connection]> {
  const network = new MemoryNetwork({ bufferBytes });
  await using listener = await network.transport("a").listen("memory://a");
  const near = await network.transport("b").dial("memory://a");
  const { value } = await listener[Symbol.asyncIterator]().next();
  return [near, value];
}

/** Everything that comes until the peer ends its side. */
export async function readAll(
  from: Pick<Connection, "read">,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(65_536);
  for (let n; (n = await from.read(buffer)) !== null;) {
    parts.push(buffer.slice(0, n));
  }
  return concat(...parts);
}

/** Reads until `length` bytes came. */
export async function readExactly(
  from: Pick<Connection, "read">,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const n = await from.read(bytes.subarray(at));
    if (n === null) throw new Error(`Want ${length} bytes: got ${at}`);
    at += n;
  }
  return bytes;
}

/** The bytes as UTF-8. */
export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
