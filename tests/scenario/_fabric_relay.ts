import {
  type Address,
  type Connection,
  dialTcp,
  type Listener,
  listenTcp,
} from "../../src/core/transport/mod.ts";

/** A TCP relay of this process before a server that may move: it can cut what goes through it in the midst of a byte stream. */
export class CuttableRelay implements Disposable {
  /** Where to connect. */
  readonly address: Address;
  /** Connections cut. */
  cuts = 0;
  #target: Address | undefined;
  #isCut = false;
  readonly #listener: Listener = listenTcp("tcp://127.0.0.1:0");
  readonly #ends = new Set<Connection>();

  /** Starts without a target. */
  constructor() {
    this.address = this.#listener.address;
    void this.#serve();
  }

  /** Where connections go from now on; nowhere if `undefined`. */
  set target(address: Address | undefined) {
    this.#target = address;
  }

  /** Drops every connection, and takes none. */
  cut(): void {
    this.#isCut = true;
    this.cuts += this.#ends.size / 2;
    for (const end of this.#ends) end.close();
  }

  /** Takes connections again. */
  mend(): void {
    this.#isCut = false;
  }

  [Symbol.dispose](): void {
    this.cut();
    this.#listener.close();
  }

  async #serve(): Promise<void> {
    for await (const near of this.#listener) {
      void this.#relay(near).catch(() => near.close());
    }
  }

  async #relay(near: Connection): Promise<void> {
    if (this.#isCut || !this.#target) return near.close();
    const far = await dialTcp(this.#target);
    // It may have been cut meanwhile.
    if (this.#isCut) {
      near.close();
      return far.close();
    }
    const ends = [near, far];
    for (const end of ends) this.#ends.add(end);
    await Promise.all([copy(near, far), copy(far, near)]);
    for (const end of ends) {
      end.close();
      this.#ends.delete(end);
    }
  }
}

async function copy(from: Connection, to: Connection): Promise<void> {
  const buffer = new Uint8Array(65_536);
  try {
    for (let n; (n = await from.read(buffer)) !== null;) {
      await to.write(buffer.subarray(0, n));
    }
    await to.closeWrite();
  } catch {
    from.close();
    to.close();
  }
}
