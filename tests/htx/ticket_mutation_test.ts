import { assert } from "@std/assert";
import { refuseMutations } from "./_mutated_tickets.ts";

Deno.test("findTicket() and Gate refuse 20,000 mutations of an admitted request", () => {
  const counts = refuseMutations(20_000, 1);
  for (
    const reason of ["none", "malformed", "unknown_key", "forged", "replayed"]
  ) {
    assert(counts[reason]! > 100, `${reason}: ${counts[reason]}`);
  }
});
