import { assertEquals, assertRejects } from "@std/assert";
import { utf8 } from "../../../src/core/bytes/mod.ts";
import {
  bindUdp,
  type DatagramSocket,
} from "../../../src/core/transport/mod.ts";
import { ContactError } from "../../../src/dtn/cla/contact_error.ts";
import type { Contact } from "../../../src/dtn/cla/convergence_layer.ts";
import { UdpLayer, type UdpOptions } from "../../../src/dtn/udp/udp_layer.ts";
import { testConvergenceLayer } from "../../compliance/convergence_layer.ts";

const LOOPBACK = "udp://127.0.0.1:0";

testConvergenceLayer("udp", () => ({
  dialer: new UdpLayer({ localAddress: LOOPBACK }),
  listener: new UdpLayer(),
  listenAt: LOOPBACK,
  acknowledges: false,
  holdsBack: false,
  maxBundleBytes: 65_507,
  maxBufferedBytes: 0,
}));

Deno.test("bundles that a node leaves lying are dropped beyond the bound, and counted", async () => {
  await using world = await openWorld({
    receiving: { maxCount: 2, maxBytes: 1_000 },
  });
  const contact = await world.contactOf(utf8("first"));
  for (const text of ["second", "third", "fourth"]) await world.say(text);
  await world.until(() => contact.counts.bytesIn === 5 + 6 + 5 + 6);
  assertEquals(contact.counts.received, 2);
  assertEquals(contact.counts.dropped, 2);
  const received = contact.received[Symbol.asyncIterator]();
  (await received.next()).value.accept();
  (await received.next()).value.refuse("notAcceptable");
  assertEquals(contact.counts.refusedByNode, 1);
  await world.say("fifth");
  assertEquals((await received.next()).value.bytes, utf8("fifth"));
  contact.close();
});

Deno.test("the contact that was heard of least recently gives way to a new one", async () => {
  await using world = await openWorld({ maxContacts: 2 });
  const contacts: Contact[] = [];
  for (let i = 0; i < 3; i++) {
    await using socket = bindUdp(LOOPBACK);
    await socket.send(utf8("x"), world.listener.address);
    contacts.push(await world.next());
  }
  await contacts[0]!.closed;
  await contacts[1]!.send(utf8("still open"));
  for (const contact of contacts) contact.close();
});

Deno.test("all contacts together hold no more than the layer's bound, and one that gives way gives its room back", async () => {
  await using world = await openWorld({ maxContacts: 2, maxHeldBytes: 10 });
  await using a = bindUdp(LOOPBACK);
  await using b = bindUdp(LOOPBACK);
  await using c = bindUdp(LOOPBACK);
  const say = (from: DatagramSocket, text: string) =>
    from.send(utf8(text), world.listener.address);
  await say(a, "sixsix");
  const first = await world.next();
  await say(b, "sevenun");
  const second = await world.next();
  assertEquals([first.counts.dropped, second.counts.dropped], [0, 1]);
  await say(c, "sixsix");
  const third = await world.next();
  await first.closed;
  assertEquals(first.counts.dropped, 1);
  assertEquals(await Array.fromAsync(first.received), []);
  const { value } = await third.received[Symbol.asyncIterator]().next();
  assertEquals(value.bytes, utf8("sixsix"));
  await say(b, "sevenun");
  await world.until(() => second.counts.dropped === 2);
  value.accept();
  await say(b, "sevenun");
  await world.until(() => second.counts.received === 1);
  for (const contact of [second, third]) contact.close();
});

Deno.test("a dialled contact ignores what others send to it", async () => {
  await using world = await openWorld();
  await using contact = await new UdpLayer({ localAddress: LOOPBACK })
    .dial(world.listener.address);
  await contact.send(utf8("hello"));
  const far = await world.next();
  await using stranger = bindUdp(LOOPBACK);
  await stranger.send(utf8("intruder"), far.remoteAddress);
  await far.send(utf8("answer"));
  const { value } = await contact.received[Symbol.asyncIterator]().next();
  assertEquals(value.bytes, utf8("answer"));
  far.close();
});

Deno.test("a contact dialled by name hears the answers, and a name that is none is unreachable", async () => {
  await using world = await openWorld();
  const layer = new UdpLayer({ localAddress: LOOPBACK });
  const port = world.listener.address.split(":").at(-1);
  await using contact = await layer.dial(`udp://localhost:${port}`);
  if (contact.remoteAddress !== world.listener.address) return; // the system prefers ::1
  await contact.send(utf8("hello"));
  const far = await world.next();
  await far.send(utf8("answer"));
  const { value } = await contact.received[Symbol.asyncIterator]().next();
  assertEquals(value.bytes, utf8("answer"));
  far.close();
  const error = await assertRejects(
    () => layer.dial("udp://nowhere.invalid:1"),
    ContactError,
  );
  assertEquals(error.code, "unreachable");
});

Deno.test("a listener's socket lives as long as its contacts", async () => {
  await using world = await openWorld();
  const contact = await world.contactOf(utf8("hello"));
  world.listener.close();
  await using stranger = bindUdp(LOOPBACK);
  await stranger.send(utf8("too late"), world.listener.address);
  await world.say("again");
  const received = contact.received[Symbol.asyncIterator]();
  assertEquals((await received.next()).value.bytes, utf8("hello"));
  assertEquals((await received.next()).value.bytes, utf8("again"));
  contact.close();
  await world.listener[Symbol.asyncDispose]();
  bindUdp(world.listener.address).close();
});

/** A listener, and a socket that speaks to it. */
async function openWorld(options?: UdpOptions) {
  const listener = await new UdpLayer(options).listen(LOOPBACK);
  const contacts = listener[Symbol.asyncIterator]();
  const socket = bindUdp(LOOPBACK);
  const next = async () => (await contacts.next()).value as Contact;
  return {
    listener,
    next,
    say: (text: string) => socket.send(utf8(text), listener.address),
    async contactOf(message: Uint8Array): Promise<Contact> {
      await socket.send(message, listener.address);
      return await next();
    },
    async until(isSo: () => boolean): Promise<void> {
      while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
    },
    async [Symbol.asyncDispose]() {
      socket.close();
      await listener[Symbol.asyncDispose]();
    },
  };
}
