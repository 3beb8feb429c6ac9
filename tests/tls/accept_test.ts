import { assertEquals, assertRejects } from "@std/assert";
import { VirtualClock } from "../../src/core/async/mod.ts";
import { utf8 } from "../../src/core/bytes/mod.ts";
import {
  type Connection,
  MemoryNetwork,
} from "../../src/core/transport/mod.ts";
import { acceptTls } from "../../src/tls/accept.ts";
import { dialTls } from "../../src/tls/dial.ts";
import { TlsError } from "../../src/tls/mod.ts";
import { certificateOf } from "./_tls_pair.ts";

const certificates = [certificateOf("p256")];
const trustAll = {
  serverName: "localhost",
  verify: () => Promise.resolve(),
};

async function connect(): Promise<[Connection, Connection]> {
  const network = new MemoryNetwork();
  const listener = await network.transport("b").listen("memory://b");
  const near = await network.transport("a").dial("memory://b");
  const { value } = await listener[Symbol.asyncIterator]().next();
  listener.close();
  return [near, value];
}

Deno.test("acceptTls() serves a connection that has begun without TLS", async () => {
  const [near, far] = await connect();
  await near.write(utf8("STARTTLS"));
  const plain = new Uint8Array(8);
  await far.read(plain);
  assertEquals(plain, utf8("STARTTLS"));
  const [client, server] = await Promise.all([
    dialTls(near, trustAll),
    acceptTls(far, { certificates }),
  ]);
  const buffer = new Uint8Array(5);
  await Promise.all([client.write(utf8("hello")), server.read(buffer)]);
  assertEquals(buffer, utf8("hello"));
  client.close();
  server.close();
});

Deno.test("acceptTls() rejects with what the client did, and closes", async () => {
  const [near, far] = await connect();
  const failure = assertRejects(
    () => acceptTls(far, { certificates }),
    TlsError,
  );
  await near.write(utf8("GET / HTTP/1.1\r\n\r\n"));
  await failure;
  await far.closed;
  near.close();
});

Deno.test("acceptTls() ends a handshake at its limit, and at its signal", async () => {
  const clock = new VirtualClock();
  const [near, far] = await connect();
  const timeout = assertRejects(
    () => acceptTls(far, { certificates, clock, timeoutMs: 500 }),
    DOMException,
  );
  await clock.run(500);
  assertEquals((await timeout).name, "TimeoutError");
  await far.closed;
  near.close();
  const [here, there] = await connect();
  const signal = AbortSignal.abort(new Error("Enough"));
  await assertRejects(
    () => acceptTls(there, { certificates, signal }),
    Error,
    "Enough",
  );
  await there.closed;
  here.close();
});

Deno.test("acceptTls() wants a certificate", async () => {
  const [near, far] = await connect();
  await assertRejects(() => acceptTls(far, { certificates: [] }), RangeError);
  near.close();
  far.close();
});
