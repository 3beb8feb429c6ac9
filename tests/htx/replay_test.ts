import {
  assert,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import { DecodeError, utf8 } from "../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import {
  memoryStore,
  sqliteStore,
  StorageError,
} from "../../src/core/storage/mod.ts";
import { REPLAY_MEMORY_MS, ReplayMemory } from "../../src/htx/replay.ts";
import { generator } from "./_mutation.ts";

const HOUR_MS = 3_600_000;
const HOUR = 487_548;
const ticket = () => crypto.random(32);

Deno.test("ReplayMemory knows a ticket for at least 3 h, then its hour is over", () => {
  using store = memoryStore();
  const memory = new ReplayMemory({ store, nowMs: 0 });
  const first = ticket();
  assertEquals(memory.remember(first, HOUR, 0), "new");
  for (const nowMs of [0, HOUR_MS, 3 * HOUR_MS - 1, 3 * HOUR_MS, 1e12]) {
    assertEquals(memory.remember(first, HOUR, nowMs), "replayed", `${nowMs}`);
  }
  assert(REPLAY_MEMORY_MS >= 3 * HOUR_MS);
  assertEquals(memory.remember(ticket(), HOUR + 3, 1e12), "new");
  assertEquals(memory.size, 1);
});

Deno.test("ReplayMemory stays closed when the wall clock jumps back to a forgotten hour", () => {
  using store = memoryStore();
  const memory = new ReplayMemory({ store, nowMs: 0 });
  const old = ticket();
  memory.remember(old, HOUR, 0);
  memory.remember(ticket(), HOUR + 3, 3 * HOUR_MS);
  assertEquals(memory.size, 1);
  assertEquals(memory.remember(old, HOUR, 4 * HOUR_MS), "replayed");
  assertEquals(memory.remember(ticket(), HOUR, 4 * HOUR_MS), "replayed");
  assertEquals(memory.remember(ticket(), HOUR + 4, 4 * HOUR_MS), "new");
  const reopened = new ReplayMemory({ store, nowMs: 0 });
  assertEquals(reopened.remember(old, HOUR, 0), "replayed");
});

Deno.test("ReplayMemory takes tickets again once a clock that was far ahead is right, however long it was wrong", () => {
  for (const wrongHours of [0, 10]) {
    using store = memoryStore();
    const memory = new ReplayMemory({ store, nowMs: 0 });
    const ahead = ticket();
    assertEquals(memory.remember(ahead, 900_000, 0), "new");
    for (let h = 1; h < wrongHours; h++) {
      const verdict = memory.remember(ticket(), 900_000 + h, h * HOUR_MS);
      assertEquals(verdict, "new");
    }
    for (let h = wrongHours; h < wrongHours + 24; h++) {
      assertEquals(memory.remember(ticket(), HOUR + h, h * HOUR_MS), "new");
    }
    const reopened = new ReplayMemory({ store, nowMs: 0 });
    assertEquals(reopened.remember(ticket(), HOUR + 100, 1), "new");
    for (const each of [memory, reopened]) {
      assertEquals(each.remember(ahead, 900_000, 1e9), "replayed");
    }
  }
});

Deno.test("ReplayMemory takes other tickets of an hour that a clock was in too early", () => {
  using store = memoryStore();
  const memory = new ReplayMemory({ store, nowMs: 0 });
  const early = ticket();
  assertEquals(memory.remember(early, HOUR + 8, 0), "new");
  for (let h = 0; h < 12; h++) {
    const nowMs = h * HOUR_MS;
    assertEquals(memory.remember(ticket(), HOUR + h, nowMs), "new", `${h}`);
    assertEquals(memory.remember(early, HOUR + 8, nowMs), "replayed", `${h}`);
  }
});

Deno.test("ReplayMemory is not filled for good by tickets of hours to come", () => {
  using store = memoryStore();
  const memory = new ReplayMemory({ store, capacity: 4, nowMs: 0 });
  const ahead = [ticket(), ticket(), ticket(), ticket()];
  for (const t of ahead) memory.remember(t, 900_000, 0);
  assertEquals(memory.remember(ticket(), HOUR, 1), "full");
  assertEquals(memory.remember(ticket(), HOUR, 3 * HOUR_MS), "new");
  for (const t of ahead) {
    assertEquals(memory.remember(t, 900_000, 4 * HOUR_MS), "replayed");
  }
});

Deno.test("ReplayMemory takes no ticket twice, whatever the clock and restarts do", () => {
  using store = memoryStore();
  let memory = new ReplayMemory({ store, capacity: 300, nowMs: 0 });
  const random = generator(7);
  const taken: [Uint8Array, number][] = [];
  let nowMs = 0;
  let hour = HOUR;
  for (let step = 0; step < 3_000; step++) {
    nowMs += random(HOUR_MS);
    hour += random(20) === 0 ? random(400) - 200 : 0;
    if (random(50) === 0) {
      nowMs = 0;
      memory = new ReplayMemory({ store, capacity: 300, nowMs });
    }
    const fresh = ticket();
    const at = hour + random(3) - 1;
    if (memory.remember(fresh, at, nowMs) === "new") taken.push([fresh, at]);
    const [old, oldHour] = taken[random(taken.length)]!;
    assertNotEquals(memory.remember(old, oldHour, nowMs), "new");
  }
  assert(taken.length > 300, `${taken.length}`);
  assert(memory.size <= 300);
});

