/**
 * What every peer of messages does, in one process that serves and one that asks, under Deno.
 *
 * A message is `u8 what ‖ u32 number ‖ bytes of a pattern that depend on the number`.
 *
 * @module
 */

/** What the one that serves does with what comes. */
export interface MessageServer {
  /** The answer to a request. */
  answer(request: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /** Takes a message that wants no answer. */
  take(message: Uint8Array): void;
}

/** The one that asks. */
export interface MessageClient {
  /** Resolves with the answer. */
  request(message: Uint8Array): Promise<Uint8Array>;
  /** Sends what wants no answer; resolves once the next may be sent. */
  notify?(message: Uint8Array): Promise<void>;
  /** Resolves once the message would be delivered even if this process died. */
  accept?(message: Uint8Array): Promise<void>;
  /** How a message would travel. */
  choose?(): unknown;
  /** Further figures of what was done last, by name. */
  figures?(): Promise<Record<string, number>>;
}

/** One way to send messages. */
export interface MessagePeer {
  /** Serves for ever, and returns what a client needs to know. */
  listen(server: MessageServer, known: unknown): Promise<unknown>;
  /** Returns the client of a server. */
  dial(known: unknown): Promise<MessageClient>;
}

/** One kind of work: messages of `bytes`, `window` at a time, for `ms` after as long to warm up. */
export interface Work {
  readonly bytes: number;
  readonly window: number;
  readonly ms: number;
}

/** What came of it. */
export interface Rate {
  readonly perS: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly [more: string]: number;
}

/** What the client process can be asked to do. */
export interface MessageCommands {
  request(work: Work): Promise<Rate>;
  notify(work: Work): Promise<Rate>;
  accept(work: Work): Promise<Rate>;
  choose(count: number): number;
}

const ECHO = 1;
const TAKE = 2;
const TALLY = 3;
const HEAD_BYTES = 5;
const TALLY_MS = 5;
const PATTERN = Uint8Array.from({ length: 1 << 17 }, (_, i) => i * i >> 3);

/** Answers what comes, and counts what wants no answer. */
export function messageServer(): MessageServer {
  let taken = 0;
  return {
    answer(request) {
      if (request[0] === ECHO) return request;
      if (request[0] !== TALLY) throw new Error("An unknown request");
      const wanted = numberOf(request);
      return new Promise((resolve) => {
        const look = () => {
          if (taken >= wanted) resolve(messageOf(TALLY, taken, HEAD_BYTES));
          else setTimeout(look, TALLY_MS);
        };
        look();
      });
    },
    take(message) {
      if (!isWhole(message, TAKE)) throw new Error("A message came damaged");
      taken++;
    },
  };
}

/** The client's part. */
export function messageCommands(client: MessageClient): MessageCommands {
  let [number, sent] = [0, 0];
  const echo = async (bytes: number) => {
    const message = messageOf(ECHO, number++, bytes);
    const answer = await client.request(message);
    const isSame = answer.length === bytes &&
      numberOf(answer) === numberOf(message) &&
      answer[bytes - 1] === message[bytes - 1];
    if (!isSame) throw new Error("An answer came damaged");
  };
  return {
    async request(work) {
      const message = messageOf(ECHO, 7, work.bytes);
      if (!isWhole(await client.request(message), ECHO, 7)) {
        throw new Error("An answer came damaged");
      }
      await inWindow(work, echo);
      return await inWindow(work, echo);
    },
    async notify(work) {
      const notify = async (bytes: number) => {
        await client.notify!(messageOf(TAKE, sent++, bytes));
      };
      const settled = async () => {
        const answer = await client.request(messageOf(TALLY, sent, HEAD_BYTES));
        if (numberOf(answer) !== sent) throw new Error("Not all came once");
      };
      await inWindow(work, notify, settled);
      return await inWindow(work, notify, settled);
    },
    async accept(work) {
      const accept = (bytes: number) =>
        client.accept!(messageOf(TAKE, number++, bytes));
      await inWindow(work, accept);
      const rate = await inWindow(work, accept);
      return { ...rate, ...await client.figures?.() };
    },
    choose(count) {
      const tookMs = Array.from({ length: count }, () => {
        const start = performance.now();
        client.choose!();
        return performance.now() - start;
      }).sort((a, b) => a - b);
      return tookMs[Math.floor(0.99 * count)]!;
    },
  };
}

/** Does something with `window` at a time, and counts it up to when all is `settled`. */
async function inWindow(
  { bytes, window, ms }: Work,
  once: (bytes: number) => Promise<void>,
  settled: () => Promise<void> = () => Promise.resolve(),
): Promise<Rate> {
  const tookMs: number[] = [];
  const start = performance.now();
  await Promise.all(Array.from({ length: window }, async () => {
    for (;;) {
      const began = performance.now();
      if (began - start >= ms) return;
      await once(bytes);
      tookMs.push(performance.now() - began);
    }
  }));
  await settled();
  const perS = 1e3 * tookMs.length / (performance.now() - start);
  tookMs.sort((a, b) => a - b);
  const quantileUs = (q: number) =>
    1e3 * tookMs[Math.floor(q * tookMs.length)]!;
  return { perS, p50Us: quantileUs(0.5), p99Us: quantileUs(0.99) };
}

function messageOf(what: number, number: number, bytes: number): Uint8Array {
  const message = new Uint8Array(bytes);
  message.set(patternOf(number, bytes));
  message[0] = what;
  new DataView(message.buffer).setUint32(1, number);
  return message;
}

function numberOf({ buffer, byteOffset }: Uint8Array): number {
  return new DataView(buffer, byteOffset).getUint32(1);
}

function isWhole(
  message: Uint8Array,
  what: number,
  number = numberOf(message),
): boolean {
  const wanted = messageOf(what, number, message.length);
  return message.every((byte, i) => byte === wanted[i]);
}

function patternOf(number: number, bytes: number): Uint8Array {
  const from = number % 1_024;
  return PATTERN.subarray(from, from + bytes);
}
