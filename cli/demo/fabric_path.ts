import {
  type Connection,
  dialTcp,
  listenTcp,
  TransportError,
} from "../../src/core/transport/mod.ts";

const PART_BYTES = 65_536;

/** A way over TCP to somebody on this machine, which can be cut and mended. */
export class BreakablePath implements AsyncDisposable {
  /** The port at which it begins. */
  readonly port: number;
  /** The port at which it ends; connections are dropped before it is known. */
  to: number | undefined;
  readonly #listener: Awaited<ReturnType<typeof listenTcp>>;
  readonly #open = new Set<Connection>();
  readonly #accepting: Promise<void>;
  #isCut = false;

  private constructor(listener: Awaited<ReturnType<typeof listenTcp>>) {
    this.#listener = listener;
    this.port = Number(listener.address.split(":").at(-1));
    this.#accepting = this.#accept();
  }

  /** Begins at a port that the system chooses. */
  static async make(): Promise<BreakablePath> {
    return new BreakablePath(await listenTcp("tcp://127.0.0.1:0"));
  }

  /** Lets nothing through any more, of connections that are open and of those to come, and says nothing about it. */
  cut(): void {
    this.#isCut = true;
  }

  /** Lets new connections through again; those that have lost something break. */
  mend(): void {
    this.#isCut = false;
    this.#break();
  }

  /** Breaks it for good. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#break();
    this.#listener.close();
    await this.#accepting;
    await this.#listener[Symbol.asyncDispose]();
  }

  async #accept(): Promise<void> {
    const passing: Promise<void>[] = [];
    for await (const connection of this.#listener) {
      if (this.to === undefined) connection.close();
      else if (this.#isCut) this.#open.add(connection);
      else passing.push(this.#pass(connection, this.to));
    }
    await Promise.all(passing);
  }

  async #pass(from: Connection, port: number): Promise<void> {
    this.#open.add(from);
    try {
      await using to = await dialTcp(`tcp://127.0.0.1:${port}`);
      this.#open.add(to);
      await Promise.all([this.#copy(from, to), this.#copy(to, from)]);
      this.#open.delete(to);
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
    } finally {
      from.close();
      this.#open.delete(from);
    }
  }

  #break(): void {
    for (const each of this.#open) each.close();
    this.#open.clear();
  }

  /** Copies until the end; a break at one side breaks the other, unless the path is cut: then what comes is lost. */
  async #copy(from: Connection, to: Connection): Promise<void> {
    const buffer = new Uint8Array(PART_BYTES);
    try {
      for (;;) {
        const count = await from.read(buffer);
        if (this.#isCut) {
          if (count === null) return;
          continue;
        }
        if (count === null) return await to.closeWrite();
        await to.write(buffer.subarray(0, count));
      }
    } catch (error) {
      if (!this.#isCut) {
        from.close();
        to.close();
      }
      if (!(error instanceof TransportError)) throw error;
    }
  }
}
