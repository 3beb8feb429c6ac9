import { assertEquals } from "@std/assert";
import { vectorsOf } from "./_mls_vectors.ts";
import { follow, type PassiveClient } from "./_passive_client.ts";

Deno.test("MLS vectors, passive-client-random: 200 epochs have their authenticators", async () => {
  const vectors = await vectorsOf<PassiveClient>("passive_client_random");
  assertEquals(vectors.map(({ epochs }) => epochs.length), [200]);
  for (const vector of vectors) await follow(vector);
});
