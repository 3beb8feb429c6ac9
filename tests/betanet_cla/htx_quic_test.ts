import { assert, assertEquals } from "@std/assert";
import type { Contact } from "../../src/dtn/mod.ts";
import { testConvergenceLayer } from "../compliance/convergence_layer.ts";
import { QUIC_SERVER, QuicWorld } from "./_quic_world.ts";

const SMALL = {
  maxBundleBytes: 2_000_000,
  sending: { maxCount: 1_000, maxBytes: 8_000_000 },
  receiving: { maxCount: 1_000, maxBytes: 1_000_000 },
};

testConvergenceLayer("htx over QUIC", () => {
  const world = new QuicWorld();
  return {
    dialer: world.layer({ ...SMALL, nodeId: "dtn://near/" }),
    listener: world.layer({ ...SMALL, nodeId: "dtn://far/" }),
    listenAt: QUIC_SERVER,
    acknowledges: true,
    holdsBack: true,
    reorders: true,
    maxBufferedBytes: 1_100_000,
  };
});

Deno.test("over QUIC a small bundle takes no stream, and a large one does", async () => {
  const world = new QuicWorld();
  const listener = await world.layer({ nodeId: "dtn://far/" })
    .listen(QUIC_SERVER);
  const dialling = world.layer().dial(listener.address);
  const accepted = listener[Symbol.asyncIterator]().next();
  const near = await dialling;
  const far = (await accepted).value as Contact;
  const [session] = world.dialled;
  const received = far.received[Symbol.asyncIterator]();
  const send = async (length: number) => {
    const [outcome] = await Promise.all([
      near.send(new Uint8Array(length)),
      received.next().then(({ value }) => value.accept()),
    ]);
    assertEquals(outcome, { kind: "acknowledged" });
  };
  const before = session!.stats.bytesOut;
  await send(1_000);
  assertEquals(session!.stats.bytesOut, before);
  assert(session!.datagrams!.stats.sent >= 1);
  await send(2_000);
  assertEquals(session!.stats.bytesOut, before + 2_008);
  near.close();
  await Promise.all([near.closed, far.closed]);
  listener.close();
});
