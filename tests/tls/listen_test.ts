import { assert, assertEquals, assertRejects } from "@std/assert";
import { VirtualClock } from "../../src/core/async/mod.ts";
import { type Bytes, concat, utf8 } from "../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import {
  type Connection,
  MemoryNetwork,
  tcp,
} from "../../src/core/transport/mod.ts";
import { dialTls, type DialTlsOptions } from "../../src/tls/dial.ts";
import {
  listenTls,
  type ListenTlsOptions,
  type TlsListener,
} from "../../src/tls/listen.ts";
import { TlsError } from "../../src/tls/mod.ts";
import { SessionCache } from "../../src/tls/session_cache.ts";
import { CIPHER_SUITE } from "../../src/tls/suite.ts";
import { suitesBySpeed } from "../../src/tls/suites_by_speed.ts";
import { TicketKeys } from "../../src/tls/ticket_keys.ts";
import { EXTENSION } from "../../src/utls/mod.ts";
import { protocols } from "./_client_hello.ts";
import { certificateOf, newClient, offersOf } from "./_tls_pair.ts";

async function listenHere(
  options: Partial<ListenTlsOptions> = {},
): Promise<TlsListener> {
  const listener = await tcp.listen("tcp://127.0.0.1:0");
  return listenTls(listener, {
    certificates: [certificateOf("p256")],
    alpn: ["h2", "http/1.1"],
    ...options,
  });
}

const trustAll: DialTlsOptions = {
  serverName: "localhost",
  verify: () => Promise.resolve(),
};

/** Answers every connection with what it sends, in turn. */
async function echo(listener: TlsListener): Promise<void> {
  for await (const connection of listener) {
    await connection.readable.pipeTo(connection.writable).catch(() => {});
  }
}

async function assertEchoes(connection: Connection): Promise<void> {
  const bytes = crypto.random(100_000);
  const [back] = await Promise.all([
    new Response(connection.readable).bytes(),
    connection.write(bytes).then(() => connection.closeWrite()),
  ]);
  assertEquals(back, bytes);
}

Deno.test("listenTls() serves connections that dialTls() opens, and resumes their sessions", async () => {
  using tickets = new TicketKeys(crypto);
  using sessions = new SessionCache();
  await using listener = await listenHere({ tickets });
  const echoing = echo(listener);
  for (const resumed of [false, true]) {
    await using connection = await dialTls(listener.address, {
      ...trustAll,
      sessions,
    });
    assertEquals(connection.resumed, resumed);
    assertEquals(connection.alpn, "h2");
    await assertEchoes(connection);
  }
  listener.close();
  await echoing;
  assertEquals(Object.values(listener.refused), [0, 0, 0, 0, 0, 0]);
});

Deno.test("listenTls() takes an end without close_notify for an end if it is told to, and answers still", async () => {
  await using listener = await listenHere({ takesTruncation: true });
  const echoing = echo(listener);
  const transport = await tcp.dial(listener.address);
  await using connection = await dialTls(transport, trustAll);
  await connection.write(utf8("last words"));
  await transport.closeWrite();
  assertEquals(
    await new Response(connection.readable).text(),
    "last words",
  );
  listener.close();
  await echoing;
});

Deno.test("closeWrite() ends the transport behind close_notify", async () => {
  await using listener = await listenHere();
  const accepted = listener[Symbol.asyncIterator]().next();
  const transport = await tcp.dial(listener.address);
  await using client = await dialTls(transport, trustAll);
  await using server = (await accepted).value!;
  await server.closeWrite();
  assertEquals(await client.read(new Uint8Array(1)), null);
  assertEquals(await transport.read(new Uint8Array(1)), null);
});

Deno.test("listenTls() gives both ends the same keying material", async () => {
  await using listener = await listenHere();
  const accepted = listener[Symbol.asyncIterator]().next();
  await using client = await dialTls(listener.address, trustAll);
  await using server = (await accepted).value!;
  assertEquals(
    server.exportKeyingMaterial("EXPORTER-test", 32),
    client.exportKeyingMaterial("EXPORTER-test", 32),
  );
  assertEquals(server.peerCertificates, []);
});

