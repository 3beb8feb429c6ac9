import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { VirtualClock } from "../../../src/core/async/mod.ts";
import { equal } from "../../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../../src/core/crypto/mod.ts";
import { memoryStore } from "../../../src/core/storage/mod.ts";
import {
  beaconSet,
  directory,
  DirectoryError,
} from "../../../src/mixnet/mod.ts";
import { addressOf, Directories, trustOf } from "./_authorities.ts";
import {
  documentOf,
  EPOCH,
  EPOCH_MS,
  PARAMETERS,
  payloadOf,
  signed,
  START_MS,
  TRUST,
} from "./_network.ts";

const NO_SIGNAL = new AbortController().signal;
const DOCUMENT = documentOf(payloadOf());

/** A client of directories of which number `i` answers with `documents[i]`. */
function clientOf(
  documents: readonly (Uint8Array | undefined)[],
  changes: Partial<directory.DirectoryClientOptions> = {},
) {
  const directories = new Directories();
  const asked: number[] = [];
  documents.forEach((bytes, i) =>
    directories.handlers.set(addressOf(i), () => {
      asked.push(i);
      return bytes
        ? new Response(new Uint8Array(bytes))
        : new Response(null, { status: 404 });
    })
  );
  const clock = new VirtualClock(START_MS);
  const client = new directory.DirectoryClient({
    crypto,
    clock,
    trust: TRUST,
    epochSeconds: 3_600,
    authorities: documents.map((_, i) => addressOf(i)),
    ask: directories.ask,
    store: memoryStore(),
    random: () => 0.999,
    ...changes,
  });
  return { client, clock, asked };
}

Deno.test("DirectoryClient takes a document from whoever has it, and compares it with another's", async () => {
  const { client, asked } = clientOf([undefined, DOCUMENT, DOCUMENT, DOCUMENT]);
  const document = await client.update(EPOCH, NO_SIGNAL);
  assertEquals(document.nodes.length, 11);
  assertEquals(client.document(EPOCH), document);
  assertEquals(asked, [0, 1, 2]);
  assertEquals([...client.refused], [["refused", 1]]);
  await client.update(EPOCH, NO_SIGNAL);
  assertEquals(asked, [0, 1, 2]);
});

Deno.test("DirectoryClient has no document of an epoch that is split, not after a restart either, and keeps what convicts for good", async () => {
  const other = documentOf(
    payloadOf({
      beacon: beaconSet(EPOCH, new Map([["drand", new Uint8Array(32)]])),
    }),
  );
  const store = memoryStore();
  const { client } = clientOf([DOCUMENT, other], { store });
  const update = (of: directory.DirectoryClient) => () =>
    of.update(EPOCH, NO_SIGNAL);
  const error = await assertRejects(update(client), DirectoryError);
  assertEquals(error.code, "split");
  assertEquals(client.document(EPOCH), undefined);
  assertEquals(client.refused.get("split"), 1);
  const again = clientOf([DOCUMENT], { store }).client;
  assertEquals(again.document(EPOCH), undefined);
  const still = await assertRejects(update(again), DirectoryError);
  assertEquals(still.code, "split");
  for (const { evidence } of [client, again]) {
    assertEquals(evidence.convicted.length, 2);
    for (const { kind, epoch, authority } of evidence.all) {
      assertEquals([kind, epoch], ["endorsement", EPOCH]);
      assert(TRUST.authorities.some((key) => equal(key, authority)));
    }
  }
});

Deno.test("DirectoryClient refuses documents that are under-signed, of another epoch or too large", async () => {
  for (
    const [bytes, code] of [
      [documentOf(payloadOf(), 1), "under_signed"],
      [documentOf(payloadOf({ epoch: EPOCH + 1 })), "malformed"],
      [documentOf(payloadOf({ epoch: EPOCH - 1 })), "stale"],
      [new Uint8Array(33_599_489), "malformed"],
      [
        documentOf(
          payloadOf({ parameters: { ...PARAMETERS, epochSeconds: 3_599 } }),
        ),
        "malformed",
      ],
      [undefined, "refused"],
    ] as const
  ) {
    const { client } = clientOf([bytes]);
    const error = await assertRejects(
      () => client.update(EPOCH, NO_SIGNAL),
      DirectoryError,
    );
    assertEquals(error.code, code);
    assertEquals(client.document(EPOCH), undefined);
  }
});

Deno.test("DirectoryClient has its documents after a restart, and does not go back behind them", async () => {
  const store = memoryStore();
  const before = clientOf([documentOf(payloadOf({ epoch: EPOCH + 2 }))], {
    store,
  });
  await before.client.update(EPOCH + 2, NO_SIGNAL);
  const { client, asked } = clientOf([DOCUMENT], { store });
  assertEquals(
    client.document(EPOCH + 2)?.hash,
    before.client.document(EPOCH + 2)!.hash,
  );
  assertEquals(asked, []);
  const error = await assertRejects(
    () => client.update(EPOCH, NO_SIGNAL),
    DirectoryError,
  );
  assertEquals(error.code, "stale");
});

