import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { utf8 } from "../../src/core/bytes/mod.ts";
import {
  bindUdp,
  MAX_DATAGRAM_BYTES,
  TransportError,
} from "../../src/core/transport/mod.ts";

const LOOPBACK = "udp://127.0.0.1:0";

Deno.test("datagrams of every size cross, and say where they come from", async () => {
  await using a = bindUdp(LOOPBACK);
  await using b = bindUdp(LOOPBACK);
  for (const size of [0, 1, 1_500, 1_024 * 60, MAX_DATAGRAM_BYTES]) {
    const message = new Uint8Array(size).fill(size);
    const [received] = await Promise.all([
      b.receive(),
      a.send(message, b.address),
    ]);
    assertEquals(received, { message, from: a.address });
  }
  await assertRejects(
    () => a.send(new Uint8Array(MAX_DATAGRAM_BYTES + 1), b.address),
    RangeError,
  );
});

Deno.test("a socket that sent where nobody is still receives", async () => {
  await using a = bindUdp(LOOPBACK);
  await using b = bindUdp(LOOPBACK);
  const gone = bindUdp(LOOPBACK);
  gone.close();
  await a.send(utf8("lost"), gone.address);
  const [received] = await Promise.all([
    a.receive(),
    b.send(utf8("found"), a.address),
  ]);
  assertEquals(received?.message, utf8("found"));
});

Deno.test("close() ends a pending receive, and sends throw closed", async () => {
  const a = bindUdp(LOOPBACK);
  const pending = a.receive();
  a.close();
  a.close();
  assertEquals(await pending, null);
  assertEquals(await a.receive(), null);
  const { code } = await assertRejects(
    () => a.send(utf8("x"), "udp://127.0.0.1:9"),
    TransportError,
  );
  assertEquals(code, "closed");
});

Deno.test("bindUdp() refuses an address that is taken, not ours, or of another scheme", async () => {
  await using a = bindUdp(LOOPBACK);
  const codeOf = (address: string) =>
    assertThrows(() => bindUdp(address), TransportError).code;
  assertEquals(codeOf(a.address), "in_use");
  assertEquals(codeOf("udp://192.0.2.1:0"), "unreachable");
  assertThrows(() => bindUdp("tcp://127.0.0.1:0"), TypeError);
});
