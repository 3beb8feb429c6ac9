import type { Bytes } from "../bytes/mod.ts";
import type { Connection } from "./connection.ts";

const CHUNK_BYTES = 65_536;

/** What `connection.read` gives, in chunks of up to 64 KiB that are read when asked for. */
export function readableOf(
  connection: Pick<Connection, "read">,
  cancel: () => void,
): ReadableStream<Bytes> {
  return new ReadableStream({
    type: "bytes",
    autoAllocateChunkSize: CHUNK_BYTES,
    async pull(controller) {
      const request = controller.byobRequest!;
      const { buffer, byteOffset, byteLength } = request.view!;
      const length = await connection.read(
        new Uint8Array(buffer, byteOffset, byteLength),
      );
      if (length === null) controller.close();
      request.respond(length ?? 0);
    },
    cancel,
  });
}

/** What `connection.write` takes. */
export function writableOf(
  connection: Pick<Connection, "write" | "closeWrite" | "close">,
): WritableStream<Uint8Array> {
  return new WritableStream({
    write: (bytes) => connection.write(bytes),
    close: () => connection.closeWrite(),
    abort: () => connection.close(),
  });
}
