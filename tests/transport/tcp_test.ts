import { assert, assertEquals } from "@std/assert";
import { VirtualClock } from "../../src/core/async/mod.ts";
import { dialTcp, listenTcp, tcp } from "../../src/core/transport/mod.ts";
import { TcpListener } from "../../src/core/transport/tcp.ts";
import { testTransport } from "../compliance/transport.ts";

testTransport("tcp", () => ({
  dialer: tcp,
  listener: tcp,
  listenAt: "tcp://127.0.0.1:0",
  unreachable: "tcp://127.0.0.1:1",
  maxBufferedBytes: 16 * 1_048_576,
}));

Deno.test("TcpListener goes on after failed accepts, and counts them", async () => {
  const clock = new VirtualClock();
  const inner = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let failures = 2;
  const accept = inner.accept.bind(inner);
  inner.accept = () => {
    if (failures-- > 0) return Promise.reject(new Error("EMFILE"));
    return accept();
  };
  await using listener = new TcpListener(inner, { clock });
  const next = listener[Symbol.asyncIterator]().next();
  await clock.run(49);
  assertEquals(listener.acceptErrors, 1);
  await clock.run(51);
  assertEquals(listener.acceptErrors, 2);
  const near = await dialTcp(listener.address);
  const { value: far } = await next;
  near.close();
  far.close();
});

Deno.test("TcpListener survives a lack of file descriptors", async () => {
  const script = `
    const { dialTcp, listenTcp } = await import(${
    JSON.stringify(import.meta.resolve("../../src/core/transport/mod.ts"))
  });
    const listener = listenTcp("tcp://127.0.0.1:0");
    const files = [];
    try {
      for (;;) files.push(Deno.openSync("/dev/null"));
    } catch {
      console.log(listener.address);
    }
    setTimeout(() => files.forEach((file) => file.close()), 300);
    for await (const far of listener) Deno.exit(listener.acceptErrors > 0 ? 7 : 8);
  `;
  const process = new Deno.Command("sh", {
    args: [
      "-c",
      'ulimit -n 256 && exec "$0" run -A --no-check "$1"',
      Deno.execPath(),
      `data:text/javascript,${encodeURIComponent(script)}`,
    ],
    stdout: "piped",
  }).spawn();
  const reader = process.stdout.getReader();
  const { value } = await reader.read();
  const address = new TextDecoder().decode(value).trim();
  await using _near = await dialTcp(address);
  const { code } = await process.status;
  assertEquals(code, 7);
  await reader.cancel();
});

Deno.test("TcpListener tells its port, and IPv6 addresses have brackets", async () => {
  await using listener = listenTcp("tcp://[::1]:0");
  assert(/^tcp:\/\/\[::1\]:[1-9][0-9]*$/.test(listener.address));
});
