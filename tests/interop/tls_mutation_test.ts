import { assertEquals } from "@std/assert";
import { report } from "../scenario/_line_process.ts";
import { countWhole, mutateAll } from "../tls/_mutated_peer.ts";

const COUNT = 1_000_000;

// No foreign program: it is here because it takes some minutes.
Deno.test("TLS survives 1,000,000 mutations, 500,000 of them at a whole client or server", () => {
  const startedAtMs = performance.now();
  const outcomes = mutateAll(COUNT, 32);
  const seconds = (performance.now() - startedAtMs) / 1_000;
  let total = 0;
  for (const [kind, counts] of Object.entries(outcomes)) {
    for (const count of Object.values(counts)) total += count;
    const list = Object.entries(counts).map(([name, n]) => `${name} ${n}`);
    report(`mutated ${kind}: ${list.join(", ")}`);
  }
  report(`${total} mutations in ${seconds.toFixed(0)} s`);
  assertEquals([total, countWhole(outcomes)], [COUNT, COUNT / 2]);
});
