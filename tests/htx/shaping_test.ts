import { assert, assertEquals } from "@std/assert";
import { FRAME_TYPE } from "../../src/htx/frame.ts";
import { pattern } from "./_mux_pair.ts";
import {
  type TracedEnds,
  type TracedFrame,
  traceSession,
} from "./_session_trace.ts";
import {
  chiSquared,
  correlation,
  kolmogorovP,
  productCdf,
  uniformCdf,
} from "./_statistics.ts";

const HOUR_MS = 3_600_000;
/** A sample that follows its distribution falls below this once in a hundred seeds; the seeds here are fixed. */
const LEAST_P = 0.01;
/** Of 15 degrees of freedom, exceeded once in a hundred. */
const MOST_CHI_SQUARED = 30.58;

const PINGS = { idlePadding: false };
const PADDING = { pings: false };

function wait(ms: number): (ends: TracedEnds) => Promise<void> {
  return ({ clock }) => clock.run(ms);
}

function pingRequests(frames: readonly TracedFrame[]): TracedFrame[] {
  return frames.filter(({ type, payload }) =>
    type === FRAME_TYPE.ping && payload[0] === 0
  );
}

function paddings(frames: readonly TracedFrame[]): TracedFrame[] {
  return frames.filter(({ type, streamId }) =>
    type === FRAME_TYPE.stream && streamId === 0
  );
}

function isData({ type, streamId, payload }: TracedFrame): boolean {
  return type === FRAME_TYPE.stream && streamId > 0 && payload.length > 1;
}

function intervals(frames: readonly TracedFrame[]): number[] {
  return frames.map(({ atMs }, i) => atMs - (frames[i - 1]?.atMs ?? 0));
}

/** No value tells of those up to 20 later, to four standard errors. */
function assertNotPeriodic(values: readonly number[]): void {
  for (let lag = 1; lag <= 20; lag++) {
    const r = correlation(values, values.slice(lag));
    assert(Math.abs(r) < 4 / Math.sqrt(values.length), `lag ${lag}: ${r}`);
  }
}

Deno.test("Session sends PING at intervals of U[10, 60] s · U[0.9, 1.1] (BN11-5.5-2)", async () => {
  const trace = await traceSession({
    seed: 1,
    clientShaping: PINGS,
    serverShaping: PINGS,
    script: wait(24 * HOUR_MS),
  });
  const cdf = productCdf([10_000, 60_000], [0.9, 1.1]);
  const directions = [trace.client, trace.server].map((frames) =>
    intervals(pingRequests(frames))
  );
  for (const sample of directions) {
    assert(sample.length >= 2_000, `${sample.length} intervals`);
    assert(sample.every((ms) => ms >= 9_000 && ms <= 66_000));
    assert(Math.min(...sample) < 10_000 && Math.max(...sample) > 60_000);
    const p = kolmogorovP(sample, cdf);
    assert(p > LEAST_P, `p = ${p}`);
    assert(kolmogorovP(sample, uniformCdf(9_000, 66_000)) < 1e-6);
    assertNotPeriodic(sample);
    assertEquals(new Set(sample).size, sample.length);
  }
  const [a, b] = directions as [number[], number[]];
  assert(Math.abs(correlation(a, b)) < 4 / Math.sqrt(a.length));
});

Deno.test("Session answers every PING at once", async () => {
  const { client, server } = await traceSession({
    seed: 2,
    clientShaping: PINGS,
    serverShaping: { pings: false, idlePadding: false },
    script: wait(HOUR_MS),
  });
  const answers = server.filter(({ type }) => type === FRAME_TYPE.ping);
  assert(answers.every(({ payload }) => payload[0] === 1));
  assertEquals(
    answers.map(({ atMs, payload }) => [atMs, ...payload.subarray(1)]),
    pingRequests(client).map((
      { atMs, payload },
    ) => [atMs, ...payload.subarray(1)]),
  );
});

