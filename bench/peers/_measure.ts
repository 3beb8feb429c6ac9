import { delay, systemClock } from "../../src/core/async/mod.ts";
import { PeerProcess } from "./_peer_process.ts";

/** What one round measures of one peer. */
export interface Figures {
  /** One stream, in 10^6 bytes per second. */
  readonly mbPerS: number;
  /** Processor seconds per 10^9 bytes. */
  readonly clientCpuSPerGb: number;
  readonly serverCpuSPerGb: number;
  /** Round trips of 64 bytes, in microseconds. */
  readonly rttP50Us: number;
  readonly rttP95Us: number;
  readonly rttP99Us: number;
  /** Sessions opened and closed per second, one after the other. */
  readonly handshakesPerS: number;
  /** The same with 16 at a time. */
  readonly handshakesPerS16: number;
  /** Resident memory per idle session, in KiB. */
  readonly clientIdleKib: number;
  readonly serverIdleKib: number;
  /** The part of it that is live: the heap after a collection, and the buffers outside it. */
  readonly clientLiveKib: number;
  readonly serverLiveKib: number;
  /** Processor time of 1,100 idle sessions at the server, in per cent of one core. */
  readonly serverIdleCpuPercent: number;
}

/** How much work a round is. */
export interface Size {
  readonly transferBytes: number;
  readonly pings: number;
  readonly handshakesMs: number;
  readonly idleSessions: number;
}

interface Pair {
  readonly client: PeerProcess;
  readonly server: PeerProcess;
}

interface Memory {
  readonly heapUsed: number;
  readonly external: number;
}

const SETTLE_MS = 3_000;
const FIRST_IDLE = 100;

/** Each measures one peer, run by `command`, in processes of its own. */
export const MEASURES: readonly ((
  command: readonly string[],
  size: Size,
) => Promise<Partial<Figures>>)[] = [
  (command, size) => withPair(command, (pair) => measureSpeed(pair, size)),
  (command, size) => withPair(command, (pair) => measureIdle(pair, size)),
];

async function withPair<T>(
  command: readonly string[],
  fn: (pair: Pair) => Promise<T>,
): Promise<T> {
  await using server = await PeerProcess.start([...command, "server"]);
  const known = JSON.stringify(server.known);
  await using client = await PeerProcess.start([...command, "client", known]);
  return await fn({ client, server });
}

async function measureSpeed(pair: Pair, size: Size) {
  const { client, server } = pair;
  const { transferBytes: bytes, handshakesMs: ms } = size;
  await client.ask("transfer", { bytes: 2 ** 26, whole: true });
  const [clientCpuS, serverCpuS] = [client.cpuS, server.cpuS];
  const tookMs = await client.ask("transfer", { bytes, whole: false });
  const clientCpuSPerGb = (client.cpuS - clientCpuS) / bytes * 1e9;
  const serverCpuSPerGb = (server.cpuS - serverCpuS) / bytes * 1e9;
  const pingPong = { count: size.pings, warmUp: 2_000 };
  const rttMs = await client.ask("pingPong", pingPong) as number[];
  rttMs.sort((a, b) => a - b);
  const quantileUs = (q: number) => 1e3 * rttMs[Math.floor(q * rttMs.length)]!;
  return {
    mbPerS: bytes / 1e3 / Number(tookMs),
    clientCpuSPerGb,
    serverCpuSPerGb,
    rttP50Us: quantileUs(0.5),
    rttP95Us: quantileUs(0.95),
    rttP99Us: quantileUs(0.99),
    handshakesPerS: Number(await client.ask("handshakes", { inFlight: 1, ms })),
    handshakesPerS16: Number(
      await client.ask("handshakes", { inFlight: 16, ms }),
    ),
  };
}

/** The sessions that are opened and closed first let the heap reach the size that handshakes need. */
async function measureIdle(pair: Pair, { handshakesMs, idleSessions }: Size) {
  const { client, server } = pair;
  await client.ask("handshakes", { inFlight: 4, ms: 2 * handshakesMs });
  await client.ask("hold", { count: FIRST_IDLE, inFlight: 4 });
  const before = await memoryOf(pair);
  await client.ask("hold", { count: idleSessions, inFlight: 4 });
  const after = await memoryOf(pair);
  const cpuS = server.cpuS;
  await delay(systemClock, SETTLE_MS);
  const perSession = (i: number) => (after[i]! - before[i]!) / idleSessions;
  return {
    clientIdleKib: perSession(0),
    serverIdleKib: perSession(1),
    clientLiveKib: perSession(2),
    serverLiveKib: perSession(3),
    serverIdleCpuPercent: (server.cpuS - cpuS) / SETTLE_MS * 1e5,
  };
}

/** Resident and live memory of both processes in KiB, after a collection. */
async function memoryOf({ client, server }: Pair): Promise<number[]> {
  await delay(systemClock, SETTLE_MS);
  const live = [];
  for (const peer of [client, server]) {
    const { heapUsed, external } = await peer.ask("collect") as Memory;
    live.push(heapUsed + external);
  }
  return [client.rssBytes, server.rssBytes, ...live].map((x) => x / 1_024);
}
