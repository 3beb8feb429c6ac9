import { assert, assertEquals } from "@std/assert";
import type { Session } from "../../src/htx/session.ts";
import { LineProcess, report, rssBytes } from "./_line_process.ts";
import { type LoadFigures, type LoadOptions, UNSHAPED } from "./_load.ts";
import { ServerProcess } from "./_server_process.ts";

const MIB = 2 ** 20;
/** What either process may work: neighbours make it wait, but not work. */
const MOST_CPU_SECONDS = 40;
/** What either process may grow by: 0.6 MiB a session, most of it what V8 has not collected yet. */
const MOST_GROWTH = 600 * MIB;

Deno.test("HTX carries 1,000 sessions and 10,000 streams at once between two processes", async () => {
  await carry({ sessions: 1_000, tls: false });
});

Deno.test("HTX carries 100 sessions and 1,000 streams at once over TLS and HTTP/2", async () => {
  await carry({ sessions: 100, tls: true });
});

/** Opens `sessions` with 10 streams each, has 8 KiB echoed on each, and bounds what that costs. */
async function carry(
  { sessions, tls }: { readonly sessions: number; readonly tls: boolean },
): Promise<void> {
  const [streamsEach, streamBytes] = [10, 8_192];
  const count = sessions * streamsEach;
  await using server = await ServerProcess.start({
    server: { shaping: UNSHAPED },
    tls,
  });
  const before = server.process.rssBytes;
  const { invitation } = server;
  const options: LoadOptions = {
    invitation,
    sessions,
    streamsEach,
    streamBytes,
  };
  await using load = new LineProcess("./_htx_load_process.ts", options);
  await load.line();
  const stats = await server.stats();
  assertEquals([stats.sessions, stats.streams], [sessions, count]);
  const figures = await load.ask<LoadFigures>();
  const grown = server.process.rssBytes - before;
  const used = [figures.cpuSeconds, server.process.cpuSeconds] as const;
  await server.until(({ sessions }) => sessions === 0);
  report(
    `${sessions} sessions in ${
      seconds(figures.dialMs)
    }, ${count} streams echo ${mib(count * streamBytes)} in ${
      seconds(figures.totalMs)
    }; CPU: client ${used[0]} s, server ${used[1]} s; memory: client +${
      mib(figures.grownBytes)
    }, server +${mib(grown)}`,
  );
  assert(Math.max(...used) < MOST_CPU_SECONDS, `${used} s`);
  assert(figures.grownBytes < MOST_GROWTH && grown < MOST_GROWTH);
}

Deno.test("HTX holds no more memory while 100 streams are not read", async () => {
  await using server = await ServerProcess.start({ stall: true });
  await using session = await server.dial();
  const before = [rssBytes(), server.process.rssBytes] as const;
  const data = new Uint8Array(4 * MIB);
  let written = 0;
  const writing = [];
  for (let i = 0; i < 100; i++) {
    const stream = await session.open();
    writing.push(stream.write(data).then(() => written++, () => stream));
  }
  const crossed = await crossedBytes(server, session);
  const grown = [
    rssBytes() - before[0],
    server.process.rssBytes - before[1],
  ] as const;
  report(
    `100 streams of 4 MiB not read: ${mib(crossed)} crossed; memory: client +${
      mib(grown[0])
    }, server +${mib(grown[1])}`,
  );
  assertEquals(written, 0);
  assertEquals(crossed, 100 * 65_535);
  assert(Math.max(...grown) < 64 * MIB);
  await session.close();
  await Promise.all(writing);
  assertEquals(written, 0);
});

/** Stream bytes that reached the server, once a few round trips bring no more. */
async function crossedBytes(
  server: ServerProcess,
  session: Session,
): Promise<number> {
  for (let before = -1;;) {
    for (let i = 0; i < 20; i++) await session.ping();
    const { bytesIn } = await server.stats();
    if (bytesIn === before && bytesIn > 0) return bytesIn;
    before = bytesIn;
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(0)} MiB`;
}
