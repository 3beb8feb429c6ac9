import { withStrictPrivacy } from "../../../src/dtn/guard/privacy_guard.ts";
import { assertEquals, assertRejects } from "@std/assert";
import { utf8 } from "../../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../../src/core/crypto/mod.ts";
import {
  type Bundle,
  decodeBundle,
  encodeBundle,
} from "../../../src/dtn/bundle/bundle.ts";
import { createBundle } from "../../../src/dtn/bundle/create_bundle.ts";
import { dtnTime } from "../../../src/dtn/bundle/dtn_time.ts";
import { Eid } from "../../../src/dtn/bundle/eid.ts";
import {
  bundleAgeOf,
  hopCountOf,
  previousNodeOf,
  withBundleAge,
  withHopCount,
} from "../../../src/dtn/bundle/extension_blocks.ts";
import {
  exportBundles,
  type ExportOptions,
} from "../../../src/dtn/files/export_bundles.ts";
import {
  importBundles,
  type ImportOptions,
} from "../../../src/dtn/files/import_bundles.ts";
import { DtnNodeError } from "../../../src/dtn/node/error.ts";
import type { BundleStore } from "../../../src/dtn/store/bundle_store.ts";
import { DtnWorld } from "../node/_dtn_world.ts";
import { MemoryFolder } from "./_memory_folder.ts";

const ONE = Eid.parse("dtn://one/");
const TWO = Eid.parse("dtn://two/");
const NONE = { stored: 0, known: 0, expired: 0, refused: 0, bad: 0 };

Deno.test("hundreds of bundles cross from node to node in a folder, none lost and none doubled", async () => {
  await using world = new DtnWorld();
  const one = await world.node("one");
  const two = await world.node("two");
  const texts = world.texts(two.register(Eid.parse("dtn://two/in")));
  const sent = Array.from({ length: 400 }, (_, i) => `letter ${i}`);
  await world.settle(Promise.all(sent.map((text) =>
    one.send({
      destination: Eid.parse("dtn://two/in"),
      payload: utf8(text),
      lifetimeMs: 3_600_000,
    })
  )));
  const folder = new MemoryFolder();
  const write = () =>
    exportBundles(held(one.bundles), {
      ...{ folder, nodeId: ONE, crypto: nodeProvider },
      allowsPlaintext: () => true,
    });
  const read = () =>
    world.settle(importBundles({
      ...{ folder, crypto: nodeProvider },
      insert: (bundle) =>
        two.receive(bundle).then(() => "stored" as const, (error) => {
          if (!(error instanceof DtnNodeError)) throw error;
          return error.code === "known" ? "known" : "refused";
        }),
    }));
  assertEquals(await write(), {
    written: 400,
    known: 0,
    plaintext: 0,
    strict: 0,
  });
  assertEquals(await write(), {
    written: 0,
    known: 400,
    plaintext: 0,
    strict: 0,
  });
  assertEquals(await read(), { ...NONE, stored: 400 });
  assertEquals(folder.files.size, 0);
  await write();
  assertEquals(await read(), { ...NONE, known: 400 });
  await world.until(() => texts.length >= 400);
  assertEquals(texts.sort(), sent.sort());
});

Deno.test("a file is named by the SHA-256 of a bundle as it leaves: with the node before it, and its age counted on", async () => {
  const folder = new MemoryFolder();
  const bundle = withBundleAge(letter("dtn://two/in"), 10);
  await written(folder, [bundle], 500);
  const [name, bytes] = [...folder.files][0]!;
  assertEquals(
    name,
    `${nodeProvider.hash("sha256", bytes).toHex()}.bundle`,
  );
  const leaving = decodeBundle(bytes);
  assertEquals(previousNodeOf(leaving), ONE);
  assertEquals(bundleAgeOf(leaving), 510);
});

Deno.test("no bundle is exported unencrypted unless that is allowed", async () => {
  const folder = new MemoryFolder();
  const bundles = [letter("dtn://two/in"), letter("dtn://three/in")];
  assertEquals(
    await written(folder, bundles, 0, {
      allowsPlaintext: ({ primary }) =>
        primary.destination.nodeId().equals(TWO),
    }),
    { written: 1, known: 0, plaintext: 1, strict: 0 },
  );
});

Deno.test("no bundle that wants strict privacy is exported", async () => {
  const folder = new MemoryFolder();
  const bundles = [
    withStrictPrivacy(letter("dtn://two/in")),
    letter("dtn://three/in"),
    letter("dtn://two/in"),
  ];
  assertEquals(
    await written(folder, bundles, 0, {
      allowsPlaintext: () => true,
      wantsPrivacy: ({ primary }) =>
        `${primary.destination}` === "dtn://three/in",
    }),
    { written: 1, known: 0, plaintext: 0, strict: 2 },
  );
});

Deno.test("an export that fails leaves no file that an import would take for whole", async () => {
  const folder = new MemoryFolder();
  folder.changesLeft = 3;
  const bundles = [letter("dtn://two/a"), letter("dtn://two/b")];
  await assertRejects(() => written(folder, bundles), Error, "disk is full");
  assertEquals((await taken(folder)).counts, { ...NONE, stored: 1 });
  assertEquals(folder.files.size, 1, "what was written in part");
  folder.changesLeft = Infinity;
  await written(folder, bundles);
  assertEquals((await taken(folder)).counts, { ...NONE, stored: 2 });
  assertEquals(folder.files.size, 0);
});

