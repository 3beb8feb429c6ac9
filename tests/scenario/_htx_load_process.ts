// Many HTX sessions and streams at once from one process; htx_load_test.ts starts it.
import { assert, assertEquals } from "@std/assert";
import { encodeHex } from "../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import type { Connection } from "../../src/core/transport/mod.ts";
import { dialHtx } from "../../src/htx/client.ts";
import { pattern } from "../htx/_mux_pair.ts";
import { type LoadFigures, type LoadOptions, UNSHAPED } from "./_load.ts";
import { asked, cpuSeconds, rssBytes, say } from "./_line_process.ts";
import { accept } from "./_server_process.ts";

/** What is echoed on each stream before the last one is open. */
const FIRST_BYTES = 512;

const options: LoadOptions = JSON.parse(Deno.args[0]!);
const count = options.sessions * options.streamsEach;
const rssBefore = rssBytes();
const startedAtMs = performance.now();
const sessions = await inLots(
  options.sessions,
  50,
  () => dialHtx({ ...accept(options.invitation), shaping: UNSHAPED }),
);
const dialMs = performance.now() - startedAtMs;
const streams = await inLots(count, 500, start);
say({});
await asked();
await inLots(count, 500, finish);
const figures: LoadFigures = {
  dialMs,
  totalMs: performance.now() - startedAtMs,
  cpuSeconds: cpuSeconds(),
  grownBytes: rssBytes() - rssBefore,
};
assertEquals(sessions.filter(({ stats }) => stats.streams > 0).length, 0);
await Promise.all(sessions.map((session) => session.close()));
say(figures);

/** Opens stream `i` and has its first bytes echoed. */
async function start(i: number): Promise<Connection> {
  const stream = await sessions[i % sessions.length]!.open();
  await echo(stream, pattern(options.streamBytes, i).subarray(0, FIRST_BYTES));
  return stream;
}

/** Has the rest echoed, and ends the stream. */
async function finish(i: number): Promise<void> {
  const stream = streams[i]!;
  await echo(stream, pattern(options.streamBytes, i).subarray(FIRST_BYTES));
  await stream.closeWrite();
  assertEquals(await stream.read(new Uint8Array(1)), null);
}

async function echo(stream: Connection, bytes: Uint8Array): Promise<void> {
  await stream.write(bytes);
  const echoed = new Uint8Array(bytes.length);
  for (let at = 0; at < echoed.length;) {
    const n = await stream.read(echoed.subarray(at));
    assert(n !== null, `Ended after ${at} bytes`);
    at += n;
  }
  assertEquals(hash(echoed), hash(bytes));
}

function hash(bytes: Uint8Array): string {
  return encodeHex(nodeProvider.hash("sha256", bytes));
}

/** Runs `task` for 0 … `count` − 1, `width` at a time. */
async function inLots<T>(
  count: number,
  width: number,
  task: (i: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const work = async () => {
    while (next < count) {
      const i = next++;
      results[i] = await task(i);
    }
  };
  await Promise.all(Array.from({ length: width }, work));
  return results;
}
