import type { Context } from "../../cli/_main.ts";
import { configureClient } from "../../cli/mixnode/configure_client.ts";
import { delay, systemClock } from "../../src/core/async/mod.ts";
import { type Bytes, encodeHex } from "../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import { silentLogger } from "../../src/core/log/mod.ts";
import type { MixClient, MixClientStats } from "../../src/mixnet/mod.ts";
import { until } from "./_mixnet_life.ts";

const SIZES = [
  ...[1, 60, 1_000, 300, 60, 4_000, 1, 1_500, 60, 300],
  ...[1_000, 60, 1, 300, 60, 20_000, 1, 1_500, 60],
];
const REPLY_SIZES = [1, 200, 800, 3_000];
const MEAN_PAUSE_MS = 4_000;
const DEADLINE_MS = 480_000;

/** A message that was sent, and what became of it. */
export interface Letter {
  /** SHA-256 of what it says, in hexadecimal. */
  readonly hash: string;
  /** Number of the client that it is for. */
  readonly to: number;
  readonly wantsReply: boolean;
  /** How long it took until it was acknowledged or answered, in milliseconds. */
  tookMs?: number;
  /** Whether the reply was the right one. */
  isAnswered?: boolean;
  /** Why it failed. */
  failure?: unknown;
}

/** Clients as `betanet-mixnode client` runs them, that write to each other. */
export class Correspondence implements AsyncDisposable {
  readonly letters: Letter[] = [];
  /** What became of replies. */
  readonly replies = { given: 0, taken: 0, failures: [] as unknown[] };
  /** Whether one letter in four asks for a reply. */
  asks = true;
  /** By client, the hashes of what came to it. */
  readonly got: readonly string[][];
  readonly #clients: readonly MixClient[];
  readonly #opened: AsyncDisposableStack;
  readonly #reading: Promise<unknown>;
  #tiny = 0;

  private constructor(
    clients: readonly MixClient[],
    opened: AsyncDisposableStack,
  ) {
    this.#clients = clients;
    this.#opened = opened;
    this.got = clients.map(() => []);
    this.#reading = Promise.all(
      clients.map((client, i) => this.#read(client, this.got[i]!)),
    );
  }

  /** Opens a client for each configuration, and waits until all are connected. */
  static async open(configs: readonly string[]): Promise<Correspondence> {
    await using opened = new AsyncDisposableStack();
    const over = opened.adopt(new AbortController(), (each) => each.abort());
    const clients = await Promise.all(configs.map(async (config) => {
      const configured = await configureClient(config, contextOf(over.signal));
      opened.use(configured);
      return opened.use(configured.connect());
    }));
    await until(
      () => clients.every(({ stats }) => stats.connected),
      () => "clients connect",
    );
    return new Correspondence(clients, opened.move());
  }

  /** The clients' link keys in hexadecimal. */
  get keys(): string[] {
    return this.#clients.map(({ address }) => encodeHex(address.clientId));
  }

  /** What clients count. */
  get stats(): MixClientStats[] {
    return this.#clients.map(({ stats }) => stats);
  }

  /** Lets every client write one letter after another until the signal aborts, and waits until all are acknowledged or answered. */
  async write(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#clients.map(async (_, from) => {
      for (let i = from; !signal.aborted; i++) {
        await this.send(from, i);
        const pauseMs = -MEAN_PAUSE_MS * Math.log(1 - Math.random());
        await delay(systemClock, pauseMs, { signal }).catch(() => {});
      }
    }));
  }

  /** Sends the `i`th kind of letter, and waits until it is acknowledged or answered. */
  async send(from: number, i: number): Promise<Letter> {
    const others = this.#clients.length - 1;
    const to = (from + 1 + Math.floor(Math.random() * others)) % (others + 1);
    const bytes = this.#letter(SIZES[i % SIZES.length]!);
    const wantsReply = this.asks && i % 4 === 0;
    const letter: Letter = { hash: hashOf(bytes), to, wantsReply };
    this.letters.push(letter);
    const startMs = performance.now();
    const { address } = this.#clients[to]!;
    const client = this.#clients[from]!;
    const options = { deadlineMs: DEADLINE_MS };
    try {
      if (wantsReply) {
        const reply = await client.request(address, bytes, options);
        letter.isAnswered = hashOf(reply) === hashOf(replyTo(bytes));
      } else await client.send(address, bytes, options);
      letter.tookMs = performance.now() - startMs;
    } catch (error) {
      letter.failure = error;
    }
    return letter;
  }

  /** Ends all clients at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
    await this.#reading;
  }

  async #read(client: MixClient, got: string[]): Promise<void> {
    for await (const { bytes, reply } of client) {
      got.push(hashOf(bytes));
      if (!reply) continue;
      this.replies.given++;
      reply(replyTo(bytes)).then(
        () => this.replies.taken++,
        (error) => this.replies.failures.push(error),
      );
    }
  }

  /** Bytes that no other letter has; there are 256 of one byte. */
  #letter(length: number): Bytes {
    if (length > 1) return nodeProvider.random(length);
    if (this.#tiny > 255) return this.#letter(2);
    return Uint8Array.of(this.#tiny++);
  }
}

function replyTo(letter: Bytes): Bytes {
  const hash = nodeProvider.hash("sha256", letter);
  const reply = new Uint8Array(REPLY_SIZES[hash[0]! % REPLY_SIZES.length]!);
  for (let at = 0; at < reply.length; at += hash.length) {
    reply.set(hash.subarray(0, reply.length - at), at);
  }
  return reply;
}

function hashOf(bytes: Bytes): string {
  return encodeHex(nodeProvider.hash("sha256", bytes));
}

function contextOf(signal: AbortSignal): Context {
  const refuse = () => {
    throw new TypeError("A client does not print");
  };
  return {
    operands: [],
    signal,
    log: silentLogger,
    stdin: new ReadableStream(),
    stdout: new WritableStream(),
    env: () => undefined,
    print: refuse,
    note: () => {},
    progress: refuse,
  };
}