Deno.test("Nodes publish, an authority makes documents, and a client has each before its epoch", async () => {
  const clock = new VirtualClock(START_MS);
  const directories = new Directories();
  const trust = trustOf(1, 1);
  const authority = directories.authority(0, trust, clock);
  const ended = new AbortController();
  const { signal } = ended;
  const common = {
    ...{ clock, signal, ask: directories.ask, authorities: [addressOf(0)] },
    ...{ epochSeconds: 3_600, random: () => 0.5 },
  };
  const client = new directory.DirectoryClient({
    ...{ ...common, crypto, trust, store: memoryStore() },
  });
  let described = 0;
  const running = [
    authority.run(signal),
    client.run(signal),
    ...Array.from({ length: 4 }, (_, i) =>
      directory.publishDescriptor({
        ...common,
        describe(epoch) {
          described++;
          return signed(i, {
            sequence: epoch,
            expiresMs: (epoch + 2) * EPOCH_MS,
            sphinxKeys: new Map(
              [0, 1, 2].map((ahead) => [epoch + ahead, crypto.random(32)]),
            ),
          });
        },
      })),
  ];
  for (const epoch of [1, 2, 3]) {
    await clock.run(EPOCH_MS - 60_000);
    const document = client.document(EPOCH + epoch)!;
    assertEquals(document.nodes.length, 4);
    assertEquals(document.hash, authority.document(EPOCH + epoch)!.hash);
    await clock.run(60_000);
  }
  assertEquals(described, 4 * 3);
  ended.abort();
  await Promise.all(running);
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("publishDescriptor() asks an authority that is absent again until it takes the descriptor", async () => {
  const clock = new VirtualClock(START_MS);
  const directories = new Directories();
  const ended = new AbortController();
  const running = directory.publishDescriptor({
    describe: () => signed(0),
    authorities: [addressOf(0), addressOf(1)],
    ask: directories.ask,
    epochSeconds: 3_600,
    random: () => 0.5,
    signal: ended.signal,
    clock,
  });
  const first = directories.authority(0, trustOf(1, 1), clock);
  await clock.run(600_000);
  assertEquals(first.nodes, 1);
  const second = directories.authority(1, trustOf(2, 2), clock);
  await clock.run(60_000);
  assertEquals(second.nodes, 1);
  ended.abort();
  await running;
});

Deno.test("DirectoryClient wants each authority once, and a threshold of more than half", () => {
  const [one] = TRUST.authorities;
  for (
    const trust of [
      { ...TRUST, threshold: 1 },
      { ...TRUST, threshold: 4 },
      { ...TRUST, authorities: [one!, one!] },
      { ...TRUST, authorities: Array(65).fill(one), threshold: 40 },
    ]
  ) assertThrows(() => clientOf([], { trust }), RangeError, "Want");
});

Deno.test("DirectoryClient gives an authority that does not answer 30 seconds, and then asks the next", async () => {
  const { client, clock } = clientOf([], {
    authorities: [addressOf(0), addressOf(1)],
    ask({ address }, signal) {
      if (address === addressOf(1)) {
        return Promise.resolve({ status: 200, body: DOCUMENT });
      }
      return new Promise((_, reject) => {
        signal.addEventListener(
          "abort",
          () => reject(new DirectoryError("unreachable", "No answer")),
        );
      });
    },
  });
  const updating = client.update(EPOCH, NO_SIGNAL);
  await clock.run(30_000);
  assertEquals((await updating).nodes.length, 11);
  assertEquals(client.refused.get("unreachable"), 1);
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("DirectoryClient asks again after pauses that grow to a minute, until there is a document", async () => {
  const askedMs: number[] = [];
  const served: Uint8Array<ArrayBuffer>[] = [];
  const { client, clock } = clientOf([], {
    authorities: [addressOf(0)],
    ask({ path }) {
      if (path === `/document/${EPOCH}`) askedMs.push(clock.now());
      return Promise.resolve({
        status: served.length > 0 ? 200 : 404,
        body: served[0] ?? new Uint8Array(0),
      });
    },
  });
  const ended = new AbortController();
  const running = client.run(ended.signal);
  await clock.run(600_000);
  const pauses = askedMs.slice(1).map((ms, i) => ms - askedMs[i]!);
  assert(pauses.length >= 10 && pauses.length < 30, `${pauses}`);
  assert(Math.max(...pauses) <= 60_000, `${pauses}`);
  assert(pauses.at(-1)! > 10 * pauses[0]!, `${pauses}`);
  served.push(DOCUMENT);
  await clock.run(60_000);
  assertEquals(client.document(EPOCH)?.nodes.length, 11);
  ended.abort();
  await running;
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("DirectoryClient whose store is full has documents all the same", async () => {
  const store = memoryStore({ maxBytes: 100 });
  const { client } = clientOf([DOCUMENT], { store });
  await client.update(EPOCH, NO_SIGNAL);
  assertEquals(client.document(EPOCH)?.nodes.length, 11);
  assertEquals(store.usage().entries, 0);
});
