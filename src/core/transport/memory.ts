import { BoundedQueue, type Clock, delay, systemClock } from "../async/mod.ts";
import type { Bytes } from "../bytes/mod.ts";
import { ByteConnection } from "./byte_connection.ts";
import { type MemoryLink, MemoryPipe } from "./_memory_pipe.ts";
import type {
  Address,
  Connection,
  Datagrams,
  DialOptions,
  Listener,
  Transport,
} from "./connection.ts";
import { TransportError } from "./error.ts";

const BACKLOG_CONNECTIONS = 128;
const DATAGRAM_BYTES = 1200;
const DATAGRAM_QUEUE = 256;
const MAX_RESENDS = 15;
const FIRST_PORT = 49_152;
const ADDRESS_REGEXP = /^memory:\/\/([A-Za-z0-9._-]+)(?::([0-9]{1,5}))?$/;

/** Options of {@link MemoryNetwork}; all are 0 if not given, so that everything arrives at once. */
export interface MemoryNetworkOptions {
  /** The time in which things arrive; the machine's clock if not given. */
  readonly clock?: Clock;
  /** Uniform in [0, 1); `Math.random` if not given. Seed it for the same run every time. */
  readonly random?: () => number;
  /** Least time from one host to another, in milliseconds. */
  readonly latencyMs?: number;
  /** Greatest additional time, drawn for each segment and datagram, in milliseconds. */
  readonly jitterMs?: number;
  /**
   * Probability that a datagram is lost, and that a segment must be sent again, which costs a round trip each time; a
   * segment arrives at the 16th attempt at the latest. Below 1.
   */
  readonly loss?: number;
  /** Probability that a datagram takes one latency and jitter more, so that later ones overtake it; nothing without either. */
  readonly reorder?: number;
  /** Probability that a datagram arrives twice. */
  readonly duplication?: number;
  /** Bandwidth of each connection in each direction, in bytes per second; unlimited if not given. */
  readonly bytesPerSecond?: number;
  /** Bytes that one direction of a connection holds before writing waits; 262,144 if not given. */
  readonly bufferBytes?: number;
}

/**
 * Hosts that reach each other without a socket: `memory://name` or `memory://name:port`.
 *
 * With a virtual clock and a seeded random source, each run is the same.
 * Bytes arrive whole and in order whatever the loss; datagrams do not.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { MemoryNetwork } from "./memory.ts";
 *
 * const network = new MemoryNetwork();
 * await using listener = await network.transport("alice").listen("memory://alice");
 * await using bob = await network.transport("bob").dial("memory://alice");
 * await bob.write(new Uint8Array([1, 2, 3]));
 *
 * for await (const alice of listener) {
 *   const buffer = new Uint8Array(8);
 *   assertEquals(await alice.read(buffer), 3);
 *   alice.close();
 *   break;
 * }
 * ```
 */
export class MemoryNetwork {
  readonly #options: Required<MemoryNetworkOptions>;
  readonly #listeners = new Map<Address, MemoryListener>();
  readonly #connections = new Set<MemoryConnection>();
  readonly #partitions = new Set<string>();
  #nextPort = FIRST_PORT;
  #lostDatagrams = 0;

  /**
   * Starts with no hosts and no partitions.
   *
   * @throws {RangeError} If a probability is not within 0..1, the loss is 1, a time is negative or infinite, or the
   *   bandwidth or the buffer is not above 0, the buffer in whole bytes.
   */
  constructor(options: MemoryNetworkOptions = {}) {
    this.#options = {
      clock: systemClock,
      random: Math.random,
      latencyMs: 0,
      jitterMs: 0,
      loss: 0,
      reorder: 0,
      duplication: 0,
      bytesPerSecond: Infinity,
      bufferBytes: 262_144,
      ...options,
    };
    checkOptions(this.#options);
  }

  /** Number of datagrams that the network lost. */
  get lostDatagrams(): number {
    return this.#lostDatagrams;
  }

