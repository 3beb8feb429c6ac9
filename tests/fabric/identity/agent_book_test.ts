import { assertEquals, assertThrows } from "@std/assert";
import { VirtualClock } from "../../../src/core/async/mod.ts";
import { memoryStore } from "../../../src/core/storage/mod.ts";
import {
  AgentBook,
  FabricError,
  parseAgentName,
} from "../../../src/fabric/mod.ts";
import { agentOf, crypto, recordOf } from "../_agents.ts";

const ana = agentOf("ana@hill");
const bob = agentOf("bob@dale");

function world(maxAgents = 10) {
  const clock = new VirtualClock(1_000);
  const store = memoryStore();
  const open = () => new AgentBook({ crypto, store, clock, maxAgents });
  return { clock, store, open, book: open() };
}

function codeOf(fn: () => void): string {
  return assertThrows(fn, FabricError).code;
}

Deno.test("a book keeps the newest record of an agent, also after it was opened again", () => {
  const { book, open } = world();
  book.learn(recordOf(ana, { sequence: 1 }));
  const newer = recordOf(ana, { sequence: 2, capabilities: ["b"] });
  book.learn(newer);
  book.learn(newer);
  assertEquals(codeOf(() => book.learn(recordOf(ana))), "stale");
  const other = recordOf(ana, { sequence: 2, capabilities: ["c"] });
  assertEquals(codeOf(() => book.learn(other)), "stale");
  for (const each of [book, open()]) {
    assertEquals(each.get(ana.id)?.record.capabilities, ["b"]);
    assertEquals(each.get(ana.id)?.bytes, newer);
    assertEquals(each.size, 1);
  }
});

Deno.test("a name stays with the agent that was seen with it first", () => {
  const { book, open } = world();
  const name = parseAgentName("ana@hill");
  const thief = agentOf("ana@hill", "thief");
  book.learn(recordOf(ana));
  book.learn(recordOf(thief));
  assertEquals(book.conflicts, 1);
  assertEquals(book.get(thief.id)?.record.name, name);
  assertEquals(book.byName(name)?.equals(ana.id), true);
  book.pin(parseAgentName("eve@dale"), bob.id);
  assertEquals(open().byName(parseAgentName("eve@dale"))?.equals(bob.id), true);
});

Deno.test("a name that is given to an agent is its own, whoever was seen with it before", () => {
  const { book, open } = world();
  const name = parseAgentName("ana@hill");
  const thief = agentOf("ana@hill", "thief");
  book.learn(recordOf(thief));
  assertEquals(book.byName(name)?.equals(thief.id), true);
  book.pin(name, ana.id);
  book.learn(recordOf(thief, { sequence: 2 }));
  assertEquals(open().byName(name)?.equals(ana.id), true);
  assertEquals(codeOf(() => book.pin(name, bob.id)), "conflict");
});

Deno.test("a name that was given to the wrong agent is taken back, and goes to who is known with it", () => {
  const { book, open } = world();
  const name = parseAgentName("ana@hill");
  assertEquals(codeOf(() => book.unpin(name)), "unknown_agent");
  book.learn(recordOf(ana));
  assertEquals(codeOf(() => book.unpin(name)), "unknown_agent");
  book.pin(name, bob.id);
  book.pin(parseAgentName("eve@dale"), bob.id);
  assertEquals(open().byName(name)?.equals(bob.id), true);
  book.unpin(name);
  assertEquals(open().byName(name)?.equals(ana.id), true);
  book.unpin(parseAgentName("eve@dale"));
  assertEquals(open().byName(parseAgentName("eve@dale")), undefined);
  book.pin(name, ana.id);
  assertEquals(codeOf(() => book.pin(name, bob.id)), "conflict");
});

Deno.test("records that expire are not given any more, and make room", () => {
  const { book, clock } = world(1);
  book.learn(recordOf(ana, { expiresMs: 2_000 }));
  book.contact(ana.id);
  assertEquals(codeOf(() => book.learn(recordOf(bob))), "full");
  clock.advance(1_000);
  assertEquals(book.get(ana.id), undefined);
  assertEquals([...book.entries()].length, 0);
  book.learn(recordOf(bob));
  assertEquals(book.size, 1);
});

Deno.test("a flood of strangers displaces strangers alone, and leaves nothing behind", () => {
  const { book, open, store } = world(10);
  const name = parseAgentName("ana@hill");
  book.learn(recordOf(ana));
  book.contact(ana.id);
  for (let i = 0; i < 100; i++) {
    const stranger = agentOf(`s${i}@moor`);
    book.learn(recordOf(stranger));
    assertEquals(book.get(stranger.id)?.record.name.agent, `s${i}`);
  }
  assertEquals([book.size, book.evicted], [10, 91]);
  // A contact, and for each of ten agents a record and a name.
  assertEquals([...store.entries()].length, 21);
  for (const each of [book, open()]) {
    assertEquals(each.byName(name)?.equals(ana.id), true);
    assertEquals(each.byName(parseAgentName("s0@moor")), undefined);
    assertEquals(each.get(ana.id) !== undefined, true);
  }
  const again = open();
  for (let i = 0; i < 20; i++) again.learn(recordOf(agentOf(`t${i}@moor`)));
  assertEquals(again.get(ana.id) !== undefined, true);
});

Deno.test("of many contacts the latest and those with a given name count", () => {
  const { book, open } = world(10);
  book.pin(parseAgentName("ana@hill"), ana.id);
  book.learn(recordOf(ana));
  const others = Array.from({ length: 8 }, (_, i) => agentOf(`s${i}@moor`));
  for (const other of others) {
    book.learn(recordOf(other));
    book.contact(other.id);
  }
  book.contact(others[4]!.id);
  for (const each of [book, open()]) {
    for (let i = 0; i < 20; i++) each.learn(recordOf(agentOf(`t${i}@moor`)));
    const left = others.map(({ id }) => each.get(id) !== undefined);
    assertEquals(left, [false, false, false, false, true, true, true, true]);
    assertEquals(each.get(ana.id) !== undefined, true);
  }
});

Deno.test("a session speaks for the agents whose records name its key", () => {
  const { book } = world();
  const staticKey = new Uint8Array(32).fill(3);
  book.learn(recordOf(ana, { nodes: [{ staticKey }] }));
  assertEquals(book.speaksFor(staticKey, ana.id), true);
  assertEquals(book.speaksFor(new Uint8Array(32), ana.id), false);
  assertEquals(book.speaksFor(staticKey, bob.id), false);
});
