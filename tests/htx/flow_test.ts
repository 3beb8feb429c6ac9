import { assertEquals, assertThrows } from "@std/assert";
import { HtxError } from "../../src/htx/error.ts";
import {
  INITIAL_STREAM_WINDOW,
  ReceiveWindow,
  SendWindow,
  TuningBudget,
} from "../../src/htx/flow.ts";
import { generator } from "./_mutation.ts";

const RTT_MS = 50;
const SLOW_MS = 2 * RTT_MS;

Deno.test("ReceiveWindow grants what was used once that is half a window (§5.4)", () => {
  const window = new ReceiveWindow(65_535, 65_535);
  window.receive(65_535);
  assertEquals(window.consume(32_767, 0, RTT_MS), 0);
  assertEquals(window.consume(1, 0, RTT_MS), 32_768);
  assertEquals(window.consume(32_767, 0, RTT_MS), 0);
});

Deno.test("ReceiveWindow refuses a byte beyond what it granted", () => {
  const window = new ReceiveWindow(1_000, 1_000);
  window.receive(1_000);
  const beyond = () => window.receive(1);
  assertEquals(assertThrows(beyond, HtxError).code, "violation");
  window.consume(499, 0, RTT_MS);
  assertThrows(beyond, HtxError);
  window.consume(1, 0, RTT_MS);
  window.receive(500);
  assertThrows(beyond, HtxError);
});

Deno.test("ReceiveWindow doubles while updates come faster than two round trips, up to its limit", () => {
  const window = new ReceiveWindow(1_000, 5_000, new TuningBudget(1e6));
  const sizes = [];
  for (let i = 0; i < 6; i++) {
    window.receive(window.size);
    const { size } = window;
    const credit = window.consume(size, i, RTT_MS);
    assertEquals(credit, window.size);
    sizes.push(window.size);
  }
  assertEquals(sizes, [1_000, 2_000, 4_000, 5_000, 5_000, 5_000]);
});

Deno.test("ReceiveWindow does not grow for a slow reader or a fixed window", () => {
  for (const [max, everyMs] of [[5_000, SLOW_MS], [1_000, 0]] as const) {
    const window = new ReceiveWindow(1_000, max, new TuningBudget(1e6));
    for (let i = 0; i < 10; i++) {
      window.receive(1_000);
      assertEquals(window.consume(1_000, i * everyMs, RTT_MS), 1_000);
    }
    assertEquals(window.size, 1_000);
  }
});

Deno.test("ReceiveWindow never lets the peer send more than its size ahead", () => {
  const random = generator(31);
  for (let run = 0; run < 50; run++) {
    const window = new ReceiveWindow(
      INITIAL_STREAM_WINDOW,
      2 ** 20,
      new TuningBudget(2 ** 20),
    );
    const sender = new SendWindow(INITIAL_STREAM_WINDOW);
    let held = 0;
    for (let step = 0; step < 500; step++) {
      const sent = random(sender.credit + 1);
      sender.spend(sent);
      window.receive(sent);
      held += sent;
      const read = random(held + 1);
      held -= read;
      const credit = window.consume(read, step * random(200), RTT_MS);
      if (credit > 0) sender.grant(credit);
      assertEquals(held + sender.credit <= window.size, true);
      assertEquals(window.size <= 2 ** 20, true);
    }
  }
});

Deno.test("SendWindow refuses credit of nothing and credit without end", () => {
  const window = new SendWindow(10);
  window.spend(10);
  assertEquals(window.credit, 0);
  window.grant(7);
  assertEquals(window.credit, 7);
  for (const increment of [0, 2 ** 40]) {
    const grant = () => window.grant(increment);
    assertEquals(assertThrows(grant, HtxError).code, "violation");
  }
  for (let i = 0; i < 200; i++) window.grant(0xffff_ffff);
  assertThrows(() => {
    for (let i = 0; i < 100; i++) window.grant(0xffff_ffff);
  }, HtxError);
});

Deno.test("windows grow by no more than their budget together, and put it back", () => {
  const budget = new TuningBudget(3_000);
  const windows = [0, 1].map(() => new ReceiveWindow(1_000, 9_000, budget));
  for (let i = 0; i < 10; i++) {
    for (const window of windows) {
      window.receive(window.size);
      window.consume(window.size, i, RTT_MS);
    }
  }
  const sizes = windows.map(({ size }) => size);
  assertEquals(sizes[0]! + sizes[1]!, 5_000);
  windows[0]!.release();
  assertEquals(windows[0]!.size, 1_000);
  assertEquals(budget.take(1e6), sizes[0]! - 1_000);
});
