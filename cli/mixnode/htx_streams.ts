import { BoundedQueue } from "../../src/core/async/mod.ts";
import type { Connection } from "../../src/core/transport/mod.ts";
import type { htx } from "../../mod.ts";

/** Streams that wait to be taken; beyond that, each session's own wait in it, as many as it lets its peer open. */
const WAITING = 64;

/** The streams of all sessions of a server, as connections: a source of links. */
export class HtxStreams implements AsyncIterable<Connection>, AsyncDisposable {
  readonly #server: htx.HtxServer;
  readonly #drainMs: number;
  readonly #queue = new BoundedQueue<Connection>({ capacity: WAITING });
  readonly #stopping = new AbortController();
  readonly #serving: Promise<void>;

  /**
   * Takes over `server`, and takes what comes at once.
   *
   * @param drainMs How long streams that were taken live on after {@link close}, in milliseconds.
   */
  constructor(server: htx.HtxServer, drainMs: number) {
    this.#server = server;
    this.#drainMs = drainMs;
    this.#serving = this.#takeAll();
  }

  /** Streams until {@link close}. */
  [Symbol.asyncIterator](): AsyncIterator<Connection> {
    return this.#queue[Symbol.asyncIterator]();
  }

  /** Takes no more sessions and streams; sessions end once their streams have. */
  close(): void {
    this.#stopping.abort();
    this.#queue.close();
    for (const stream of this.#queue.drain()) stream.close();
    void this.#server.close({ drainMs: this.#drainMs });
  }

  /** Closes every session, and waits for all of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#server.close();
    await this.#serving;
  }

  async #takeAll(): Promise<void> {
    const tasks = new Set<Promise<void>>();
    for await (const session of this.#server) {
      const task = this.#takeFrom(session).finally(() => tasks.delete(task));
      tasks.add(task);
    }
    await Promise.all(tasks);
  }

  async #takeFrom(session: htx.Session): Promise<void> {
    const { signal } = this.#stopping;
    for await (const stream of session) {
      try {
        await this.#queue.push(stream, { signal });
      } catch (error) {
        if (!signal.aborted) throw error;
        stream.close();
      }
    }
  }
}
