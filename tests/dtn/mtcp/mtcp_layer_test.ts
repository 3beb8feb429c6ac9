import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { VirtualClock } from "../../../src/core/async/mod.ts";
import { decodeHex, utf8 } from "../../../src/core/bytes/mod.ts";
import {
  type Connection,
  MemoryNetwork,
} from "../../../src/core/transport/mod.ts";
import { ContactError } from "../../../src/dtn/cla/contact_error.ts";
import type { Contact } from "../../../src/dtn/cla/convergence_layer.ts";
import {
  MtcpLayer,
  type MtcpOptions,
} from "../../../src/dtn/mtcp/mtcp_layer.ts";
import { testConvergenceLayer } from "../../compliance/convergence_layer.ts";
import vectors from "../../vectors/dtn/tcpclv4.json" with { type: "json" };

const SMALL: MtcpOptions = {
  maxBundleBytes: 2_000_000,
  sending: { maxCount: 1_000, maxBytes: 4_000_000 },
  receiving: { maxCount: 1_000, maxBytes: 1_000_000 },
};

testConvergenceLayer("mtcp over memory", () => {
  const network = new MemoryNetwork();
  return {
    dialer: new MtcpLayer({ ...SMALL, transport: network.transport("near") }),
    listener: new MtcpLayer({ ...SMALL, transport: network.transport("far") }),
    listenAt: "memory://far",
    unreachable: "memory://nobody",
    acknowledges: false,
    holdsBack: true,
    maxBufferedBytes: 4_000_000,
  };
});

testConvergenceLayer("mtcp over tcp", () => ({
  dialer: new MtcpLayer(SMALL),
  listener: new MtcpLayer(SMALL),
  listenAt: "tcp://127.0.0.1:0",
  unreachable: "tcp://127.0.0.1:1",
  acknowledges: false,
  holdsBack: true,
  maxBufferedBytes: 16 * 1_048_576,
}));