Deno.test("listenTls() shakes hands with many at once, while others stall", async () => {
  await using listener = await listenHere();
  const stalled = await Promise.all(
    Array.from({ length: 20 }, () => tcp.dial(listener.address)),
  );
  const echoing = echo(listener);
  for (let i = 0; i < 5; i++) {
    await using connection = await dialTls(listener.address, trustAll);
    await assertEchoes(connection);
  }
  for (const connection of stalled) connection.close();
  listener.close();
  await echoing;
});

/** First flights that are no hello of TLS 1.3, with OpenSSL's answer to each. */
const UNSERVED: Record<string, [Bytes, string]> = {
  "HTTP": [utf8("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), ""],
  "noise": [new Uint8Array(300).map((_, i) => 7 * i + 100), ""],
  "a record of another major version": [hex("16050000080100000400000000"), ""],
  "a hello in a record of another major version": [
    newClient().takeOutput().fill(5, 1, 2),
    "",
  ],
  "the first byte of no record": [hex("05"), ""],
  "an alert": [hex("1503010002015a"), ""],
  "application data": [hex("170303000512345678ff"), "1503030002020a"],
  "change_cipher_spec": [hex("140303000101"), "1503030002020a"],
  "a ServerHello": [hex("16030100080200000400000000"), "1503030002020a"],
  "a hello cut short within": [
    hex("16030100080100000400000000"),
    "15030300020232",
  ],
  "a record too long": [
    concat(hex("160301ffff"), new Uint8Array(300)),
    "15030300020216",
  ],
  "a hello for protocols we have not": [
    newClient(offersOf({ with: { [EXTENSION.alpn]: protocols("h3") } }))
      .takeOutput(),
    "15030300020278",
  ],
};

for (const [what, [flight, answer]] of Object.entries(UNSERVED)) {
  Deno.test(`listenTls() answers ${what} as OpenSSL does`, async () => {
    await using listener = await listenHere();
    await using connection = await tcp.dial(listener.address);
    await connection.write(flight);
    assertEquals((await readAll(connection)).toHex(), answer);
    assertEquals(listener.refused.unserved, 1);
  });

  Deno.test(`listenTls() hands ${what} to its fallback, before a byte is sent`, async () => {
    const given = Promise.withResolvers<Uint8Array>();
    await using listener = await listenHere({
      async fallback(connection, received) {
        given.resolve(received);
        await connection.write(utf8("elsewhere"));
        await connection.closeWrite();
      },
    });
    await using connection = await tcp.dial(listener.address);
    await connection.write(flight);
    assertEquals(await given.promise, flight);
    assertEquals(await readAll(connection), utf8("elsewhere"));
    assertEquals(listener.refused.unserved, 1);
  });
}

Deno.test("listenTls() takes a hello byte by byte, in records of a byte", async () => {
  await using listener = await listenHere();
  await using connection = await tcp.dial(listener.address);
  for (const byte of newClient().takeOutput().subarray(5)) {
    await connection.write(Uint8Array.of(22, 3, 1, 0, 1, byte));
  }
  assert((await connection.read(new Uint8Array(4_096)))! > 100);
  assertEquals(listener.refused.unserved, 0);
});

Deno.test("listenTls() refuses to listen without a certificate", async () => {
  await assertRejects(() => listenHere({ certificates: [] }), RangeError);
});

Deno.test("listenTls() lets its fallback read on behind what has come", async () => {
  await using listener = await listenHere({
    async fallback(connection, received) {
      const rest = await readAll(connection);
      await connection.write(concat(received, rest).reverse());
    },
  });
  await using connection = await tcp.dial(listener.address);
  await connection.write(utf8("abc"));
  await connection.write(utf8("def"));
  await connection.closeWrite();
  assertEquals(await readAll(connection), utf8("fedcba"));
});

for (const length of [0, 3, 100]) {
  Deno.test(`listenTls() hands a hello that stalls after ${length} bytes to its fallback at the time limit`, async () => {
    const clock = new VirtualClock();
    const given = Promise.withResolvers<Uint8Array>();
    await using listener = await listenHere({
      clock,
      handshakeTimeoutMs: 60_000,
      async fallback(connection, received) {
        given.resolve(received);
        await connection.readable.pipeTo(connection.writable);
      },
    });
    const hello = newClient().takeOutput().slice(0, length);
    await using connection = await tcp.dial(listener.address);
    await connection.write(hello);
    while (clock.pendingTimers === 0) await breath();
    clock.advance(59_999);
    assertEquals(listener.refused.timeout, 0);
    clock.advance(1);
    const received = await given.promise;
    assertEquals(listener.fallbacks, 1);
    await connection.write(utf8("go on")); // what the listener waited for is not lost
    await connection.closeWrite();
    assertEquals(
      concat(received, await readAll(connection)),
      concat(hello, utf8("go on")),
    );
    assertEquals(listener.refused.timeout, 1);
    assertEquals(listener.refused.unserved, 0);
  });
}

Deno.test("listenTls() closes those who send nothing in time, without a word", async () => {
  const clock = new VirtualClock();
  await using listener = await listenHere({ clock, handshakeTimeoutMs: 5_000 });
  await using connection = await tcp.dial(listener.address);
  while (clock.pendingTimers === 0) await breath();
  clock.advance(5_000);
  assertEquals(await readAll(connection), new Uint8Array(0));
  assertEquals(listener.refused.timeout, 1);
});

Deno.test("listenTls() closes those who stall after its answer, without a fallback", async () => {
  const clock = new VirtualClock();
  await using listener = await listenHere({
    clock,
    fallback: () => Promise.reject(new Error("Too late to fall back")),
  });
  await using connection = await tcp.dial(listener.address);
  await connection.write(newClient().takeOutput());
  const buffer = new Uint8Array(4_096);
  assert((await connection.read(buffer))! > 0);
  clock.advance(10_000);
  while (
    await connection.read(buffer).catch(() => null)
  ) { /* the rest of the flight */ }
  assertEquals(listener.fallbacks, 0);
  while (listener.refused.timeout === 0) await breath();
});

Deno.test("listenTls() counts clients that leave, and those that break the handshake", async () => {
  await using listener = await listenHere();
  {
    await using left = await tcp.dial(listener.address);
    await left.closeWrite();
    assertEquals(await readAll(left), new Uint8Array(0));
  }
  await assertRejects(
    () =>
      dialTls(listener.address, {
        ...trustAll,
        verify: () => Promise.reject(new Error("Not trusted")),
      }),
    TlsError,
  );
  {
    await using broken = await tcp.dial(listener.address);
    await broken.write(newClient().takeOutput());
    assert((await broken.read(new Uint8Array(4_096)))! > 0);
    await broken.write(hex("1703030011" + "00".repeat(17)));
    await readAll(broken);
  }
  while (listener.refused.failed + listener.refused.ended < 3) await breath();
  assertEquals(listener.refused.ended, 2);
});

Deno.test("listenTls() closes the connections of its fallback when disposed", async () => {
  const given = Promise.withResolvers<Connection>();
  const listener = await listenHere({
    async fallback(connection) {
      given.resolve(connection);
      await connection.closed;
    },
  });
  await using connection = await tcp.dial(listener.address);
  await connection.write(utf8("GET / HTTP/1.1\r\n\r\n"));
  await given.promise;
  assertEquals(listener.fallbacks, 1);
  await listener[Symbol.asyncDispose]();
  assertEquals(listener.fallbacks, 0);
  await readAll(connection);
});

Deno.test("listenTls() gives up a first flight of 128 KiB without a hello", async () => {
  await using listener = await listenHere();
  await using connection = await tcp.dial(listener.address);
  const record = hex("160301000101"); // a byte of a hello
  const start = concat(
    hex("16030100040100ffff"),
    ...Array(30_000).fill(record),
  );
  await connection.write(start).catch(() => {});
  await readAll(connection).catch(() => {});
  assertEquals(listener.refused.unserved, 1);
});

Deno.test("listenTls() judges clients' certificates where it is told to", async () => {
  const judged: number[] = [];
  await using listener = await listenHere({
    clientCertificates: "request",
    verifyClient: (chain) => Promise.resolve(void judged.push(chain.length)),
  });
  const echoing = echo(listener);
  await using connection = await dialTls(listener.address, trustAll);
  await assertEchoes(connection);
  listener.close();
  await echoing;
  assertEquals(judged, []); // our client has none: there is nothing to judge
});

Deno.test("listenTls() wants a judge if it asks for certificates, and none if not", async () => {
  const verifyClient = () => Promise.resolve();
  for (
    const options of [
      { verifyClient },
      { clientCertificates: "require" },
      { clientCertificates: "request" },
    ] as const
  ) {
    await assertRejects(() => listenHere(options), TypeError);
  }
});

Deno.test("listenTls() tells of faults of its own, and does not fall back for them", async () => {
  const certificate = {
    ...certificateOf("p256"),
    key: {
      schemes: certificateOf("p256").key.schemes,
      sign(): never {
        throw new Error("The key is away");
      },
    },
  };
  const fault = Promise.withResolvers<unknown>();
  await using listener = await listenHere({
    certificates: [certificate],
    fallback: () => Promise.resolve(),
    onFault: fault.resolve,
  });
  const error = await assertRejects(
    () => dialTls(listener.address, trustAll),
    TlsError,
  );
  assertEquals([error.code, error.alert], ["received_alert", "internalError"]);
  assertEquals(String(await fault.promise), "Error: The key is away");
  assertEquals(listener.refused.internal, 1);
  assertEquals(listener.refused.unserved, 0);
});

Deno.test("listenTls() counts fallbacks that fail, and tells why", async () => {
  const fault = Promise.withResolvers<unknown>();
  await using listener = await listenHere({
    fallback: () => Promise.reject(new Error("No origin")),
    onFault: fault.resolve,
  });
  await using connection = await tcp.dial(listener.address);
  await connection.write(utf8("GET / HTTP/1.1\r\n\r\n"));
  assertEquals(await readAll(connection), new Uint8Array(0));
  assertEquals(String(await fault.promise), "Error: No origin");
  assertEquals(listener.fallbacksFailed, 1);
});

Deno.test("listenTls() lets the oldest of 512 fallbacks give way to the next", async () => {
  const network = new MemoryNetwork();
  let given = Promise.withResolvers<Connection>();
  await using listener = listenTls(
    await network.transport("far").listen("memory://far"),
    {
      certificates: [certificateOf("p256")],
      async fallback(connection) {
        given.resolve(connection);
        await connection.closed;
      },
    },
  );
  const near = network.transport("near");
  const visit = async () => {
    given = Promise.withResolvers();
    const connection = await near.dial(listener.address);
    await connection.write(utf8("GET"));
    return { connection, taken: await given.promise };
  };
  const oldest = await visit();
  for (let i = 1; i < 512; i++) await visit();
  assertEquals([listener.fallbacks, listener.fallbacksDropped], [512, 0]);
  await visit();
  await oldest.taken.closed;
  assertEquals([listener.fallbacks, listener.fallbacksDropped], [512, 1]);
});

Deno.test("listenTls() answers bytes behind the hello in its record with an alert alone", async () => {
  await using listener = await listenHere();
  await using connection = await tcp.dial(listener.address);
  const hello = concat(newClient().takeOutput(), Uint8Array.of(1));
  hello[4]!++;
  await connection.write(hello);
  assertEquals((await readAll(connection)).toHex(), "1503030002020a");
});

Deno.test("suitesBySpeed() puts AES or ChaCha20 first, whichever takes less time", () => {
  const { aes128GcmSha256, aes256GcmSha384, chacha20Poly1305Sha256 } =
    CIPHER_SUITE;
  let now = 0;
  const slow = (name: "aesGcm" | "chacha20poly1305") => ({
    ...crypto,
    [name](key: Uint8Array) {
      const aead = crypto[name](key);
      return {
        ...aead,
        seal: (
          ...args: Parameters<typeof aead.seal>
        ) => (now++, aead.seal(...args)),
      };
    },
  });
  const clock = { now: () => now };
  assertEquals(suitesBySpeed(slow("aesGcm"), clock), [
    chacha20Poly1305Sha256,
    aes128GcmSha256,
    aes256GcmSha384,
  ]);
  assertEquals(suitesBySpeed(slow("chacha20poly1305"), clock), [
    aes128GcmSha256,
    aes256GcmSha384,
    chacha20Poly1305Sha256,
  ]);
});

function hex(text: string): Bytes {
  return Uint8Array.fromHex(text);
}

async function readAll(connection: Connection): Promise<Bytes> {
  const parts: Bytes[] = [];
  const buffer = new Uint8Array(65_536);
  let length;
  while ((length = await connection.read(buffer)) !== null) {
    parts.push(buffer.slice(0, length));
  }
  return concat(...parts);
}

/** Lets sockets of this process get on. */
function breath(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}
