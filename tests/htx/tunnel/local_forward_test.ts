import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { utf8 } from "../../../src/core/bytes/mod.ts";
import { MemoryNetwork } from "../../../src/core/transport/mod.ts";
import { HtxError } from "../../../src/htx/error.ts";
import {
  LocalForward,
  parseLocalForward,
} from "../../../src/htx/tunnel/local_forward.ts";
import { pipe } from "../../../src/htx/tunnel/pipe.ts";
import { formatTarget } from "../../../src/htx/tunnel/target.ts";
import { readAll, text } from "./_pair.ts";
import { echo, FakeSession, forwarderTo, origin } from "./_tunnel.ts";

Deno.test("parseLocalForward() reads the forms of ssh -L", () => {
  for (
    const [spec, listen, target] of [
      ["8080:example.com:80", "tcp://127.0.0.1:8080", "example.com:80"],
      ["0:10.0.0.1:80", "tcp://127.0.0.1:0", "10.0.0.1:80"],
      ["8080:[::1]:80", "tcp://127.0.0.1:8080", "[::1]:80"],
      ["[::1]:8080:a:80", "tcp://[::1]:8080", "a:80"],
      [
        "0.0.0.0:8080:[2001:db8::1]:80",
        "tcp://0.0.0.0:8080",
        "[2001:db8::1]:80",
      ],
    ] as const
  ) {
    const parsed = parseLocalForward(spec);
    assertEquals(parsed.listen, listen);
    assertEquals(formatTarget(parsed.target), target);
  }
  for (
    const spec of [
      "",
      "8080",
      "8080:a",
      "a:80",
      "65536:a:80",
      "8080:a:0",
      "x:y:a:80:1",
      "8080:::1:80",
      "8080:127.1:80",
      "-1:a:80",
    ]
  ) {
    assertThrows(() => parseLocalForward(spec), TypeError);
  }
});

async function tunnel(network: MemoryNetwork) {
  const session = new FakeSession();
  const forwarder = forwarderTo(network);
  const served = forwarder.serve(session.streams);
  const target = await origin(network, "10.0.0.1:7", echo);
  return {
    session,
    async [Symbol.asyncDispose]() {
      session.close();
      await served;
      await target[Symbol.asyncDispose]();
    },
  };
}

Deno.test("LocalForward sends each connection to its target and counts refusals", async () => {
  const network = new MemoryNetwork();
  await using t = await tunnel(network);
  for (
    const [host, refusals] of [["10.0.0.1", 0], ["192.168.0.1", 1]] as const
  ) {
    const forward = new LocalForward(t.session, { host, port: 7 });
    const listener = await network.transport("local").listen("memory://local");
    const served = forward.serve(listener);
    const client = await network.transport("user").dial("memory://local");
    await client.write(utf8("hello"));
    await client.closeWrite();
    if (refusals > 0) await assertRejects(() => readAll(client));
    else assertEquals(text(await readAll(client)), "hello");
    listener.close();
    await served;
    const stats = forward.stats();
    assertEquals([stats.accepted, stats.active], [1, 0]);
    assertEquals([stats.refused.not_allowed, stats.ended.finished], [
      refusals,
      1 - refusals,
    ]);
  }
});

Deno.test("LocalForward counts a session that gives no stream", async () => {
  const network = new MemoryNetwork();
  const opener = { open: () => Promise.reject(new Error("No session")) };
  const forward = new LocalForward(opener, { host: "a", port: 7 });
  const listener = await network.transport("local").listen("memory://local");
  const served = forward.serve(listener);
  const client = await network.transport("user").dial("memory://local");
  await assertRejects(() => readAll(client));
  listener.close();
  await served;
  assertEquals(forward.stats().refused.session, 1);
});

Deno.test("pipe() joins a pair of streams to a target, big chunks included", async () => {
  const network = new MemoryNetwork();
  await using t = await tunnel(network);
  const bytes = new Uint8Array(1_000_001).map((_, i) => i * 13);
  const output = new TransformStream<Uint8Array, Uint8Array>();
  const got = new Response(output.readable).bytes();
  const result = await pipe(t.session, { host: "a.example", port: 7 }, {
    readable: new Blob([bytes]).stream(),
    writable: output.writable,
  });
  assertEquals(await got, bytes);
  assertEquals(result, {
    up: bytes.length,
    down: bytes.length,
    reason: "finished",
  });
});

Deno.test("pipe() throws if the target is refused, even while the input is silent", async () => {
  const network = new MemoryNetwork();
  await using t = await tunnel(network);
  const silent = new TransformStream<Uint8Array, Uint8Array>();
  const output = new TransformStream<Uint8Array, Uint8Array>();
  const error = await assertRejects(
    () =>
      pipe(t.session, { host: "192.168.0.1", port: 7 }, {
        readable: silent.readable,
        writable: output.writable,
      }),
    HtxError,
    "not_allowed",
  );
  assertEquals(error.code, "refused");
});
