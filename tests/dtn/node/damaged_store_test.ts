import { assertEquals } from "@std/assert";
import { nodeProvider, Secret } from "../../../src/core/crypto/mod.ts";
import { memoryStore, StorageError } from "../../../src/core/storage/mod.ts";
import { payloadOf } from "../../../src/dtn/bundle/bundle.ts";
import { BundleStore } from "../../../src/dtn/store/bundle_store.ts";
import { DtnWorld, eid, text } from "./_dtn_world.ts";
import { listenerOf, MadeContact } from "./_made_contact.ts";

Deno.test("a sealed bundle that the disk has damaged stops none behind it", async () => {
  await using world = new DtnWorld();
  const { clock } = world;
  const kept = memoryStore();
  const open = () =>
    new BundleStore({
      store: kept,
      crypto: nodeProvider,
      secret: new Secret(new Uint8Array(32).fill(7)),
      clock,
    });
  const before = await world.node("a", { store: open() });
  for (const name of ["first", "second", "third"]) {
    await world.settle(
      before.send({ destination: eid("dtn://far/in"), payload: text(name) }),
    );
  }
  const [, second] = [...kept.entries(Uint8Array.of(0x6d))];
  kept.set(second!.key, second!.value.fill(9));
  const after = await world.node("b", { store: open() });
  const contact = new MadeContact({ peerNodeId: "dtn://c/", clock });
  after.serve(listenerOf(contact));
  await clock.run(10_000);
  assertEquals(textsFor("dtn://far/in", contact), ["first", "third"]);
});

Deno.test("what a disk that fails for a while did not give is sent once it gives it", async () => {
  await using world = new DtnWorld();
  const { clock } = world;
  const node = await world.node("a");
  for (const name of ["first", "second", "third"]) {
    await world.settle(
      node.send({ destination: eid("dtn://far/in"), payload: text(name) }),
    );
  }
  const { bundles } = node;
  const read = bundles.bytes.bind(bundles);
  let failures = 2;
  bundles.bytes = (id) => {
    if (failures-- > 0) throw new StorageError("io", "The disk fails");
    return read(id);
  };
  const contact = new MadeContact({ peerNodeId: "dtn://c/", clock });
  node.serve(listenerOf(contact));
  await clock.run(10_000);
  assertEquals(textsFor("dtn://far/in", contact).sort(), [
    ...["first", "second", "third"],
  ]);
});

for (const size of [100, 5_000]) {
  Deno.test(`a contact that fails as none may holds no bundle of ${size} bytes back`, async () => {
    await using world = new DtnWorld();
    const { clock } = world;
    const node = await world.node("a");
    const [broken, whole] = ["b", "c"].map((name) =>
      new MadeContact({
        peerNodeId: `dtn://${name}/`,
        clock,
        maxBundleBytes: 1_000,
      })
    ) as [MadeContact, MadeContact];
    broken.send = async () => {
      await Promise.resolve();
      throw new TypeError("A fault of the layer");
    };
    node.serve(listenerOf(broken));
    const payload = new Uint8Array(size).fill(0x61);
    // To the destination itself the only copy goes.
    await world.settle(node.send({ destination: eid("dtn://b/in"), payload }));
    await clock.run(100);
    assertEquals(node.counts.unknown, 1);
    broken.close();
    node.serve(listenerOf(whole));
    await world.until(() => node.counts.forwarded === 1);
    const came = textsFor("dtn://b/in", whole).join("");
    assertEquals(came, "a".repeat(size));
  });
}

/** What came at `contact` for an endpoint, without what routers say. */
function textsFor(destination: string, { taken }: MadeContact): string[] {
  return taken.filter(({ primary }) => `${primary.destination}` === destination)
    .map((bundle) => new TextDecoder().decode(payloadOf(bundle)));
}
