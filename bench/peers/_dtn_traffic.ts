import { assert, assertEquals } from "@std/assert";
import {
  type Contact,
  type ContactListener,
  createBundle,
  decodeBundle,
  dtnTime,
  Eid,
  encodeBundle,
  payloadOf,
  QUIRKS,
  TcpclLayer,
} from "../../src/dtn/mod.ts";

const DESTINATION = Eid.parse("dtn://sink/in");
/** Nobody is there. */
const AWAY = Eid.parse("dtn://away/in");
const ECHO = Eid.parse("dtn://relay/echo");
const GENERATOR = Eid.parse("dtn://generator/out");
const SINK = Eid.parse("dtn://sink/ping");
const LIFETIME_MS = 3_600_000;
/** What the generator has under way, so that no relay is given more than it acknowledges. */
const WINDOW = { maxCount: 256, maxBytes: 16 * 1024 * 1024 };
const PATIENCE_MS = 110_000;

/** The two ends of a relay, in this process: `dtn://generator/` gives it bundles, `dtn://sink/` takes them, both over TCPCLv4. */
export class DtnTraffic implements AsyncDisposable {
  readonly #listener: ContactListener;
  #generator: Contact | undefined;
  #received: Uint8Array[] = [];
  #wanted = Infinity;
  #onWanted: () => void = () => {};
  #sequence = 0;

  private constructor(listener: ContactListener) {
    this.#listener = listener;
    void this.#takeAll();
  }

  /** Opens the sink. */
  static async start(): Promise<DtnTraffic> {
    return new DtnTraffic(
      await layerOf("dtn://sink/").listen("tcp://127.0.0.1:0"),
    );
  }

  /** Port of the sink. */
  get sinkPort(): number {
    return Number(new URL(this.#listener.address).port);
  }

  /** Opens the contact of the generator with a relay. */
  async connect(address: string): Promise<void> {
    this.#generator = await layerOf("dtn://generator/").dial(address);
  }

  /**
   * Seconds from the first byte of the first of `count` bundles with `size` bytes of payload, each different, until the sink has the
   * last; then every payload is checked.
   */
  async relay(size: number, count: number): Promise<number> {
    const payloads = Array.from({ length: count }, () => randomBytes(size));
    const bundles = payloads.map((payload) =>
      this.#bundle(GENERATOR, DESTINATION, payload)
    );
    const all = this.#receive(count);
    const start = performance.now();
    const outcomes = await Promise.all(
      bundles.map((bytes) => this.#generator!.send(bytes)),
    );
    const received = await all;
    const seconds = (performance.now() - start) / 1_000;
    assert(outcomes.every(({ kind }) => kind === "acknowledged"));
    assertEquals(await digests(received), await digests(payloads));
    return seconds;
  }

  /** Gives the relay `count` bundles with 100 B of payload that wait there; how many it acknowledged. */
  async store(count: number): Promise<number> {
    const outcomes = await Promise.all(Array.from({ length: count }, () => {
      const bundle = this.#bundle(GENERATOR, AWAY, randomBytes(100));
      return this.#generator!.send(bundle);
    }));
    return outcomes.filter(({ kind }) => kind === "acknowledged").length;
  }

  /** Bundles that the sink got since it was asked last for some. */
  get receivedCount(): number {
    return this.#received.length;
  }

  /** Milliseconds that each of `count` bundles took to the relay's echo and back, one after the other. */
  async ping(count: number, size = 64): Promise<number[]> {
    const times: number[] = [];
    for (let i = 0; i < count; i++) {
      const payload = randomBytes(size);
      const bundle = this.#bundle(SINK, ECHO, payload);
      const answer = this.#receive(1);
      const start = performance.now();
      const sent = this.#generator!.send(bundle);
      const [back] = await answer;
      times.push(performance.now() - start);
      assertEquals(back, payload);
      await sent;
    }
    return times;
  }

  /** Ends both ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#generator?.close();
    await this.#listener[Symbol.asyncDispose]();
  }

  #bundle(source: Eid, destination: Eid, payload: Uint8Array): Uint8Array {
    return encodeBundle(createBundle({
      creation: { timeMs: dtnTime(Date.now()), sequence: this.#sequence++ },
      lifetimeMs: LIFETIME_MS,
      ...{ source, destination, payload },
    }));
  }

  /** The payloads of the next `count` bundles that the sink gets. */
  async #receive(count: number): Promise<Uint8Array[]> {
    this.#received = [];
    this.#wanted = count;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#onWanted = resolve;
    const timer = setTimeout(
      () => reject(new Error(`Only ${this.#received.length} of ${count} came`)),
      PATIENCE_MS,
    );
    try {
      await promise;
    } finally {
      clearTimeout(timer);
    }
    return this.#received.map((bytes) =>
      payloadOf(decodeBundle(bytes, { quirks: QUIRKS }))
    );
  }

  async #takeAll(): Promise<void> {
    for await (const contact of this.#listener) void this.#take(contact);
  }

  async #take(contact: Contact): Promise<void> {
    for await (const { bytes, accept } of contact.received) {
      this.#received.push(bytes);
      accept();
      if (this.#received.length === this.#wanted) this.#onWanted();
    }
  }
}

function layerOf(nodeId: string): TcpclLayer {
  return new TcpclLayer({
    nodeId,
    ignorePeerTransferMru: true,
    sending: WINDOW,
  });
}

function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  }
  return bytes;
}

/** SHA-256 of each, in the order of the digests. */
async function digests(payloads: readonly Uint8Array[]): Promise<string[]> {
  const all = payloads.map(async (payload) => {
    const digest = await crypto.subtle.digest(
      "SHA-256",
      new Uint8Array(payload),
    );
    return new Uint8Array(digest).toHex();
  });
  return (await Promise.all(all)).toSorted();
}