Deno.test("an export removes the parts that one before it left, and nothing else", async () => {
  const folder = new MemoryFolder();
  folder.changesLeft = 1;
  const bundles = [letter("dtn://two/in")];
  await assertRejects(() => written(folder, bundles));
  const [part] = folder.files.keys();
  const others = [".notes.part", "x.part", `.${"0".repeat(63)}.bundle.part`];
  for (const name of others) folder.files.set(name, utf8("mine"));
  folder.changesLeft = Infinity;
  await written(folder, [letter("dtn://two/other")]);
  const names = [...folder.files.keys()];
  assertEquals(names.length, others.length + 1);
  assertEquals(names.includes(part!), false);
  assertEquals(names.slice(0, -1), others);
});

Deno.test("files that are cut, damaged, too long or no bundle are counted and left", async () => {
  const folder = new MemoryFolder();
  await written(folder, ["a", "b", "c"].map((x) => letter(`dtn://two/${x}`)));
  const [cut, flipped] = [...folder.files.keys()];
  folder.files.set(cut!, folder.files.get(cut!)!.slice(0, -1));
  folder.files.get(flipped!)![40]! ^= 1;
  folder.files.set("mine.bundle", encodeBundle(letter("dtn://two/d")));
  folder.files.set("cut.bundle", encodeBundle(letter("dtn://two/e")).slice(3));
  folder.files.set("long.bundle", new Uint8Array(1_001));
  folder.files.set("notes.txt", utf8("no bundle"));
  const { counts, bundles } = await taken(folder, { maxBundleBytes: 1_000 });
  assertEquals(counts, { ...NONE, stored: 2, bad: 4 });
  assertEquals(
    bundles.map(({ primary }) => `${primary.destination}`).sort(),
    ["dtn://two/c", "dtn://two/d"],
  );
  assertEquals(
    [...folder.files.keys()].sort(),
    [cut!, flipped!, "cut.bundle", "long.bundle", "notes.txt"].sort(),
  );
});

Deno.test("refused bundles stay in the folder, expired ones do not, and with keeps all do", async () => {
  for (
    const [outcome, keeps, left] of [
      ["refused", false, 1],
      ["expired", false, 0],
      ["stored", true, 1],
    ] as const
  ) {
    const folder = new MemoryFolder();
    await written(folder, [letter("dtn://two/in")]);
    const insert = () => Promise.resolve(outcome);
    const { counts } = await taken(folder, { insert, keeps });
    assertEquals(counts, { ...NONE, [outcome]: 1 });
    assertEquals(folder.files.size, left, outcome);
  }
});

Deno.test("what a node imports it takes by the rules for neighbours: hops are counted on, and what has had all is refused", async () => {
  await using world = new DtnWorld();
  const two = await world.node("two");
  const folder = new MemoryFolder();
  await written(folder, [
    withHopCount(letter("dtn://three/a"), { limit: 5, count: 4 }),
    withHopCount(letter("dtn://three/b"), { limit: 5, count: 5 }),
    withHopCount(letter("dtn://two/c"), { limit: 5, count: 5 }),
    letter("ipn:!.7"),
  ]);
  const importing = taken(folder, {
    insert: (bundle) =>
      two.receive(bundle).then(() => "stored" as const, () => "refused"),
  });
  const { counts } = await world.settle(importing);
  assertEquals(counts, { ...NONE, stored: 2, refused: 2 });
  const bundles = [...two.bundles.entries()].map(({ id }) =>
    decodeBundle(two.bundles.bytes(id)!)
  );
  assertEquals(bundles.map((each) => hopCountOf(each)?.count).sort(), [
    5,
    5,
  ]);
});

let sequence = 0;

function letter(destination: string): Bundle {
  return createBundle({
    source: Eid.parse("dtn://one/out"),
    destination: Eid.parse(destination),
    creation: { timeMs: dtnTime(1_800_000_000_000), sequence: sequence++ },
    lifetimeMs: 3_600_000,
    payload: utf8("hello"),
  });
}

async function* held(store: BundleStore) {
  for (const { id } of [...store.entries()]) {
    yield await Promise.resolve({ bytes: store.bytes(id)!, residenceMs: 0 });
  }
}

function written(
  folder: MemoryFolder,
  bundles: readonly Bundle[],
  residenceMs = 0,
  options: Partial<ExportOptions> = {},
) {
  const stored = (async function* () {
    for (const bundle of bundles) {
      yield await Promise.resolve({ bytes: encodeBundle(bundle), residenceMs });
    }
  })();
  return exportBundles(stored, {
    ...{ folder, nodeId: ONE, crypto: nodeProvider },
    allowsPlaintext: () => true,
    ...options,
  });
}

/** What a node is given that takes all. */
async function taken(
  folder: MemoryFolder,
  options: Partial<ImportOptions> = {},
) {
  const bundles: Bundle[] = [];
  const counts = await importBundles({
    ...{ folder, crypto: nodeProvider },
    insert(bundle) {
      bundles.push(bundle);
      return Promise.resolve("stored");
    },
    ...options,
  });
  return { counts, bundles };
}
