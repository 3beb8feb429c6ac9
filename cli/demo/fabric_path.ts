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

  /** Breaks every connection, and those to come. */
  cut(): void {
    this.#isCut = true;
    for (const each of this.#open) each.close();
  }

  /** Lets connections through again. */
  mend(): void {
    this.#isCut = false;
  }

  /** Cuts it for good. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#listener.close();
    await this.#accepting;
    await this.#listener[Symbol.asyncDispose]();
  }

  async #accept(): Promise<void> {
    const passing: Promise<void>[] = [];
    for await (const connection of this.#listener) {
      if (this.#isCut || this.to === undefined) connection.close();
      else passing.push(this.#pass(connection, this.to));
    }
    await Promise.all(passing);
  }

  async #pass(from: Connection, port: number): Promise<void> {
    this.#open.add(from);
    try {
      await using to = await dialTcp(`tcp://127.0.0.1:${port}`);
      this.#open.add(to);
      if (this.#isCut) return;
      await Promise.all([copy(from, to), copy(to, from)]);
      this.#open.delete(to);
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
    } finally {
      from.close();
      this.#open.delete(from);
    }
  }
}

/** Copies until the end; a break at one side breaks the other. */
async function copy(from: Connection, to: Connection): Promise<void> {
  const buffer = new Uint8Array(PART_BYTES);
  try {
    for (;;) {
      const count = await from.read(buffer);
      if (count === null) return await to.closeWrite();
      await to.write(buffer.subarray(0, count));
    }
  } catch (error) {
    from.close();
    to.close();
    if (!(error instanceof TransportError)) throw error;
  }
}
