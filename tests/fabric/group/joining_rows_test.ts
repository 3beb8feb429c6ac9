import { assertEquals } from "@std/assert";
import { memoryStore } from "../../../src/core/storage/mod.ts";
import { EvidenceLog } from "../../../src/fabric/group/group_evidence.ts";
import { JoiningRows } from "../../../src/fabric/group/joining_rows.ts";
import { agentOf, crypto } from "../_agents.ts";

Deno.test("who sends before the Welcome takes no room from others, nor all of the disk", () => {
  const rows = new JoiningRows(memoryStore());
  const [ana, bob] = ["ana", "bob"].map((name) => agentOf(`${name}@node`).id);
  const group = new Uint8Array(32).fill(7);
  const [keyPackage, secret] = [Uint8Array.of(1), Uint8Array.of(2)];
  rows.accept({ group, from: ana!, keyPackage, secret }, 1_000);
  const kept = (from: typeof ana, bytes: Uint8Array) =>
    rows.wait(group, from!, bytes, 0);
  const many = Array.from({ length: 300 }, (_, i) => Uint8Array.of(i));
  assertEquals(many.filter((each) => kept(bob, each)).length, 32);
  assertEquals(kept(ana, Uint8Array.of(9)), true);
  const big = new Uint8Array(1 << 20);
  assertEquals(many.filter(() => kept(ana, big)).length, 7);
  const early = rows.take(group);
  assertEquals(early.length, 40);
  assertEquals(early[32]!.bytes, Uint8Array.of(9));
  assertEquals(early[32]!.from.equals(ana!), true);
});

Deno.test("what members may have done without knowing better pushes out no evidence of what they did", () => {
  const log = new EvidenceLog(crypto, memoryStore());
  const agents = Array.from({ length: 100 }, (_, i) => agentOf(`a${i}@n`).id);
  const add = (kind: "late" | "equivocation", i: number, n: number) =>
    log.add({
      ...{ kind, agent: agents[i]!, atMs: 0 },
      proofs: [Uint8Array.of(i, n, kind.length)],
    });
  const late = agents.flatMap((_, i) =>
    Array.from({ length: 20 }, (_, n) => add("late", i, n))
  );
  assertEquals(late.filter((each) => each).length, 64);
  assertEquals(late.slice(0, 20).filter((each) => each).length, 4);
  assertEquals(add("equivocation", 0, 0), true);
  const more = Array.from({ length: 20 }, (_, n) => add("equivocation", 1, n));
  assertEquals(more.filter((each) => each).length, 16);
  assertEquals(log.full, late.length - 64 + 4);
});
