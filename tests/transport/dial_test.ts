import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  dial,
  formatAddress,
  listen,
  parseAddress,
  selfSigned,
} from "../../src/core/transport/mod.ts";
import { readAll, writeAll } from "../compliance/transport.ts";

Deno.test("dial() and listen() choose the transport by its scheme", async () => {
  const certificate = await selfSigned({ names: ["127.0.0.1"] });
  const options = { quic: { certificate, caCerts: [certificate.certPem] } };
  for (const scheme of ["tcp", "ws", "quic"]) {
    await using listener = await listen(`${scheme}://127.0.0.1:0`, options);
    assertEquals(parseAddress(listener.address).scheme, scheme);
    const [near, { value: far }] = await Promise.all([
      dial(listener.address, options),
      listener[Symbol.asyncIterator]().next(),
    ]);
    const [received] = await Promise.all([
      readAll(far),
      writeAll(near, new Uint8Array([1, 2, 3])),
    ]);
    assertEquals(received, new Uint8Array([1, 2, 3]));
    await Promise.all([readAll(near), far.closeWrite()]);
    await Promise.all([near.closed, far.closed]);
  }
});

Deno.test("dial() and listen() refuse other schemes", async () => {
  for (const address of ["udp://127.0.0.1:1", "memory://a", "127.0.0.1:80"]) {
    await assertRejects(() => dial(address), TypeError);
    await assertRejects(() => listen(address), TypeError);
  }
});

Deno.test("parseAddress() and formatAddress() agree", () => {
  for (
    const address of [
      "tcp://127.0.0.1:0",
      "quic://example.org:65535",
      "ws://[::1]:80/a?b=c",
      "tcp://[fe80::1]:9000",
    ]
  ) {
    assertEquals(formatAddress(parseAddress(address)), address);
  }
});

Deno.test("parseAddress() refuses what is not scheme://host:port", () => {
  for (
    const address of [
      "tcp://127.0.0.1",
      "tcp://127.0.0.1:65536",
      "tcp://127.0.0.1:-1",
      "tcp://:80",
      "tcp://::1:80",
      "tcp://a b:80",
      "tcp://user@host:80",
      "ws://host:80/a b",
      "ws://host:80/a\r\nb",
      "TCP://host:80",
    ]
  ) {
    assertThrows(() => parseAddress(address), TypeError, "Want scheme");
  }
});
