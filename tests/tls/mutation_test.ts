import { assert, assertEquals } from "@std/assert";
import { countWhole, mutateAll } from "./_mutated_peer.ts";

Deno.test("TLS survives 40,000 mutations, 20,000 of them at a whole client or server", () => {
  const before = Deno.memoryUsage().rss;
  const outcomes = mutateAll(40_000, 31);
  const total = Object.values(outcomes)
    .flatMap((kind) => Object.values(kind))
    .reduce((sum, count) => sum + count);
  assertEquals([total, countWhole(outcomes)], [40_000, 20_000]);
  assert(outcomes["first hellos"]!["decodeError"]! > 1_000);
  assert(outcomes["answers"]!["illegalParameter"]! > 100);
  assert(outcomes["records"]!["badRecordMac"]! > 1_000);
  assert(outcomes["encrypted flights of servers"]!["decryptError"]! > 10);
  assert(outcomes["encrypted flights of clients"]!["decodeError"]! > 10);
  assert(outcomes["messages after the handshake"]!["good"]! > 100);
  assert(Deno.memoryUsage().rss - before < 500_000_000);
});
