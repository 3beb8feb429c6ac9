import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { VirtualClock } from "../../src/core/async/mod.ts";
import { utf8 } from "../../src/core/bytes/mod.ts";
import {
  LARGE_BUFFER_BYTES,
  SMALL_BUFFER_BYTES,
  splice,
  type SpliceOptions,
} from "../../src/htx/splice.ts";
import { connectionPair, readAll, readExactly, text } from "./tunnel/_pair.ts";

/** A client and a target with a splice between them. */
async function joined(options: SpliceOptions = {}, bufferBytes?: number) {
  const [client, near] = await connectionPair(bufferBytes);
  const [far, target] = await connectionPair(bufferBytes);
  return { client, near, far, target, result: splice(near, far, options) };
}

Deno.test("splice() passes on half-closes, the client's first", async () => {
  const { client, target, result } = await joined();
  await client.write(utf8("ping"));
  await client.closeWrite();
  assertEquals(text(await readAll(target)), "ping");
  await target.write(utf8("pong!"));
  await target.closeWrite();
  assertEquals(text(await readAll(client)), "pong!");
  assertEquals(await result, { up: 4, down: 5, reason: "finished" });
});

Deno.test("splice() passes on half-closes, the target's first", async () => {
  const { client, target, result } = await joined();
  await target.write(utf8("banner"));
  await target.closeWrite();
  assertEquals(text(await readAll(client)), "banner");
  await client.write(utf8("late"));
  await client.closeWrite();
  assertEquals(text(await readAll(target)), "late");
  assertEquals(await result, { up: 4, down: 6, reason: "finished" });
});

Deno.test("splice() carries megabytes both ways at once and reports each piece", async () => {
  const progress = { up: 0, down: 0 };
  const { client, target, result } = await joined({
    onBytes: (direction, n) => progress[direction] += n,
  });
  const up = new Uint8Array(3_000_001).map((_, i) => i * 7);
  const down = new Uint8Array(2_000_003).map((_, i) => i * 11);
  const send = async (to: typeof client, bytes: Uint8Array) => {
    await to.write(bytes);
    await to.closeWrite();
  };
  const [, , gotUp, gotDown] = await Promise.all([
    send(client, up),
    send(target, down),
    readAll(target),
    readAll(client),
  ]);
  assertEquals(gotUp, up);
  assertEquals(gotDown, down);
  const { reason, ...moved } = await result;
  assertEquals(reason, "finished");
  assertEquals(moved, { up: up.length, down: down.length });
  assertEquals(progress, moved);
});

Deno.test("splice() closes both sides when one is reset, whichever it is", async () => {
  for (const side of ["client", "target"] as const) {
    const ends = await joined();
    await ends.client.write(utf8("x"));
    await readExactly(ends.target, 1);
    ends[side].close();
    const { reason, cause } = await ends.result;
    assertEquals(reason, "reset");
    assert(cause instanceof Error);
    await Promise.all([ends.near.closed, ends.far.closed]);
  }
});

Deno.test("splice() ends after the idle time, which every byte restarts", async () => {
  const clock = new VirtualClock();
  const { client, target, result } = await joined({
    clock,
    idleTimeoutMs: 1000,
  });
  let ended = false;
  void result.then(() => ended = true);
  for (let i = 0; i < 5; i++) {
    await clock.run(900);
    assertEquals(ended, false);
    await client.write(utf8("x"));
    await readExactly(target, 1);
  }
  await clock.run(999);
  assertEquals(ended, false);
  await clock.run(1);
  assertEquals(await result, { up: 5, down: 0, reason: "idle" });
  assertEquals(clock.pendingTimers, 0);
  client.close();
  target.close();
});

Deno.test("splice() ends when the signal fires, before or during", async () => {
  const reason = new Error("Shutting down");
  const during = new AbortController();
  for (const signal of [AbortSignal.abort(reason), during.signal]) {
    const { near, far, result } = await joined({ signal });
    during.abort(reason);
    assertEquals(await result, {
      up: 0,
      down: 0,
      reason: "aborted",
      cause: reason,
    });
    await Promise.all([near.closed, far.closed]);
  }
});

Deno.test("splice() stops reading while the other side does not take", async () => {
  const held = 16_384;
  const { client, target, result } = await joined({}, held);
  let sent = 0;
  const chunk = new Uint8Array(held);
  const total = 256;
  const sending = (async () => {
    for (let i = 0; i < total; i++) {
      await client.write(chunk);
      sent += chunk.length;
    }
    await client.closeWrite();
  })();
  await new VirtualClock().run(0); // everything settles that can
  // Two connections full and one buffer in between, of 4 MiB to send.
  assertLessOrEqual(sent, 2 * held + LARGE_BUFFER_BYTES);
  await target.closeWrite();
  assertEquals((await readAll(target)).length, total * held);
  await sending;
  await readAll(client);
  assertEquals((await result).up, total * held);
});

Deno.test("splice() waits with a small buffer and works with a large one", async () => {
  const asked: number[] = [];
  const reads = [SMALL_BUFFER_BYTES, LARGE_BUFFER_BYTES, 100_000, 10, null];
  const source = {
    read(buffer: Uint8Array) {
      asked.push(buffer.length);
      return Promise.resolve(reads.shift() ?? null);
    },
    write: () => Promise.resolve(),
    closeWrite: () => Promise.resolve(),
    close: () => {},
  };
  const drain = { ...source, read: () => Promise.resolve(null) };
  await splice(source, drain);
  assertEquals(asked, [
    SMALL_BUFFER_BYTES,
    LARGE_BUFFER_BYTES,
    LARGE_BUFFER_BYTES,
    SMALL_BUFFER_BYTES,
    SMALL_BUFFER_BYTES,
  ]);
});