Deno.test("Session pads after U[200, 1200] ms with U{0..3072} bytes while nothing is sent (BN11-5.5-4)", async () => {
  const trace = await traceSession({
    seed: 3,
    clientShaping: PADDING,
    serverShaping: PADDING,
    script: wait(HOUR_MS / 2),
  });
  for (const frames of [trace.client, trace.server]) {
    assertEquals(paddings(frames), frames);
    const delays = intervals(frames);
    const sizes = frames.map(({ payload }) => payload.length);
    assert(delays.length >= 2_000, `${delays.length} delays`);
    assert(delays.every((ms) => ms >= 200 && ms <= 1_200));
    const p = kolmogorovP(delays, uniformCdf(200, 1_200));
    assert(p > LEAST_P, `p = ${p}`);
    assert(sizes.every((size) => size >= 0 && size <= 3_072));
    const spread = chiSquared(sizes, 3_073, 16);
    assert(spread < MOST_CHI_SQUARED, `chi squared = ${spread}`);
    assertNotPeriodic(delays);
    assertNotPeriodic(sizes);
    assert(Math.abs(correlation(delays, sizes)) < 4 / Math.sqrt(sizes.length));
  }
  const [a, b] = [intervals(trace.client), intervals(trace.server)];
  assert(Math.abs(correlation(a, b)) < 4 / Math.sqrt(a.length));
});

/** Sends 20 bytes on one stream every `everyMs`; nobody reads them, so all have to fit into its window. */
function talk(
  from: "client" | "server",
  count: number,
  everyMs: number,
): (ends: TracedEnds) => Promise<void> {
  return async ({ [from]: session, clock }) => {
    const stream = await session.open();
    for (let i = 0; i < count; i++) {
      const writing = stream.write(pattern(20));
      await clock.run(everyMs);
      await writing;
    }
  };
}

Deno.test("Session draws a fresh delay after all data, and pads only when none was sent", async () => {
  const { client } = await traceSession({
    seed: 4,
    clientShaping: PADDING,
    serverShaping: { pings: false, idlePadding: false },
    script: talk("client", 2_500, 1_000),
  });
  const delays: number[] = [];
  let [dataAtMs, padded] = [0, true];
  let hits = 0;
  for (const frame of client) {
    if (isData(frame)) {
      [dataAtMs, padded] = [frame.atMs, false];
      hits++;
      continue;
    }
    if (frame.streamId !== 0) continue;
    if (!padded) delays.push(frame.atMs - dataAtMs);
    padded = true;
  }
  assertEquals(hits, 2_500);
  // Data comes each second, so that of U[200, 1200] only what is below 1,000 is seen: four fifths.
  assert(delays.length > 1_900 && delays.length < 2_100, `${delays.length}`);
  const p = kolmogorovP(delays, uniformCdf(200, 1_000));
  assert(p > LEAST_P, `p = ${p}`);

  const busy = await traceSession({
    seed: 5,
    clientShaping: PADDING,
    script: talk("client", 1_000, 199),
  });
  assertEquals(paddings(busy.client).length, 0);
  assert(paddings(busy.server).length > 200);
});

Deno.test("Session pads each direction on its own", async () => {
  const run = (script: (ends: TracedEnds) => Promise<void>) =>
    traceSession({
      seed: 6,
      clientShaping: PADDING,
      serverShaping: PADDING,
      script,
    });
  const silent = await run(wait(100_000));
  const talking = await run(talk("server", 500, 200));
  const plan = (frames: readonly TracedFrame[]) =>
    paddings(frames).map(({ atMs, payload }) => [atMs, payload.length]);
  assertEquals(plan(talking.client), plan(silent.client));
  assert(plan(talking.server).length < plan(silent.server).length / 10);
});

Deno.test("Session sends nothing of its own with shaping switched off", async () => {
  const off = { pings: false, idlePadding: false };
  const script = wait(HOUR_MS / 2);
  for (
    const [clientShaping, types] of [
      [off, []],
      [PINGS, [FRAME_TYPE.ping]],
      [PADDING, [FRAME_TYPE.stream]],
      [{}, [FRAME_TYPE.stream, FRAME_TYPE.ping]],
    ] as const
  ) {
    const { client, server } = await traceSession({
      seed: 7,
      clientShaping,
      serverShaping: off,
      script,
    });
    assertEquals(new Set(client.map(({ type }) => type)), new Set(types));
    assertEquals(server.length, pingRequests(client).length);
  }
});
