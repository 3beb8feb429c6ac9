import { assertEquals } from "@std/assert";
import { vectorsOf } from "./_mls_vectors.ts";
import { follow, type PassiveClient } from "./_passive_client.ts";

for (
  const [name, count] of [
    ["passive_client_welcome", 16],
    ["passive_client_handling_commit", 26],
  ] as const
) {
  Deno.test(`MLS vectors, ${name.replaceAll("_", "-")}: every epoch has their authenticator`, async () => {
    const vectors = await vectorsOf<PassiveClient>(name);
    assertEquals(vectors.length, count);
    for (const vector of vectors) await follow(vector);
  });
}
