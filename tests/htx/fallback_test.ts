import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { VirtualClock } from "../../src/core/async/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import { TransportError } from "../../src/core/transport/mod.ts";
import { HtxError } from "../../src/htx/error.ts";
import {
  type Cover,
  FALLBACK,
  Fallback,
  type FallbackEvent,
  planFallback,
} from "../../src/htx/fallback.ts";

const ORIGINS = ["https://a.example", "https://b.example", "https://c.example"];
const FAILURE = new TransportError("unreachable", "No answer");

class Scene implements Disposable {
  readonly clock = new VirtualClock();
  readonly events: FallbackEvent[] = [];
  readonly open = new Set<string>();
  readonly fallback: Fallback;

  constructor(
    openCover: (origin: string) => Cover = (origin) => ({
      close: () => void this.open.delete(origin),
    }),
    onEvent: (event: FallbackEvent) => void = () => {},
  ) {
    this.fallback = new Fallback({
      origins: ORIGINS,
      openCover: (origin) => {
        this.open.add(origin);
        return Promise.resolve().then(() => openCover(origin));
      },
      crypto: nodeProvider,
      clock: this.clock,
      onEvent: (event) => {
        this.events.push(event);
        onEvent(event);
      },
    });
  }

  /** Dials by a first way that fails at once; the second waits for its start. */
  dial(options: { readonly signal?: AbortSignal } = {}): Promise<string> {
    return this.fallback.dial<string>(
      () => Promise.reject(FAILURE),
      async ({ start }) => {
        await start;
        return "tcp";
      },
      options,
    );
  }

  times(type: FallbackEvent["type"]): number[] {
    return this.events.filter((e) => e.type === type).map((e) => e.atMs);
  }

  [Symbol.dispose](): void {
    this.fallback[Symbol.dispose]();
  }
}

function within(value: number, [min, max]: readonly [number, number]): void {
  assert(value >= min && value <= max, `${value} is not in ${min}..${max}`);
}

Deno.test("Fallback.dial() keeps every time of §5.6, from the failure to the last cover connection", async () => {
  for (let run = 0; run < 200; run++) {
    using scene = new Scene();
    const dialled = scene.dial();
    await scene.clock.run(60_000);
    assertEquals(await dialled, "tcp");
    const [retry] = scene.times("retry");
    within(retry! - scene.times("failed")[0]!, FALLBACK.retryMs);
    within(scene.times("start")[0]! - retry!, FALLBACK.startMs);
    const opened = scene.events.filter((e) => e.type === "cover_opening");
    within(opened.length, FALLBACK.covers);
    assertEquals(new Set(opened.map((e) => e.origin)).size, opened.length);
    for (const { origin, atMs } of opened) {
      within(atMs - retry!, FALLBACK.coverOpenMs);
      const closed = scene.events.find((e) =>
        e.type === "cover_closed" && e.origin === origin
      );
      within(closed!.atMs - atMs, FALLBACK.coverStayMs);
    }
    assertEquals(scene.open.size, 0);
    assertEquals(scene.clock.pendingTimers, 0);
  }
});

Deno.test("planFallback() draws each time on its own, over its whole range", () => {
  const plans = Array.from(
    { length: 2_000 },
    () => planFallback(nodeProvider, ORIGINS),
  );
  const spans = {
    retryMs: plans.map((p) => p.retryAfterMs),
    startMs: plans.map((p) => p.startAfterMs),
    coverOpenMs: plans.flatMap((p) => p.covers.map((c) => c.openAfterMs)),
    coverStayMs: plans.flatMap((p) => p.covers.map((c) => c.closeAfterMs)),
  };
  for (const [name, values] of Object.entries(spans)) {
    const [min, max] = FALLBACK[name as keyof typeof spans];
    const edge = (max - min) / 50;
    assert(Math.min(...values) < min + edge, name);
    assert(Math.max(...values) > max - edge, name);
  }
  assertEquals(new Set(plans.map((p) => p.covers.length)), new Set([2, 3]));
  assertEquals(
    new Set(plans.map((p) => p.covers[0]!.origin)),
    new Set(ORIGINS),
  );
});

