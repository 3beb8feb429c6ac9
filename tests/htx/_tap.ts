import type { Bytes } from "../../src/core/bytes/mod.ts";
import type { Connection } from "../../src/core/transport/mod.ts";

/** `connection`, telling `onWrite` a copy of everything written, ahead of its departure. */
export function tap(
  connection: Connection,
  onWrite: (bytes: Bytes) => void,
): Connection {
  return {
    localAddress: connection.localAddress,
    remoteAddress: connection.remoteAddress,
    closed: connection.closed,
    get readable() {
      return connection.readable;
    },
    get writable() {
      return connection.writable;
    },
    read: (buffer) => connection.read(buffer),
    write(bytes) {
      onWrite(new Uint8Array(bytes));
      return connection.write(bytes);
    },
    closeWrite: () => connection.closeWrite(),
    close: () => connection.close(),
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}
