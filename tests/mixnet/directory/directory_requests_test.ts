import { assertEquals, assertRejects } from "@std/assert";
import { VirtualClock } from "../../../src/core/async/mod.ts";
import { encodeHex } from "../../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../../src/core/crypto/mod.ts";
import { memoryStore } from "../../../src/core/storage/mod.ts";
import {
  dialTcp,
  parseAddress,
  serveHttp,
} from "../../../src/core/transport/mod.ts";
import { directory, DirectoryError } from "../../../src/mixnet/mod.ts";
import { addressOf, Directories, trustOf } from "./_authorities.ts";
import { DESCRIPTORS, EPOCH_MS, signed, START_MS, TRUST } from "./_network.ts";

const NO_SIGNAL = new AbortController().signal;

function started(registered?: readonly Uint8Array[]) {
  const clock = new VirtualClock(START_MS);
  const directories = new Directories();
  const authority = directories.authority(0, trustOf(1, 1), clock, {
    ...(registered && { registered }),
  });
  const post = async (body: Uint8Array) =>
    (await directories.ask({
      ...{ address: addressOf(0), path: "/descriptor", body, maxBytes: 256 },
    }, NO_SIGNAL)).status;
  return { clock, directories, authority, post };
}

Deno.test("A directory takes signed descriptors and says why not others", async () => {
  const { clock, authority, post } = started();
  const [first] = DESCRIPTORS;
  assertEquals(await post(first!), 204);
  assertEquals(await post(first!), 204);
  assertEquals(await post(signed(0, { asn: 1 })), 409);
  assertEquals(await post(signed(0, { sequence: 2 })), 204);
  assertEquals(await post(signed(1, { network: "other" })), 400);
  assertEquals(await post(first!.with(20, first![20]! ^ 1)), 400);
  assertEquals(await post(new Uint8Array(8_193)), 413);
  assertEquals(await post(new Uint8Array(8_192)), 400);
  clock.advance(3 * EPOCH_MS);
  assertEquals(await post(DESCRIPTORS[1]!), 409);
  assertEquals(authority.nodes, 1);
});

Deno.test("A directory with registered nodes takes no others", async () => {
  const { post } = started([
    crypto.ed25519.publicKey(new Uint8Array(32).fill(100)),
  ]);
  assertEquals(await post(DESCRIPTORS[0]!), 204);
  assertEquals(await post(DESCRIPTORS[1]!), 403);
});

Deno.test("A directory gives descriptors by their hash, and 404 for what is not there", async () => {
  const { directories, post } = started();
  const [descriptor] = DESCRIPTORS;
  await post(descriptor!);
  const hash = encodeHex(crypto.hash("sha256", descriptor!));
  const get = (path: string) =>
    directories.ask(
      { address: addressOf(0), path, maxBytes: 4_096 },
      NO_SIGNAL,
    );
  assertEquals((await get(`/descriptor/${hash}`)).body, descriptor);
  for (
    const path of [
      "/",
      "/document/500001",
      "/document/abc",
      "/rolls/1",
      "/votes/1",
      "/endorsements/1",
      `/evidence/${"0".repeat(64)}`,
      "/descriptor/00",
      `/descriptor/${"0".repeat(64)}`,
    ]
  ) assertEquals((await get(path)).status, 404, path);
});

Deno.test("A directory takes so many descriptors at once, and then so many a second", async () => {
  const clock = new VirtualClock();
  let taken = 0;
  const handler = directory.directoryRequests({
    clock,
    descriptorsPerSecond: 2,
    authority: {
      submit: () => void taken++,
      documentBytes: () => undefined,
      descriptor: () => undefined,
      known: () => undefined,
      evidence: new directory.EvidenceBook(crypto, TRUST, memoryStore()),
    },
  });
  const post = async () =>
    (await handler(
      new Request("http://d/descriptor", {
        method: "POST",
        body: Uint8Array.of(1),
      }),
    )).status;
  for (let i = 0; i < 4_096; i++) await post();
  assertEquals([await post(), taken], [429, 4_096]);
  clock.advance(1_000);
  assertEquals([await post(), await post(), await post()], [204, 204, 429]);
});

Deno.test("A descriptor that does not come to its end in time is refused, and so are more than may come at once", async () => {
  const clock = new VirtualClock();
  const { authority } = started();
  const handler = directory.directoryRequests({
    authority,
    clock,
    maxUploads: 1,
  });
  const slow = () =>
    new Request("http://d/descriptor", {
      method: "POST",
      body: new ReadableStream({ pull: () => new Promise(() => {}) }),
    });
  const first = handler(slow());
  assertEquals((await handler(slow())).status, 503);
  await clock.run(10_000);
  assertEquals((await first).status, 413);
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("directoryFetch() asks a directory over TCP", async () => {
  const { authority } = started();
  await using server = serveHttp(directory.directoryRequests({ authority }), {
    hostname: "127.0.0.1",
    port: 0,
  });
  const { hostname, port } = parseAddress(server.address);
  const ask = directory.directoryFetch((_, signal) =>
    dialTcp(`tcp://${hostname}:${port}`, { signal })
  );
  const { address } = server;
  const [descriptor] = DESCRIPTORS;
  const posted = await ask({
    ...{ address, path: "/descriptor", body: descriptor!, maxBytes: 256 },
  }, NO_SIGNAL);
  assertEquals(posted.status, 204);
  const path = `/descriptor/${encodeHex(crypto.hash("sha256", descriptor!))}`;
  const got = await ask({ address, path, maxBytes: 4_096 }, NO_SIGNAL);
  assertEquals([got.status, got.body], [200, descriptor]);
  const error = await assertRejects(
    () => ask({ address, path, maxBytes: descriptor!.length - 1 }, NO_SIGNAL),
    DirectoryError,
  );
  assertEquals(error.code, "malformed");
});

Deno.test("directoryFetch() gives a typed error where nothing listens, and when it is told to stop", async () => {
  const ask = directory.directoryFetch((address, signal) =>
    dialTcp(address, { signal })
  );
  const request = { address: "tcp://127.0.0.1:1", path: "/", maxBytes: 1 };
  const ended = new AbortController();
  ended.abort();
  for (const signal of [NO_SIGNAL, ended.signal]) {
    const error = await assertRejects(
      () => ask(request, signal),
      DirectoryError,
    );
    assertEquals(error.code, "unreachable");
  }
});