Deno.test("Fallback.dial() retries at most twice in a minute", async () => {
  using scene = new Scene();
  const dialled = Promise.all([scene.dial(), scene.dial(), scene.dial()]);
  await scene.clock.run(59_000);
  assertEquals(scene.times("retry").length, 2);
  await scene.clock.run(10_000);
  assertEquals(await dialled, ["tcp", "tcp", "tcp"]);
  const retries = scene.times("retry");
  assert(retries[2]! - retries[0]! >= 60_000);
});

Deno.test("Fallback.dial() counts no retry that was aborted while it waited", async () => {
  using scene = new Scene();
  for (let i = 0; i < 5; i++) {
    const controller = new AbortController();
    const dialling = assertRejects(() => scene.dial(controller));
    await scene.clock.run(1);
    controller.abort(new Error("Enough"));
    await dialling;
  }
  const dialled = Promise.all([scene.dial(), scene.dial(), scene.dial()]);
  await scene.clock.run(1_300);
  assertEquals(scene.times("retry").length, 2);
  const third = new AbortController();
  const dialling = assertRejects(() => scene.dial(third));
  await scene.clock.run(1);
  third.abort(new Error("Enough"));
  await dialling;
  await scene.clock.run(57_000);
  assertEquals(scene.times("retry").length, 2);
  await scene.clock.run(10_000);
  assertEquals(await dialled, ["tcp", "tcp", "tcp"]);
});

Deno.test("Fallback.dial() goes on if onEvent throws", async () => {
  using scene = new Scene(() => {
    throw new Error("No cover");
  }, () => {
    throw new Error("No log");
  });
  const dialled = scene.dial();
  await scene.clock.run(20_000);
  assertEquals(await dialled, "tcp");
  assertEquals(scene.times("cover_failed").length > 0, true);
});

Deno.test("Fallback.dial() gives the first way's outcome, and opens nothing, if it works", async () => {
  using scene = new Scene();
  const dialled = scene.fallback.dial(
    () => Promise.resolve("quic"),
    () => Promise.reject(new Error("not reached")),
  );
  assertEquals(await dialled, "quic");
  assertEquals(scene.events, []);
});

Deno.test("Fallback.dial() does not try TCP after a server that refused us", async () => {
  using scene = new Scene();
  await assertRejects(
    () =>
      scene.fallback.dial(
        () => Promise.reject(new HtxError("refused", "Decoy")),
        () => Promise.resolve(),
      ),
    HtxError,
    "Decoy",
  );
  assertEquals(scene.events, []);
});

Deno.test("Fallback leaves a cover connection that is in use alone", async () => {
  const closed: string[] = [];
  using scene = new Scene((origin) => ({
    inUse: true,
    close: () => closed.push(origin),
  }));
  const dialled = scene.dial();
  await scene.clock.run(60_000);
  await dialled;
  assertEquals(closed, []);
  assert(scene.times("cover_kept").length >= 2);
});

Deno.test("Fallback.dial() succeeds although the cover connections fail", async () => {
  using scene = new Scene(() => {
    throw FAILURE;
  });
  const dialled = scene.dial();
  await scene.clock.run(60_000);
  assertEquals(await dialled, "tcp");
  assert(scene.times("cover_failed").length >= 2);
  assertEquals(scene.clock.pendingTimers, 0);
});

Deno.test("Fallback ends attempts and cover connections when it is disposed or its signal aborts", async () => {
  const scene = new Scene();
  const dialled = scene.dial();
  await scene.clock.run(2_500);
  assertEquals(await dialled, "tcp");
  const waiting = scene.dial();
  scene.fallback[Symbol.dispose]();
  await assertRejects(() => waiting, HtxError, "closing");
  await scene.clock.run(0);
  assertEquals(scene.open.size, 0);
  assertEquals(scene.clock.pendingTimers, 0);

  using other = new Scene();
  const controller = new AbortController();
  const aborted = other.fallback.dial(
    () => Promise.reject(FAILURE),
    () => Promise.resolve(),
    { signal: controller.signal },
  );
  await other.clock.run(10);
  controller.abort(new Error("enough"));
  await assertRejects(() => aborted, Error, "enough");
});

Deno.test("Fallback wants two different cover origins", () => {
  const options = {
    openCover: () => Promise.reject(FAILURE),
    crypto: nodeProvider,
  };
  for (const origins of [[], ["https://a"], ["https://a", "https://a"]]) {
    assertThrows(
      () => new Fallback({ ...options, origins }),
      RangeError,
      "2 cover origins",
    );
  }
});
