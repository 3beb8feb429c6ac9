import {
  type Clock,
  Deadline,
  delay,
  type WaitOptions,
} from "../../core/async/mod.ts";
import type { Bytes } from "../../core/bytes/mod.ts";
import type { CryptoProvider, X25519KeyPair } from "../../core/crypto/mod.ts";
import {
  memoryStore,
  StorageError,
  type Store,
} from "../../core/storage/mod.ts";
import { type Random, secureRandom } from "../node/draw.ts";
import type { SphinxGeometry } from "../sphinx/geometry.ts";
import { ClientCore } from "./client_core.ts";
import type { ClientCounts } from "./client_counts.ts";
import type { ClientEvent } from "./client_event.ts";
import { CLIENT_LIMITS, type ClientLimits } from "./client_limits.ts";
import { MixClientError } from "./error.ts";
import { type ClientLink, GatewayConnection } from "./gateway_connection.ts";
import type { MixAddress } from "./mix_address.ts";
import type { Instant, RouteSource } from "./route_source.ts";

/** How often timeouts are looked at, in milliseconds. */
const TICK_MS = 100;
const DEADLINE_MS = 5 * 60_000;
const DRAIN_MS = 60_000;
/** How long a link stands at least that is given up as a message found no room on it, in milliseconds. */
const REFUSED_MS = 10_000;

/** Parts and options of a {@link MixClient}. */
export interface MixClientOptions {
  /** Cryptography; all chance comes from it. */
  readonly crypto: CryptoProvider;
  /** Sizes of the network's packets. */
  readonly geometry: SphinxGeometry;
  /** Where we get messages. */
  readonly address: MixAddress;
  /** Opens what is sealed to us; `address.sealKey` is its public key. */
  readonly sealKeyPair: X25519KeyPair;
  /** Routes. */
  readonly routes: RouteSource;
  /** Connects to our gateway, with the key that `address.clientId` names. */
  readonly dial: (signal: AbortSignal) => Promise<ClientLink>;
  /** Mean number of packets per second that are real if there is anything to send, else cover (λ_P); one in four is for replies. */
  readonly packetsPerSecond: number;
  /** Mean number of loops per second (λ_L). */
  readonly loopsPerSecond: number;
  /**
   * How long nothing may come down before the link is given up, in milliseconds; 30 mean intervals of our packets, 10 s at least, by
   * default: gateways send more often than clients.
   */
  readonly silenceMs?: number;
  /** Time. */
  readonly clock: Clock;
  /** Draws when packets leave; from {@link crypto} by default. */
  readonly random?: Random;
  /** Keeps what is under way over a restart; in memory by default. */
  readonly store?: Store;
  /** Bounds; {@link CLIENT_LIMITS} by default. */
  readonly limits?: ClientLimits;
}

/** How a message is sent. */
export interface SendOptions extends WaitOptions {
  /** How long it may take until all of it is acknowledged or answered, in milliseconds; 5 minutes by default. */
  readonly deadlineMs?: number;
}

/** A message that came; nothing says from whom, but what is in it. */
export interface MixMessage {
  /** What it says. */
  readonly bytes: Bytes;
  /**
   * Replies, once, without knowing to whom: resolves when the other side has the reply. Absent if no reply is wanted.
   *
   * With a store, a reply that was begun goes on after a restart, as long as the other side asks for it.
   *
   * @throws {MixClientError} `answered`, `expired`, `queue_full` or `closed`.
   * @throws {RangeError} If the reply is too long.
   */
  readonly reply?: (bytes: Bytes) => Promise<void>;
  /** Says that the message need not be given again after a restart; asking for the next message says so too. */
  taken(): void;
}

/** What a client did so far. */
export interface MixClientStats extends ClientCounts {
  /** Whether the link to the gateway stands. */
  readonly connected: boolean;
  /** Links so far. */
  readonly links: number;
  /** Links given up so far as nothing came down, not even padding. */
  readonly silences: number;
  /** Times that the store failed to delete what is over; that is tried again. */
  readonly storeFailures: number;
  /** Frames sent so far. */
  readonly framesSent: number;
}

