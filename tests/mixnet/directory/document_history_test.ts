import { assertEquals, assertThrows } from "@std/assert";
import type { Bytes } from "../../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../../src/core/crypto/mod.ts";
import { DirectoryError, DocumentHistory } from "../../../src/mixnet/mod.ts";
import {
  DESCRIPTORS,
  documentOf,
  EPOCH,
  EPOCH_MS,
  payloadOf,
  START_MS,
  TRUST,
} from "./_network.ts";

const history = (maxEpochs = 8) =>
  new DocumentHistory({ ...TRUST, crypto, maxEpochs });

Deno.test("DocumentHistory follows the chain of documents from epoch to epoch", () => {
  const seen = history();
  for (const [i, bytes] of chain(3).entries()) {
    const document = seen.add(bytes, START_MS + i * EPOCH_MS);
    assertEquals(seen.document(EPOCH + i), document);
  }
  assertEquals(seen.document(EPOCH + 3), undefined);
});

Deno.test("DocumentHistory takes a document before its epoch, not two epochs before, nor after it", () => {
  const [bytes] = chain(1);
  for (
    const [nowMs, code] of [
      [START_MS - 2 * EPOCH_MS, undefined],
      [START_MS + EPOCH_MS - 1, undefined],
      [START_MS - 2 * EPOCH_MS - 1, "future"],
      [START_MS + EPOCH_MS, "stale"],
    ] as const
  ) {
    assertEquals(codeOf(() => history().add(bytes!, nowMs)), code);
  }
});

Deno.test("DocumentHistory refuses a second document of an epoch, shows both, and has none of it then", () => {
  const seen = history();
  const one = documentOf(payloadOf());
  const two = documentOf(payloadOf({ descriptors: DESCRIPTORS.slice(1) }));
  seen.add(one, START_MS);
  seen.add(documentOf(payloadOf(), 3), START_MS); // more signatures make no other document
  const error = assertThrows(() => seen.add(two, START_MS), DirectoryError);
  assertEquals(error.code, "split");
  assertEquals(error.evidence, [one, two]);
  assertEquals(seen.document(EPOCH), undefined);
  for (const bytes of [one, two]) {
    assertEquals(codeOf(() => seen.add(bytes, START_MS)), "split");
  }
  const restored = history();
  restored.add(seen.documents[0]!, START_MS);
  assertEquals(
    codeOf(() => restored.add(seen.documents[1]!, START_MS)),
    "split",
  );
});

Deno.test("DocumentHistory refuses a document that does not follow, whichever comes first", () => {
  const [first] = chain(1);
  const stray = documentOf(
    payloadOf({ epoch: EPOCH + 1, previousHash: new Uint8Array(32) }),
  );
  for (const order of [[first!, stray], [stray, first!]]) {
    const seen = history();
    seen.add(order[0]!, START_MS);
    assertEquals(codeOf(() => seen.add(order[1]!, START_MS)), "broken_chain");
  }
});

Deno.test("DocumentHistory keeps the newest epochs, and gives them back to be stored", () => {
  const seen = history(2);
  const documents = chain(3);
  for (const [i, bytes] of documents.entries()) {
    seen.add(bytes, START_MS + i * EPOCH_MS);
  }
  assertEquals(seen.document(EPOCH), undefined);
  assertEquals(seen.documents, documents.slice(1));
});

/** Documents of `length` epochs, each of which names the one before. */
function chain(length: number): Bytes[] {
  let previousHash: Bytes = new Uint8Array(0);
  return Array.from({ length }, (_, i) => {
    const payload = payloadOf({ epoch: EPOCH + i, previousHash });
    previousHash = crypto.hash("sha256", payload);
    return documentOf(payload);
  });
}

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof DirectoryError) return error.code;
    throw error;
  }
}
