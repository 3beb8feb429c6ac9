import { assertEquals } from "@std/assert";
import {
  type Connection,
  dialQuic,
  dialTcp,
  type Listener,
  listenQuic,
  listenTcp,
  selfSigned,
} from "../../../src/core/transport/mod.ts";
import { Egress } from "../../../src/mixnet/link/egress.ts";
import { LinkListeners } from "../../../src/mixnet/link/link_listeners.ts";
import {
  ACCEPT_OPTIONS,
  ACCEPTOR,
  DIAL_OPTIONS,
  packetFrame,
  take,
} from "./_link_pair.ts";

const NODE = new Uint8Array(32).fill(1);

/** Sends 500 packets to a node that listens at `listener`, through an egress that reaches it by `dial`. */
async function exchange(
  listener: Listener,
  dial: (address: string, signal: AbortSignal) => Promise<Connection>,
): Promise<void> {
  await using links = new LinkListeners([listener], ACCEPT_OPTIONS);
  const { remoteStaticKey: _, ...options } = DIAL_OPTIONS;
  await using egress = new Egress({
    ...options,
    dial,
    random: () => 0.5,
    peer: () => ({
      linkKey: ACCEPTOR.publicKey,
      addresses: [listener.address],
    }),
  });
  const packets = Array.from({ length: 500 }, (_, n) => packetFrame(n));
  for (const { epoch, packet } of packets) egress.offer(NODE, epoch, packet);
  for await (const link of links) {
    const frames = link.frames();
    assertEquals(await take(frames, packets.length), packets);
    const closing = egress.close();
    assertEquals((await frames.next()).done, true);
    assertEquals(await link.closed, undefined);
    await closing;
    break;
  }
  assertEquals(egress.stats.sent, 500);
  assertEquals(links.stats.failed, {});
}

Deno.test("packets go from Egress to LinkListeners over tcp", async () => {
  const listener = await listenTcp("tcp://127.0.0.1:0");
  await exchange(listener, (address, signal) => dialTcp(address, { signal }));
});

Deno.test("packets go from Egress to LinkListeners over quic", async () => {
  const certificate = await selfSigned({ names: ["127.0.0.1"] });
  const listener = await listenQuic("quic://127.0.0.1:0", { certificate });
  await exchange(
    listener,
    (address, signal) =>
      dialQuic(address, { signal, caCerts: [certificate.certPem] }),
  );
});