/**
 * A client of the mixnet.
 *
 * While its link stands it sends frames as a Poisson process whose rate depends on nothing: λ_P and λ_L packets per second, and one
 * frame in eight that says what was collected. What there is to send only decides what is in the packets.
 *
 * Iterating gives messages, each once; who starts again with the same store gets those that were not taken.
 */
export class MixClient implements AsyncIterable<MixMessage>, AsyncDisposable {
  readonly #options: MixClientOptions;
  readonly #core: ClientCore;
  readonly #random: Random;
  readonly #over = new AbortController();
  readonly #waiting = new Map<
    string,
    PromiseWithResolvers<Bytes | number | void>
  >();
  readonly #replying = new Map<string, PromiseWithResolvers<void>>();
  readonly #arrived: MixMessage[] = [];
  readonly #iterators = new Set<() => void>();
  #cancelTick: () => void = () => {};
  #storeFailures = 0;
  readonly #connection: GatewayConnection;
  readonly #running: Promise<void>;

  /** Takes up what the store holds, and connects. */
  constructor(options: MixClientOptions) {
    this.#options = options;
    const { store = memoryStore(), limits = CLIENT_LIMITS, crypto } = options;
    this.#random = options.random ?? secureRandom(crypto);
    this.#core = new ClientCore({ ...options, store, limits }, this.#at());
    this.#connection = new GatewayConnection({
      ...options,
      random: this.#random,
      next: (slot) => this.#core.next(slot, this.#at()),
      take: ({ identifier, payload }) =>
        this.#core.receive(identifier, new Uint8Array(payload), this.#at()),
      onTaken: () => this.#dispatch(),
    });
    this.#tick();
    this.#running = this.#connection.run(this.#over.signal);
  }

  /** Where we get messages. */
  get address(): MixAddress {
    return this.#options.address;
  }

  /** What it did so far. */
  get stats(): MixClientStats {
    return {
      ...this.#core.counts,
      connected: this.#connection.isConnected,
      links: this.#connection.links,
      silences: this.#connection.silences,
      storeFailures: this.#storeFailures,
      framesSent: this.#connection.framesSent,
    };
  }

  /**
   * Sends `bytes`; resolves when all of it is in the recipient's mailbox.
   *
   * With a store, a message that was begun goes on after a restart until its deadline.
   *
   * @throws {MixClientError} `queue_full`, `deadline` or `closed`.
   * @throws {RangeError} If it is too long, or the address is none or cannot be sealed to.
   * @throws {StorageError} If the store fails.
   * @throws The reason of the signal; what was sent by then may arrive.
   */
  async send(
    to: MixAddress,
    bytes: Bytes,
    options: SendOptions = {},
  ): Promise<void> {
    const { deadlineMs = DEADLINE_MS, signal } = options;
    this.#begin(signal);
    const key = this.#core.send(to, bytes, { deadlineMs }, this.#at());
    await this.#outcome(key, signal);
  }

  /**
   * Sends `bytes` with ways back, and resolves with the reply.
   *
   * Unlike a message, a request is not resumed after a restart, as nobody would take its reply: ask again.
   *
   * @throws As {@link send}.
   */
  async request(
    to: MixAddress,
    bytes: Bytes,
    options: SendOptions = {},
  ): Promise<Bytes> {
    const { deadlineMs = DEADLINE_MS, signal } = options;
    this.#begin(signal);
    const key = this.#core.send(
      to,
      bytes,
      { deadlineMs, wantsReply: true },
      this.#at(),
    );
    return await this.#outcome(key, signal) as Bytes;
  }

  /**
   * Sends a loop and resolves with the time it took to come back, in milliseconds.
   *
   * @throws {MixClientError} `deadline` if it does not within the deadline, 1 minute by default, `queue_full` or `closed`.
   * @throws The reason of the signal.
   */
  async ping(
    { deadlineMs = 60_000, signal }: SendOptions = {},
  ): Promise<number> {
    this.#begin(signal);
    const key = this.#core.ping();
    using deadline = new Deadline(this.#options.clock, deadlineMs, { signal });
    try {
      return await this.#outcome(key, deadline.signal) as number;
    } catch (error) {
      if (!deadline.signal.aborted || signal?.aborted) throw error;
      throw new MixClientError("deadline", { cause: error });
    }
  }

  /** Messages as they come, until the client is closed. A message is taken when the next one is asked for. */
  async *[Symbol.asyncIterator](): AsyncGenerator<MixMessage, void> {
    for (;;) {
      const message = this.#arrived.shift();
      if (message) {
        yield message;
        message.taken();
        continue;
      }
      if (this.#over.signal.aborted) return;
      await new Promise<void>((resolve) => this.#iterators.add(resolve));
    }
  }

  /** Waits until everything is acknowledged and every reply taken, at most `drainMs`, 1 minute by default, and ends: what is left is rejected. */
  async close({ drainMs = DRAIN_MS } = {}): Promise<void> {
    const { clock } = this.#options;
    const endMs = clock.now() + drainMs;
    while (
      !this.#over.signal.aborted && !this.#core.isIdle && clock.now() < endMs
    ) {
      await delay(clock, Math.min(TICK_MS, endMs - clock.now()));
    }
    this.#over.abort();
    this.#cancelTick();
    await this.#running;
    for (const waiting of [this.#waiting, this.#replying]) {
      for (const { reject } of waiting.values()) {
        reject(new MixClientError("closed"));
      }
      waiting.clear();
    }
    this.#wakeIterators();
  }

  /** Ends at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close({ drainMs: 0 });
  }

  #at(): Instant {
    const { clock } = this.#options;
    return { nowMs: clock.now(), wallMs: clock.wallTime() };
  }

  #begin(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    if (this.#over.signal.aborted) throw new MixClientError("closed");
  }

  async #outcome(
    key: string,
    signal: AbortSignal | undefined,
  ): Promise<Bytes | number | void> {
    const waiting = Promise.withResolvers<Bytes | number | void>();
    this.#waiting.set(key, waiting);
    const onAbort = () => {
      this.#core.cancel(key);
      waiting.reject(signal!.reason);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      return await waiting.promise;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      this.#waiting.delete(key);
    }
  }

  #tick(): void {
    try {
      this.#core.tick(this.#at());
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.#storeFailures++;
    }
    this.#dispatch();
    const refusedMs = this.#connection.refusedForMs ?? 0;
    if (refusedMs >= REFUSED_MS && !this.#core.isFull) {
      this.#connection.reopen();
    }
    this.#cancelTick = this.#options.clock.setTimeout(
      () => this.#tick(),
      TICK_MS,
    );
  }

  #dispatch(): void {
    for (const event of this.#core.takeEvents()) this.#handle(event);
  }

  #handle(event: ClientEvent): void {
    const { key } = event;
    switch (event.kind) {
      case "message": {
        this.#arrived.push(this.#message(event));
        return this.#wakeIterators();
      }
      case "sent":
        return this.#waiting.get(key)?.resolve();
      case "reply":
        return this.#waiting.get(key)?.resolve(event.bytes);
      case "pong":
        return this.#waiting.get(key)?.resolve(event.tookMs);
      case "replied":
        this.#replying.get(key)?.resolve();
        return void this.#replying.delete(key);
      case "failed": {
        const error = new MixClientError(event.code);
        this.#waiting.get(key)?.reject(error);
        this.#replying.get(key)?.reject(error);
        return void this.#replying.delete(key);
      }
    }
  }

  #wakeIterators(): void {
    for (const wake of this.#iterators) wake();
    this.#iterators.clear();
  }

  #message(
    { key, bytes, canReply }: Extract<ClientEvent, { kind: "message" }>,
  ): MixMessage {
    const taken = () => this.#core.taken(key, this.#at());
    if (!canReply) return { bytes, taken };
    const reply = async (answer: Bytes) => {
      this.#begin(undefined);
      this.#core.reply(key, answer, this.#at());
      const replying = Promise.withResolvers<void>();
      this.#replying.set(key, replying);
      await replying.promise;
    };
    return { bytes, taken, reply };
  }
}