/** A layer that listens, and a raw connection to it. */
async function rawPair(options: MtcpOptions = {}) {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock });
  const layer = new MtcpLayer({
    transport: network.transport("far"),
    clock,
    ...options,
  });
  const listener = await layer.listen("memory://far");
  const contacts = listener[Symbol.asyncIterator]();
  const dial = () => network.transport("raw").dial("memory://far");
  const raw = await dial();
  const contact = (await contacts.next()).value as Contact;
  return {
    clock,
    contact,
    raw,
    dial,
    next: async () => (await contacts.next()).value as Contact,
    async [Symbol.asyncDispose]() {
      contact.close();
      raw.close();
      await listener[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a frame is as dtn7-rs has it, either way", async () => {
  await using pair = await rawPair();
  const { bundle, frame } = vectors.mtcp;
  await pair.raw.write(decodeHex(frame));
  assertEquals(await take(pair.contact), decodeHex(bundle));
  await pair.contact.send(decodeHex(bundle));
  assertEquals(await readAll(pair.raw, frame.length / 2), decodeHex(frame));
});

Deno.test("frames come whole however they are cut, with heads of every size", async () => {
  await using pair = await rawPair();
  const stream = decodeHex(
    "4161" + "580162" + "59000163" + "5a0000000164" + "5b000000000000000165" +
      "40",
  );
  for (const byte of stream) await pair.raw.write(new Uint8Array([byte]));
  for (const text of "abcde") {
    assertEquals(await take(pair.contact), utf8(text));
  }
  assertEquals(await take(pair.contact), new Uint8Array());
});

Deno.test("what is no byte string of definite length, or too long, ends the contact", async () => {
  for (const hex of ["00", "6161", "5f", "5c", "5b00000019000000000000"]) {
    await using pair = await rawPair();
    await pair.raw.write(decodeHex(hex)).catch(() => {});
    await pair.contact.closed;
    const error = await assertRejects(
      () => pair.contact.send(utf8("x")),
      ContactError,
    );
    assertEquals(error.code, "violation", hex);
  }
});

Deno.test("a bundle announced with 100 MB costs nothing before it comes, and none beyond the room is held", async () => {
  await using pair = await rawPair({ maxHeldBytes: 100_000 });
  await pair.raw.write(decodeHex("5a05f5e100"));
  const chunk = new Uint8Array(10_000);
  await assertRejects(async () => {
    for (let i = 0; i < 1_000; i++) await pair.raw.write(chunk);
  });
  await pair.contact.closed;
  assertLess(pair.contact.counts.bytesIn, 500_000);
  assertEquals(pair.contact.counts.received, 0);
  const again = await pair.dial();
  const contact = await pair.next();
  await again.write(
    new Uint8Array([0x59, 0xff, 0xff, ...new Uint8Array(65_535)]),
  );
  assertEquals((await take(contact)).length, 65_535, "the room is free again");
  again.close();
  await contact.closed;
});

Deno.test("bundles that nobody decides about free their room when the contact ends", async () => {
  await using pair = await rawPair({ maxHeldBytes: 10_000 });
  await pair.raw.write(
    new Uint8Array([0x59, 0x1f, 0x40, ...new Uint8Array(8_000)]),
  );
  await pair.contact.received[Symbol.asyncIterator]().next();
  pair.contact.close();
  await pair.contact.closed;
  const again = await pair.dial();
  const contact = await pair.next();
  await again.write(
    new Uint8Array([0x59, 0x1f, 0x40, ...new Uint8Array(8_000)]),
  );
  assertEquals((await take(contact)).length, 8_000);
  again.close();
  await contact.closed;
});

Deno.test("a peer that ends inside of a bundle is disconnected, and nothing of it is given", async () => {
  await using pair = await rawPair();
  await pair.raw.write(decodeHex("416145aaaa"));
  await pair.raw.closeWrite();
  const all = [];
  for await (const received of pair.contact.received) all.push(received.bytes);
  assertEquals(all, [utf8("a")]);
  await pair.contact.closed;
});

Deno.test("a peer that reads nothing is left after a stalled write", async () => {
  await using pair = await rawPair({ stallTimeoutMs: 5_000 });
  const failure = assertRejects(
    () => pair.contact.send(new Uint8Array(1_000_000)),
    ContactError,
  );
  await pair.clock.run(5_000);
  assertEquals((await failure).code, "timeout");
  await pair.contact.closed;
});

Deno.test("a peer that stops in a bundle is left, and its room is free again", async () => {
  await using pair = await rawPair({
    stallTimeoutMs: 5_000,
    maxHeldBytes: 10_000,
  });
  await pair.raw.write(
    new Uint8Array([0x59, 0x1f, 0x40, ...new Uint8Array(7_999)]),
  );
  await pair.clock.run(4_999);
  assertEquals(pair.contact.counts.bytesIn, 8_002);
  await pair.clock.run(1);
  await pair.contact.closed;
  const error = await assertRejects(
    () => pair.contact.send(utf8("x")),
    ContactError,
  );
  assertEquals(error.code, "timeout");
  const again = await pair.dial();
  const contact = await pair.next();
  await pair.clock.run(10_000);
  await again.write(
    new Uint8Array([0x59, 0x1f, 0x40, ...new Uint8Array(8_000)]),
  );
  assertEquals((await take(contact)).length, 8_000);
  again.close();
  await contact.closed;
});

Deno.test("connections beyond the bound are closed", async () => {
  await using pair = await rawPair({ maxContacts: 1 });
  const waiting = pair.next();
  const second = await pair.dial();
  await assertRejects(async () => {
    if (await second.read(new Uint8Array(1)) === null) throw new Error("end");
  });
  pair.raw.close();
  await pair.contact.closed;
  const third = await pair.dial();
  await third.write(utf8("Ax"));
  const contact = await waiting;
  assertEquals(await take(contact), utf8("x"));
  third.close();
  await contact.closed;
});

Deno.test("of contacts that are silent for long, one gives way where another finds no place", async () => {
  await using pair = await rawPair({ maxContacts: 2, idleTimeoutMs: 300_000 });
  const nextContact = pair.next();
  const busy = await pair.dial();
  const busyContact = await nextContact;
  await pair.clock.run(299_000);
  await busy.write(utf8("Ax"));
  assertEquals(await take(busyContact), utf8("x"));
  const closed = async () =>
    await (await pair.dial()).read(new Uint8Array(1)).catch(() => null) ===
      null;
  const waiting = pair.next();
  assert(await closed(), "nobody was silent for long enough");
  await pair.clock.run(1_000);
  assert(await closed());
  await pair.contact.closed;
  const late = await pair.dial();
  await late.write(utf8("Ay"));
  assertEquals(await take(await waiting), utf8("y"));
  await busy.write(utf8("Az"));
  assertEquals(await take(busyContact), utf8("z"));
  busy.close();
  late.close();
  await busyContact.closed;
});

async function take(contact: Contact): Promise<Uint8Array> {
  const { value } = await contact.received[Symbol.asyncIterator]().next();
  value.accept();
  return value.bytes;
}

async function readAll(
  connection: Connection,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    at += (await connection.read(bytes.subarray(at)))!;
  }
  return bytes;
}