Deno.test("ReplayMemory under a steady clock never refuses a fresh ticket", () => {
  using store = memoryStore();
  const memory = new ReplayMemory({ store, nowMs: 0 });
  for (let minute = 0; minute < 48 * 60; minute += 7) {
    const nowMs = minute * 60_000;
    for (const offset of [-1, 0, 1]) {
      const hour = HOUR + Math.floor(minute / 60) + offset;
      assertEquals(memory.remember(ticket(), hour, nowMs), "new");
    }
  }
  const perHour = 3 * 60 / 7;
  assert(memory.size < 7 * perHour, `${memory.size} remembered`);
  assert(store.usage().entries < 14 * perHour, "the store shrinks too");
});

Deno.test("ReplayMemory goes on deleting the tickets of a closed hour after a restart", () => {
  using store = memoryStore();
  const first = new ReplayMemory({ store, nowMs: 0 });
  for (let i = 0; i < 50; i++) first.remember(ticket(), HOUR, 0);
  first.remember(ticket(), HOUR + 3, 3 * HOUR_MS);
  const memory = new ReplayMemory({ store, nowMs: 0 });
  assertEquals(memory.size, 1);
  for (let i = 0; i < 30; i++) memory.remember(ticket(), HOUR + 3, 0);
  assertEquals(memory.size, 31);
  assertEquals(store.usage().entries, 32); // the closed hours are one
});

Deno.test("ReplayMemory refuses new tickets when full, and still knows the old ones", () => {
  using store = memoryStore();
  const memory = new ReplayMemory({ store, capacity: 3, nowMs: 0 });
  const known = [ticket(), ticket(), ticket()];
  for (const t of known) assertEquals(memory.remember(t, HOUR, 0), "new");
  for (let i = 0; i < 100; i++) {
    assertEquals(memory.remember(ticket(), HOUR, 1), "full");
  }
  for (const t of known) assertEquals(memory.remember(t, HOUR, 1), "replayed");
  assertEquals(memory.remember(ticket(), HOUR + 3, 3 * HOUR_MS), "new");
});

Deno.test("ReplayMemory counts a ticket as not seen when its store is full", () => {
  using store = memoryStore({ maxEntries: 1 });
  const memory = new ReplayMemory({ store, nowMs: 0 });
  assertEquals(memory.remember(ticket(), HOUR, 0), "new");
  const next = ticket();
  assertThrows(() => memory.remember(next, HOUR, 0), StorageError);
  assertEquals(memory.size, 1);
});

Deno.test("ReplayMemory refuses a store that holds something else", () => {
  for (
    const [key, value] of [
      ["\0short", ""],
      ["\0".repeat(30), ""],
      ["\x01", "four"],
      ["\x01", "\0".repeat(16)],
    ] as const
  ) {
    using store = memoryStore();
    store.set(utf8(key), utf8(value));
    assertThrows(() => new ReplayMemory({ store, nowMs: 0 }), DecodeError);
  }
});

Deno.test("ReplayMemory in SQLite survives a SIGKILL right after it said new", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const path = `${dir}/replay.db`;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["eval", "--quiet", childSource(path)],
      stdout: "piped",
    }).spawn();
    let out = "";
    let killed = false;
    for await (
      const chunk of child.stdout.pipeThrough(new TextDecoderStream())
    ) {
      out += chunk;
      if (killed || out.split("\n").length < 20) continue;
      child.kill("SIGKILL");
      killed = true;
    }
    assertEquals((await child.status).signal, "SIGKILL");
    const said = out.split("\n").slice(0, -1);
    using store = sqliteStore(path);
    const memory = new ReplayMemory({ store, nowMs: 0 });
    for (const hex of said) {
      const accessTicket = Uint8Array.fromHex(hex);
      assertEquals(memory.remember(accessTicket, HOUR, 0), "replayed");
    }
    assertEquals(memory.remember(ticket(), HOUR, 0), "new");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

/** A program that remembers tickets for ever and prints each that is new. */
function childSource(path: string): string {
  const at = (file: string) =>
    JSON.stringify(new URL(`../../src/${file}`, import.meta.url).href);
  return `
    import { sqliteStore } from ${at("core/storage/mod.ts")};
    import { ReplayMemory } from ${at("htx/replay.ts")};
    const store = sqliteStore(${JSON.stringify(path)});
    const memory = new ReplayMemory({ store, nowMs: 0 });
    for (;;) {
      const t = crypto.getRandomValues(new Uint8Array(32));
      const verdict = memory.remember(t, ${HOUR}, 0);
      if (verdict === "new") {
        Deno.stdout.writeSync(new TextEncoder().encode(t.toHex() + "\\n"));
      }
    }
  `;
}