  /** How the host called `name` reaches others. */
  transport(name: string): Transport {
    return {
      scheme: "memory",
      dial: (address, options) => this.#dial(name, address, options),
      listen: (address) =>
        Promise.resolve().then(() => this.#listen(name, address)),
    };
  }

  /**
   * Cuts `a` from `b`, both ways: bytes wait, datagrams are lost, dialing gives `unreachable` after a round trip.
   */
  partition(a: string, b: string): void {
    this.#partitions.add(pair(a, b));
  }

  /** Ends a partition: the bytes that waited arrive. */
  heal(a: string, b: string): void {
    this.#partitions.delete(pair(a, b));
    for (const { incoming } of this.#connections) incoming.deliver();
  }

  /** Breaks every connection of a host and closes its listeners, as when its process is killed; peers see `reset`. */
  kill(name: string): void {
    for (const listener of this.#listeners.values()) {
      if (hostOf(listener.address) === name) listener.close();
    }
    for (const connection of this.#connections) {
      if (hostOf(connection.localAddress) === name) connection.kill();
    }
  }

  async #dial(
    from: string,
    address: Address,
    { signal }: DialOptions = {},
  ): Promise<Connection> {
    const to = hostOf(address);
    signal?.throwIfAborted();
    const roundTripMs = this.#delayMs() + this.#delayMs();
    if (roundTripMs > 0) {
      await delay(this.#options.clock, roundTripMs, { signal });
    } else await Promise.resolve();
    signal?.throwIfAborted();
    const listener = this.#listeners.get(address);
    if (!listener || listener.isFull || this.#isDown(from, to)) {
      throw new TransportError("unreachable", `Cannot reach ${address}`);
    }
    const here = `memory://${from}:${this.#port()}`;
    const there = new MemoryPipe(this.#link(from, to));
    const back = new MemoryPipe(this.#link(to, from));
    const near = this.#connection(here, address, back, there);
    const far = this.#connection(address, here, there, back);
    near.datagrams.peer = far.datagrams;
    far.datagrams.peer = near.datagrams;
    listener.accept(far);
    return near;
  }

  #listen(host: string, address: Address): Listener {
    if (hostOf(address) !== host) {
      throw new TypeError(`Want an address of ${host}: got "${address}"`);
    }
    if (address.endsWith(":0")) {
      address = `memory://${host}:${this.#port()}`;
    }
    if (this.#listeners.has(address)) {
      throw new TransportError("in_use", `Cannot listen at ${address}`);
    }
    const listener = new MemoryListener(
      address,
      () => this.#listeners.delete(address),
    );
    this.#listeners.set(address, listener);
    return listener;
  }

  #connection(
    local: Address,
    remote: Address,
    incoming: MemoryPipe,
    outgoing: MemoryPipe,
  ): MemoryConnection {
    const datagrams = new MemoryDatagrams((bytes, to) => {
      this.#sendDatagram(hostOf(local), hostOf(remote), bytes, to);
    });
    const connection = new MemoryConnection(
      local,
      remote,
      incoming,
      outgoing,
      datagrams,
    );
    this.#connections.add(connection);
    void connection.closed.then(() => this.#connections.delete(connection));
    return connection;
  }

  #sendDatagram(
    from: string,
    to: string,
    bytes: Bytes,
    peer: MemoryDatagrams,
  ): void {
    const { clock, random, loss, reorder, duplication } = this.#options;
    const arrive = () => {
      if (this.#isDown(from, to)) this.#lostDatagrams++;
      else peer.arrive(bytes);
    };
    const copies = random() < duplication ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      if (random() < loss) {
        this.#lostDatagrams++;
        continue;
      }
      const late = random() < reorder ? this.#delayMs() : 0;
      const delayMs = this.#delayMs() + late;
      if (delayMs === 0) arrive();
      else clock.setTimeout(arrive, delayMs);
    }
  }

  #link(from: string, to: string): MemoryLink {
    const { clock, random, latencyMs, loss, bytesPerSecond, bufferBytes } =
      this.#options;
    let freeAt = 0;
    return {
      clock,
      bufferBytes,
      isDown: () => this.#isDown(from, to),
      delayMs: (byteLength) => {
        const now = clock.now();
        freeAt = Math.max(now, freeAt) + byteLength / bytesPerSecond * 1000;
        let delayMs = freeAt - now + this.#delayMs();
        for (let i = 0; i < MAX_RESENDS && random() < loss; i++) {
          delayMs += Math.max(1, 2 * latencyMs);
        }
        return delayMs;
      },
    };
  }

  #delayMs(): number {
    const { latencyMs, jitterMs, random } = this.#options;
    return latencyMs + (jitterMs && jitterMs * random());
  }

  #isDown(from: string, to: string): boolean {
    return this.#partitions.has(pair(from, to));
  }

  #port(): number {
    return this.#nextPort++;
  }
}

