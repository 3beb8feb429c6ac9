import { assert, assertEquals, assertRejects } from "@std/assert";
import { VirtualClock } from "../../src/core/async/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import {
  type Connection,
  MemoryNetwork,
  type Transport,
  TransportError,
} from "../../src/core/transport/mod.ts";
import { dialTls } from "../../src/tls/dial.ts";
import { TlsError } from "../../src/tls/error.ts";
import { listenTls } from "../../src/tls/listen.ts";
import { profileOf } from "../../src/utls/mod.ts";
import {
  testTransport,
  type TransportUnderTest,
} from "../compliance/transport.ts";
import { certificateOf, offersOf } from "./_tls_pair.ts";

testTransport("tls over memory", () => overTls(new MemoryNetwork()));

function overTls(network: MemoryNetwork): TransportUnderTest {
  return {
    dialer: tls(network.transport("near")),
    listener: tls(network.transport("far")),
    listenAt: "memory://far:0",
    unreachable: "memory://far:1",
    maxBufferedBytes: 1_000_000,
  };
}

function tls(transport: Transport): Transport {
  return {
    scheme: transport.scheme,
    dial: async (address, options) =>
      await dialTls(await transport.dial(address, options), {
        serverName: "localhost",
        verify: () => Promise.resolve(),
        offers: offersOf(),
        ...options,
      }),
    listen: async (address) =>
      listenTls(await transport.listen(address), {
        certificates: [certificateOf("p256")],
        alpn: [],
      }),
  };
}

Deno.test("a transport that ends without close_notify is a reset whose cause is truncated", async () => {
  const { near, far, transport } = await tappedPair();
  await near.write(Uint8Array.of(1, 2));
  await transport.closeWrite();
  assertEquals(await far.read(new Uint8Array(9)), 2);
  const error = await assertRejects(
    () => far.read(new Uint8Array(9)),
    TransportError,
  );
  assertEquals(error.code, "reset");
  assert(error.cause instanceof TlsError);
  assertEquals(error.cause.code, "truncated");
  near.close();
  await Promise.all([near.closed, far.closed]);
});

Deno.test("bytes that break the protocol are answered with an alert, after the data before them", async () => {
  const { near, far, transport } = await tappedPair();
  await near.write(Uint8Array.of(1, 2, 3));
  await transport.write(Uint8Array.of(23, 3, 3, 0, 20, ...new Uint8Array(20)));
  assertEquals(await far.read(new Uint8Array(9)), 3);
  const error = await assertRejects(
    () => far.read(new Uint8Array(9)),
    TransportError,
  );
  assert(error.cause instanceof TlsError);
  assertEquals(error.cause.alert, "badRecordMac");
  const seen = await assertRejects(
    () => near.read(new Uint8Array(9)),
    TransportError,
  );
  assert(seen.cause instanceof TlsError);
  assertEquals([seen.cause.code, seen.cause.alert], [
    "received_alert",
    "badRecordMac",
  ]);
  await Promise.all([near.closed, far.closed]);
});

Deno.test("keys change both ways while data flows", async () => {
  const { near, far } = await tappedPair();
  const sent = defaultProvider().random(1_000_000);
  const echo = far.readable.pipeTo(far.writable);
  const reading = new Response(near.readable).bytes();
  for (let at = 0; at < sent.length; at += 100_000) {
    await near.write(sent.subarray(at, at + 100_000));
    await near.updateKeys();
  }
  await near.closeWrite();
  assertEquals(await reading, sent);
  await echo;
  await Promise.all([near.closed, far.closed]);
});

Deno.test("a key update that cannot be answered does not stop our reading", async () => {
  const network = new MemoryNetwork({ bufferBytes: 65_536 });
  const { near, far } = await tappedPair(network);
  const blocked = far.write(new Uint8Array(4_000_000)).catch(() => {});
  await near.updateKeys();
  await near.write(Uint8Array.of(7));
  const buffer = new Uint8Array(9);
  assertEquals(await far.read(buffer), 1);
  near.close();
  await blocked;
  far.close();
  await Promise.all([near.closed, far.closed]);
});

Deno.test("dialTls() sends change_cipher_spec, Finished and the first flight in one write", async () => {
  const network = new MemoryNetwork();
  await using listener = await tls(network.transport("far"))
    .listen("memory://far:0");
  const transport = await network.transport("near").dial(listener.address);
  const writes = tapWrites(transport);
  const accepted = listener[Symbol.asyncIterator]().next();
  const protocols: (string | undefined)[] = [];
  await using near = await dialTls(transport, {
    serverName: "localhost",
    verify: () => Promise.resolve(),
    profile: profileOf(133),
    firstFlight(alpn) {
      protocols.push(alpn);
      return [new Uint8Array(70), new Uint8Array(40)];
    },
  });
  await using far: Connection = (await accepted).value;
  assertEquals(protocols, [near.alpn]);
  assertEquals(writes.length, 2);
  const lengths = recordsOf(writes[1]!);
  const finished = near.cipherSuite === 0x1302 ? 69 : 53;
  assertEquals(lengths, [[20, 1], [23, finished], [23, 87], [23, 57]]);
  const buffer = new Uint8Array(200);
  assertEquals(await far.read(buffer), 110);
});

