import type { Bytes } from "../../src/core/bytes/mod.ts";
import type { Connection, Listener } from "../../src/core/transport/mod.ts";

/** One write to a connection, as an observer of the link sees it. */
export interface LinkWrite {
  /** When, in milliseconds of the run's clock. */
  readonly atMs: number;
  /** What. */
  readonly bytes: Uint8Array;
}

/** All that went one way over one link. */
export interface LinkTrace {
  /** Of which host. */
  readonly from: string;
  /** To which host. */
  readonly to: string;
  /** In order. */
  readonly writes: readonly LinkWrite[];
}

/** An observer of every link. */
export class LinkRecorder {
  readonly #now: () => number;
  readonly #traces = new Map<string, LinkTrace & { writes: LinkWrite[] }>();

  /** Begins with no traces. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** What was seen so far. */
  get traces(): readonly LinkTrace[] {
    return [...this.#traces.values()];
  }

  /** `connection`, of which what is written is recorded, as `seen` if that is given. */
  tap(
    from: string,
    to: string,
    connection: Connection,
    seen = (bytes: Uint8Array) => bytes,
  ): Connection {
    const trace = this.#traces.getOrInsertComputed(
      `${from} ${to}`,
      () => ({ from, to, writes: [] }),
    );
    return wrapWrites(connection, (bytes) => {
      trace.writes.push({ atMs: this.#now(), bytes: seen(bytes.slice()) });
      return connection.write(bytes);
    });
  }

  /** The connections that `listener` accepts, tapped; `hostOf` tells who is at an address. */
  tapListener(
    name: string,
    listener: Listener,
    hostOf: (address: string) => string,
  ): AsyncIterable<Connection> & Pick<Listener, "address" | "close"> {
    const tap = (connection: Connection) =>
      this.tap(name, hostOf(connection.remoteAddress), connection);
    return {
      address: listener.address,
      async *[Symbol.asyncIterator]() {
        for await (const connection of listener) yield tap(connection);
      },
      close: () => listener.close(),
    };
  }
}

/** `connection`, with another way to write. */
export function wrapWrites(
  connection: Connection,
  write: (bytes: Uint8Array) => Promise<void>,
): Connection {
  return {
    get localAddress(): string {
      return connection.localAddress;
    },
    get remoteAddress(): string {
      return connection.remoteAddress;
    },
    get closed(): Promise<void> {
      return connection.closed;
    },
    get readable(): ReadableStream<Bytes> {
      return connection.readable;
    },
    get writable(): WritableStream<Uint8Array> {
      return new WritableStream({ write });
    },
    read: (buffer) => connection.read(buffer),
    write,
    closeWrite: () => connection.closeWrite(),
    close: () => connection.close(),
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}