class MemoryListener implements Listener {
  readonly address: Address;
  readonly #queue = new BoundedQueue<MemoryConnection>({
    capacity: BACKLOG_CONNECTIONS,
  });
  readonly #onClose: () => void;

  constructor(address: Address, onClose: () => void) {
    this.address = address;
    this.#onClose = onClose;
  }

  get isFull(): boolean {
    return this.#queue.size >= BACKLOG_CONNECTIONS;
  }

  accept(connection: MemoryConnection): void {
    this.#queue.offer(connection);
  }

  [Symbol.asyncIterator](): AsyncIterator<Connection> {
    return this.#queue[Symbol.asyncIterator]();
  }

  close(): void {
    this.#onClose();
    for (const connection of this.#queue.drain()) connection.close();
    this.#queue.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }
}

class MemoryConnection extends ByteConnection {
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  override readonly datagrams: MemoryDatagrams;
  readonly incoming: MemoryPipe;
  readonly #outgoing: MemoryPipe;

  constructor(
    localAddress: Address,
    remoteAddress: Address,
    incoming: MemoryPipe,
    outgoing: MemoryPipe,
    datagrams: MemoryDatagrams,
  ) {
    super();
    this.localAddress = localAddress;
    this.remoteAddress = remoteAddress;
    this.incoming = incoming;
    this.#outgoing = outgoing;
    this.datagrams = datagrams;
    incoming.onReset = () => {
      outgoing.failWriter(
        new TransportError("reset", "The peer broke the connection"),
      );
    };
  }

  kill(): void {
    this.breakWith(new TransportError("reset", "The host was killed"));
  }

  protected receive(buffer: Uint8Array): Promise<number | null> {
    return this.incoming.read(buffer);
  }

  protected send(bytes: Uint8Array): Promise<void> {
    return this.#outgoing.write(bytes);
  }

  protected sendEnd(): Promise<void> {
    this.#outgoing.end("end");
    return Promise.resolve();
  }

  protected drop(cleanly: boolean): void {
    const error = new TransportError("closed", "The connection is closed");
    if (!cleanly) this.#outgoing.end("reset");
    this.#outgoing.failWriter(error);
    this.incoming.failReader(error);
    this.datagrams.close();
  }
}

class MemoryDatagrams implements Datagrams {
  readonly maxSize = DATAGRAM_BYTES;
  peer: MemoryDatagrams = this;
  readonly #send: (bytes: Bytes, to: MemoryDatagrams) => void;
  readonly #queue = new BoundedQueue<Bytes>({ capacity: DATAGRAM_QUEUE });

  constructor(send: (bytes: Bytes, to: MemoryDatagrams) => void) {
    this.#send = send;
  }

  get dropped(): number {
    return this.#queue.dropped;
  }

  send(message: Uint8Array): Promise<void> {
    if (message.length > this.maxSize) {
      throw new RangeError(
        `A datagram holds ${this.maxSize} bytes: got ${message.length}`,
      );
    }
    if (!this.#queue.closed) this.#send(new Uint8Array(message), this.peer);
    return Promise.resolve();
  }

  async receive(signal?: AbortSignal): Promise<Bytes | null> {
    return await this.#queue.shift({ signal }) ?? null;
  }

  arrive(message: Bytes): void {
    this.#queue.offer(message);
  }

  close(): void {
    this.#queue.drain();
    this.#queue.close();
  }
}

function checkOptions(options: Required<MemoryNetworkOptions>): void {
  for (const name of ["loss", "reorder", "duplication"] as const) {
    const p = options[name];
    if (!(p >= 0 && (name === "loss" ? p < 1 : p <= 1))) {
      throw new RangeError(
        `Want 0 <= ${name} ${name === "loss" ? "<" : "<="} 1: got ${p}`,
      );
    }
  }
  for (const name of ["latencyMs", "jitterMs"] as const) {
    const ms = options[name];
    if (!(ms >= 0 && ms < Infinity)) {
      throw new RangeError(`Want 0 <= ${name} < Infinity: got ${ms}`);
    }
  }
  const { bytesPerSecond, bufferBytes } = options;
  if (!(bytesPerSecond > 0)) {
    throw new RangeError(`Want bytesPerSecond > 0: got ${bytesPerSecond}`);
  }
  if (!(Number.isInteger(bufferBytes) && bufferBytes > 0)) {
    throw new RangeError(`Want a whole bufferBytes > 0: got ${bufferBytes}`);
  }
}

function hostOf(address: Address): string {
  const match = ADDRESS_REGEXP.exec(address);
  if (!match) {
    throw new TypeError(
      `Want memory://name or memory://name:port: got "${address}"`,
    );
  }
  return match[1]!;
}

function pair(a: string, b: string): string {
  return [a, b].sort().join(" ");
}