Deno.test("dialTls() closes the transport and tells the server when the verifier refuses", async () => {
  const network = new MemoryNetwork();
  const refusing: [unknown, string][] = [
    [new TlsError("sent_alert", "unknownCa", "Unknown root"), "unknownCa"],
    [new Error("Bad day"), "certificateUnknown"],
  ];
  for (const [thrown, alertName] of refusing) {
    const { transport, error } = await refusal(
      network,
      () => Promise.reject(thrown),
    );
    assert(error instanceof TlsError);
    assertEquals(error.alert, alertName);
    await transport.closed;
  }
});

Deno.test("dialTls() gives up after timeoutMs, also while the verifier thinks", async () => {
  const network = new MemoryNetwork();
  const clock = new VirtualClock();
  const { transport, error } = await refusal(network, () => {
    clock.advance(5_000);
    return new Promise(() => {});
  }, { clock, timeoutMs: 5_000 });
  assertEquals((error as Error).name, "TimeoutError");
  await transport.closed;
});

Deno.test("dialTls() rejects with the reason of its signal while the server is silent", async () => {
  const network = new MemoryNetwork();
  await using silent = await network.transport("far").listen("memory://far:0");
  const transport = await network.transport("near").dial(silent.address);
  const controller = new AbortController();
  const dialing = dialTls(transport, {
    serverName: "localhost",
    verify: () => Promise.resolve(),
    offers: offersOf(),
    signal: controller.signal,
  });
  controller.abort(new Error("Enough"));
  await assertRejects(() => dialing, Error, "Enough");
  await transport.closed;
});

/** How a dial ends whose certificates are judged by `verify`. */
async function refusal(
  network: MemoryNetwork,
  verify: () => Promise<void>,
  options: { clock?: VirtualClock; timeoutMs?: number } = {},
): Promise<{ transport: Connection; error: unknown }> {
  await using listener = await tls(network.transport("far"))
    .listen("memory://far:0");
  const transport = await network.transport("near").dial(listener.address);
  try {
    await using _ = await dialTls(transport, {
      serverName: "localhost",
      offers: offersOf(),
      verify,
      ...options,
    });
  } catch (error) {
    return { transport, error };
  }
  throw new Error("Want a refusal");
}

/** Two ends of a TLS connection, and the transport below the near one. */
for (
  const [length, writes] of [
    [262_144, 1],
    [262_144 + 2_048, 1],
    [262_144 + 2_049, 2],
    [2 * 262_144 + 2_048, 2],
  ] as const
) {
  Deno.test(`${length} bytes leave in ${writes} writes, in full records but the last`, async () => {
    const { near, far, transport } = await tappedPair();
    const seen = tapWrites(transport);
    const sent = near.write(new Uint8Array(length).fill(7));
    const buffer = new Uint8Array(65_536);
    for (let got = 0; got < length;) got += (await far.read(buffer))!;
    await sent;
    assertEquals(seen.length, writes);
    const records = seen.flatMap(recordsOf);
    assert(records.every(([type]) => type === 23));
    const full = 16_384 + 17; // content type and tag
    assertEquals(
      records.filter(([, size]) => size !== full).length,
      length % 16_384 === 0 ? 0 : 1,
    );
    near.close();
    far.close();
    await Promise.all([near.closed, far.closed]);
  });
}

async function tappedPair(network: MemoryNetwork = new MemoryNetwork()) {
  await using listener = await tls(network.transport("far"))
    .listen("memory://far:0");
  const transport = await network.transport("near").dial(listener.address);
  const accepted = listener[Symbol.asyncIterator]().next();
  const near = await dialTls(transport, {
    serverName: "localhost",
    verify: () => Promise.resolve(),
    offers: offersOf(),
  });
  const far: Connection = (await accepted).value;
  return { near, far, transport };
}

/** What is written from now on. */
function tapWrites(connection: Connection): Uint8Array[] {
  const writes: Uint8Array[] = [];
  const write = connection.write.bind(connection);
  connection.write = (bytes) => {
    writes.push(bytes.slice());
    return write(bytes);
  };
  return writes;
}

/** Type and length of each record in `bytes`. */
function recordsOf(bytes: Uint8Array): [number, number][] {
  const records: [number, number][] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes[at + 3]! << 8 | bytes[at + 4]!;
    records.push([bytes[at]!, length]);
    at += 5 + length;
  }
  return records;
}
