/**
 * The work that every peer does, in one server process and one client process, under Deno or Node.js.
 *
 * A stream starts with a request; the server answers it as {@link serveStream} says.
 *
 * ```text
 * 1B  E: send back whatever comes
 *     S: swallow, comparing some bytes of each piece with the pattern
 *     V: swallow, comparing every byte
 * 8B  bytes to swallow, big-endian; 0 for E
 * ```
 *
 * What is swallowed is answered with one byte: 1 if it was the pattern, else 0.
 *
 * @module
 */

/** One stream of a session. */
export interface PeerStream {
  send(bytes: Uint8Array): Promise<void>;
  /** What came next, valid until the next call; `null` at the end. */
  receive(): Promise<Uint8Array | null>;
  close(): Promise<void> | void;
}

/** One session. */
export interface PeerSession {
  /** Whether it goes on from an earlier one, where that can be told. */
  readonly resumed?: boolean;
  open(): Promise<PeerStream> | PeerStream;
  close(): Promise<void> | void;
}

/** One way to talk. */
export interface Peer {
  /** Serves every stream of every session for ever, and returns what a client needs to know. */
  listen(serve: (stream: PeerStream) => void, known: unknown): Promise<unknown>;
  /** Returns the function that opens a session with a server. */
  dialer(known: unknown): Promise<() => Promise<PeerSession>>;
}

/** What the client process can be asked to do. */
export interface Commands {
  transfer(options: { bytes: number; whole: boolean }): Promise<number>;
  pingPong(options: { count: number; warmUp: number }): Promise<number[]>;
  handshakes(options: { inFlight: number; ms: number }): Promise<number>;
  hold(options: { count: number; inFlight: number }): Promise<number>;
  connections(options: { inFlight: number; ms: number }): Promise<Connections>;
}

/** Sessions over which 64 bytes went there and back. */
export interface Connections {
  readonly count: number;
  readonly perS: number;
  /** How many of them went on from an earlier one. */
  readonly resumed: number;
}

const PATTERN = makePattern(1 << 20);
const PIECE_BYTES = 262_144;
const PING_BYTES = 64;
const REQUEST_BYTES = 9;

/** Answers one stream. */
export async function serveStream(stream: PeerStream): Promise<void> {
  const head = new Uint8Array(REQUEST_BYTES);
  for (let filled = 0;;) {
    const bytes = await stream.receive();
    if (!bytes) return await stream.close();
    const part = bytes.subarray(0, REQUEST_BYTES - filled);
    head.set(part, filled);
    filled += part.length;
    if (filled < REQUEST_BYTES) continue;
    return await answer(stream, head, bytes.subarray(part.length));
  }
}

/** The client's part, over sessions that `dial` opens. */
export function clientCommands(dial: () => Promise<PeerSession>): Commands {
  const held: PeerSession[] = [];
  return {
    async transfer({ bytes, whole }) {
      const session = await dial();
      const stream = await session.open();
      const startMs = performance.now();
      await stream.send(request(whole ? "V" : "S", bytes));
      for (let at = 0; at < bytes; at += PIECE_BYTES) {
        const from = at % PATTERN.length;
        const length = Math.min(PIECE_BYTES, bytes - at);
        await stream.send(PATTERN.subarray(from, from + length));
      }
      const answer = await stream.receive();
      const tookMs = performance.now() - startMs;
      if (answer?.[0] !== 1) throw new Error("Bytes arrived damaged");
      await stream.close();
      await session.close();
      return tookMs;
    },
    async pingPong({ count, warmUp }) {
      const session = await dial();
      const stream = await session.open();
      await stream.send(request("E", 0));
      const tookMs: number[] = [];
      for (let i = -warmUp; i < count; i++) {
        const took = await ping(stream, (i + warmUp) * PING_BYTES);
        if (i >= 0) tookMs.push(took);
      }
      await stream.close();
      await session.close();
      return tookMs;
    },
    async handshakes({ inFlight, ms }) {
      let done = 0;
      const startMs = performance.now();
      await inParallel(inFlight, async () => {
        while (performance.now() - startMs < ms) {
          const session = await dial();
          done++;
          await session.close();
        }
      });
      return done / (performance.now() - startMs) * 1000;
    },
    async hold({ count, inFlight }) {
      const target = held.length + count;
      let begun = held.length;
      await inParallel(inFlight, async () => {
        while (begun++ < target) held.push(await dial());
      });
      return held.length;
    },
    async connections({ inFlight, ms }) {
      let [count, resumed] = [0, 0];
      const startMs = performance.now();
      await inParallel(inFlight, async () => {
        while (performance.now() - startMs < ms) {
          const session = await dial();
          const stream = await session.open();
          await stream.send(request("E", 0));
          await ping(stream, count++ * PING_BYTES);
          if (session.resumed) resumed++;
          await session.close();
        }
      });
      const perS = count / (performance.now() - startMs) * 1e3;
      return { count, perS, resumed };
    },
  };
}

async function answer(
  stream: PeerStream,
  head: Uint8Array,
  first: Uint8Array,
): Promise<void> {
  const kind = String.fromCharCode(head[0]!);
  if (kind === "E") return await echo(stream, first);
  const length = Number(new DataView(head.buffer).getBigUint64(1));
  const good = await swallow(stream, first, length, kind === "V");
  await stream.send(Uint8Array.of(good ? 1 : 0));
  while (await stream.receive());
  await stream.close();
}

async function echo(stream: PeerStream, first: Uint8Array): Promise<void> {
  for (let bytes: Uint8Array | null = first; bytes;) {
    if (bytes.length > 0) await stream.send(bytes.slice());
    bytes = await stream.receive();
  }
  await stream.close();
}

async function swallow(
  stream: PeerStream,
  first: Uint8Array,
  length: number,
  whole: boolean,
): Promise<boolean> {
  let good = true;
  let at = 0;
  for (let bytes: Uint8Array | null = first; bytes;) {
    good &&= isPattern(bytes, at, whole);
    at += bytes.length;
    if (at >= length) return good && at === length;
    bytes = await stream.receive();
  }
  return false;
}

function isPattern(bytes: Uint8Array, at: number, whole: boolean): boolean {
  const step = whole ? 1 : Math.max(1, bytes.length >> 2);
  for (let i = 0; i < bytes.length; i += step) {
    if (bytes[i] !== PATTERN[(at + i) % PATTERN.length]) return false;
  }
  return true;
}

async function ping(stream: PeerStream, at: number): Promise<number> {
  const from = at % PATTERN.length;
  const bytes = PATTERN.slice(from, from + PING_BYTES);
  const startMs = performance.now();
  await stream.send(bytes);
  let got = 0;
  while (got < PING_BYTES) {
    const answer = await stream.receive();
    if (!answer || !isPattern(answer, from + got, true)) {
      throw new Error("Wrong echo");
    }
    got += answer.length;
  }
  return performance.now() - startMs;
}

function request(kind: string, length: number): Uint8Array {
  const head = new Uint8Array(REQUEST_BYTES);
  head[0] = kind.charCodeAt(0);
  new DataView(head.buffer).setBigUint64(1, BigInt(length));
  return head;
}

async function inParallel(n: number, fn: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: n }, fn));
}

function makePattern(length: number): Uint8Array {
  const out = new Uint8Array(length);
  for (let i = 0, x = 1; i < length; i++) {
    x = Math.imul(x, 1_664_525) + 1_013_904_223 >>> 0;
    out[i] = x >>> 24;
  }
  return out;
}
