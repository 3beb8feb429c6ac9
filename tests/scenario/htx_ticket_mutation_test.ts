import { assert } from "@std/assert";
import { refuseMutations } from "../htx/_mutated_tickets.ts";

Deno.test("HTX refuses another 80,000 mutated ticket requests", () => {
  const counts = refuseMutations(80_000, 2);
  assert(counts["forged"]! > 1000);
});
