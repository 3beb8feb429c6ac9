import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  type Bytes,
  decodeCbor,
  encodeCbor,
} from "../../../src/core/bytes/mod.ts";
import type { MessagePeer } from "../../../src/core/transport/mod.ts";
import { ApplicationSocket } from "../../../src/dtn/app/application_socket.ts";
import {
  decodeBundle,
  encodeBundle,
  payloadOf,
} from "../../../src/dtn/bundle/bundle.ts";
import { bundleId } from "../../../src/dtn/bundle/bundle_id.ts";
import { createBundle } from "../../../src/dtn/bundle/create_bundle.ts";
import { DtnWorld, eid, text } from "../node/_dtn_world.ts";

/** The application's end of a socket, which takes what it is sent only if it is told to. */
class Application implements MessagePeer {
  bufferedBytes = 0;
  readonly texts: string[] = [];
  readonly binaries: Bytes[] = [];
  closedWith: readonly [number, string] | undefined;
  readonly socket: ApplicationSocket;
  readonly #world: DtnWorld;

  constructor(
    world: DtnWorld,
    node: Awaited<ReturnType<DtnWorld["node"]>>,
    options: { readonly token?: string; readonly maxBytes?: number } = {},
  ) {
    this.#world = world;
    const { clock } = world;
    this.socket = new ApplicationSocket(this, {
      ...{ node, clock, quirks: [], maxBytes: 100_000 },
      ...options,
    });
  }

  send(message: string | Bytes): void {
    if (typeof message === "string") this.texts.push(message);
    else this.binaries.push(message);
  }

  close(code: number, reason: string): void {
    this.closedWith = [code, reason];
    this.socket.closed();
  }

  /** Says something and gives the answer. */
  async say(message: string | Uint8Array): Promise<string> {
    const { length } = this.texts;
    this.socket.message(message);
    await this.#world.until(() => this.texts.length > length);
    return this.texts[length]!;
  }
}

async function made(
  options?: { readonly token?: string; readonly maxBytes?: number },
) {
  const world = new DtnWorld();
  const node = await world.node("a");
  const application = () => new Application(world, node, options);
  const send = (payload: string) =>
    world.settle(
      node.send({ destination: eid("dtn://a/in"), payload: text(payload) }),
    );
  return { world, node, application, send };
}

Deno.test("a socket answers dtn7-rs's commands as it does", async () => {
  const { world, application } = await made();
  await using _ = world;
  const app = application();
  for (
    const [command, answer] of [
      ["/node", "200 node: dtn://a/"],
      ["/bundle", "200 tx mode: bundle"],
      ["/data", "200 tx mode: data"],
      ["/json", "200 tx mode: JSON"],
      ["/subscribe in\n", "200 subscribed"],
      ["/subscribe dtn://a/in", "200 subscribed"],
      ["/subscribe", "400 endpoint is missing"],
      ["/unsubscribe dtn://a/in", "200 unsubscribed"],
      ["/unsubscribe in", "404 endpoint not found"],
      ["/fly", "501 unknown command"],
      ["hello", "501 unknown command"],
    ] as const
  ) {
    assertEquals(await app.say(command), answer);
  }
  assertMatch(await app.say("/subscribe dtn://b/in"), /^400 /);
  assertMatch(await app.say("/subscribe dtn://a/ü"), /^400 /);
});

Deno.test("a socket sends in each mode, and says so once it is stored", async () => {
  const { world, node, application } = await made();
  await using _ = world;
  const app = application();
  const request = { src: "dtn://a/out", dst: "dtn://b/in", lifetime: 60_000 };
  const json = { ...request, delivery_notification: true, data: "aGVsbG8=" };
  const inJson = await app.say(text(JSON.stringify(json)));
  assertMatch(
    inJson,
    /^200 Sent bundle dtn:\/\/a\/out-[0-9]+-[0-9]+ with 5 bytes$/,
  );
  await app.say("/data");
  const data = text("hello");
  assertMatch(
    await app.say(
      encodeCbor({ ...request, delivery_notification: false, data }),
    ),
    /^200 Sent bundle .* with 5 bytes$/,
  );
  await app.say("/bundle");
  const bundle = encodeBundle(createBundle({
    source: eid("dtn://far/app"),
    destination: eid("dtn://b/in"),
    creation: { timeMs: 700_000_000_000, sequence: 0 },
    lifetimeMs: 2 ** 40,
    payload: data,
  }));
  const { length } = bundle;
  assertEquals(await app.say(bundle), `200 Sent payload with ${length} bytes`);
  assertMatch(await app.say(bundle), /^409 /);
  const stored = [...node.bundles.entries()].map(({ id }) =>
    decodeBundle(node.bundles.bytes(id)!)
  );
  assertEquals(stored.map(payloadOf), [data, data, data]);
  assertEquals(`${stored[0]!.primary.reportTo}`, "dtn://a/out");
  assertEquals(stored.map(({ primary }) => primary.lifetimeMs), [
    ...[60_000, 60_000, 2 ** 40],
  ]);
});

Deno.test("a socket says what is wrong with what it is sent, and lives on", async () => {
  const { world, application } = await made({ maxBytes: 200 });
  await using _ = world;
  const app = application();
  const good = { src: "out", dst: "dtn://b/in", lifetime: 1, data: "" };
  for (
    const wrong of [
      "no JSON",
      "null",
      "[]",
      JSON.stringify({ ...good, data: "!" }),
      JSON.stringify({ ...good, lifetime: 0 }),
      JSON.stringify({ ...good, lifetime: "1h" }),
      JSON.stringify({ ...good, src: "dtn://b/out" }),
      JSON.stringify({ ...good, dst: "in" + "\0" }),
    ]
  ) {
    assertMatch(await app.say(text(wrong)), /^400 /, wrong);
  }
  assertMatch(await app.say(new Uint8Array(201)), /^413 /);
  await app.say("/data");
  assertMatch(await app.say(new Uint8Array([0xff])), /^400 /);
  await app.say("/bundle");
  assertMatch(await app.say(new Uint8Array([0x9f])), /^400 /);
  assertEquals(app.closedWith, undefined);
});

Deno.test("what an application acknowledges is delivered; what it does not is given to the next", async () => {
  const { world, node, application, send } = await made();
  await using _ = world;
  const ids = [await send("one"), await send("two")];
  const first = application();
  await first.say("/acks");
  assertEquals(await first.say("/subscribe in"), "200 subscribed");
  await world.until(() => first.binaries.length === 2);
  const one = JSON.parse(new TextDecoder().decode(first.binaries[0]));
  assertEquals([one.bid, one.src, one.dst, one.data], [
    ...[ids[0], "dtn://a/", "dtn://a/in", "b25l"],
  ]);
  assertEquals(await first.say(`/ack ${ids[0]}`), `200 acknowledged ${ids[0]}`);
  assertEquals(await first.say(`/ack ${ids[0]}`), "404 bundle not found");
  await world.clock.run(60_000);
  assertEquals(node.counts.delivered, 1);
  first.socket.closed();

  const second = application();
  await second.say("/bundle");
  await second.say("/acks");
  await second.say("/subscribe in");
  await world.until(() => second.binaries.length === 1);
  const bundle = decodeBundle(second.binaries[0]!);
  assertEquals(payloadOf(bundle), text("two"));
  await second.say(`/ack ${bundleId(bundle)}`);
  assertEquals(node.bundles.usage.bundles, 0);
  const third = await send("three");
  await world.until(() => second.binaries.length === 2);
  await second.say(`/ack ${third}`);
  assertEquals(node.counts.delivered, 3);
});

Deno.test("without acknowledgements a bundle is delivered once the system has it", async () => {
  const { world, node, application, send } = await made();
  await using _ = world;
  await send("one");
  const app = application();
  app.bufferedBytes = 1;
  await app.say("/data");
  await app.say("/subscribe in");
  await world.until(() => app.binaries.length === 1);
  const value = decodeCbor(app.binaries[0]!);
  assert(value instanceof Map);
  assertEquals(value.get("data"), text("one"));
  await world.clock.run(1_000);
  assertEquals(node.counts.delivered, 0);
  app.bufferedBytes = 0;
  await world.until(() => node.counts.delivered === 1);
});

Deno.test("at most 64 bundles are not acknowledged; the others wait in the store", async () => {
  const { world, node, application, send } = await made();
  await using _ = world;
  const ids: string[] = [];
  for (let i = 0; i < 70; i++) ids.push(await send(`${i}`));
  const app = application();
  await app.say("/acks");
  await app.say("/subscribe in");
  await world.clock.run(1_000);
  assertEquals(app.binaries.length, 64);
  await app.say(`/ack ${ids[5]}`);
  await world.clock.run(1_000);
  assertEquals(app.binaries.length, 65);
  await app.say("/unsubscribe in");
  assertEquals(await app.say(`/ack ${ids[6]}`), "404 bundle not found");
  assertEquals(node.bundles.usage.bundles, 69);
});

Deno.test("an endpoint has one subscriber", async () => {
  const { world, application } = await made();
  await using _ = world;
  const [first, second] = [application(), application()];
  await first.say("/subscribe in");
  assertMatch(await second.say("/subscribe in"), /^409 /);
  first.socket.closed();
  assertEquals(await second.say("/subscribe in"), "200 subscribed");
});

Deno.test("a socket wants the token first, and within ten seconds", async () => {
  const { world, node, application } = await made({ token: "secret" });
  await using _ = world;
  const good = application();
  assertEquals(await good.say("/token secret"), "200 authorized");
  assertEquals(await good.say("/node"), "200 node: dtn://a/");
  for (const message of ["/token secreu", "/node", text("{}")]) {
    const app = application();
    assertEquals(await app.say(message), "401 unauthorized");
    await world.until(() => app.closedWith !== undefined);
    assertEquals(app.closedWith, [3000, "Unauthorized"]);
  }
  const silent = application();
  await world.clock.run(10_001);
  assertEquals(silent.closedWith, [3008, "No token"]);
  assertEquals(good.closedWith, undefined);
  assertEquals(node.bundles.usage.bundles, 0);
});

Deno.test("a socket whose messages come faster than they are answered is closed", async () => {
  const { world, application } = await made();
  await using _ = world;
  const app = application();
  for (let i = 0; i < 1_025; i++) app.socket.message("/node");
  await world.until(() => app.closedWith !== undefined);
  assertEquals(app.closedWith, [4013, "Too much is not answered"]);
  assertEquals(app.texts.length, 1_024);
});

Deno.test("a socket whose answers are not read is closed", async () => {
  const { world, application } = await made();
  await using _ = world;
  const app = application();
  app.bufferedBytes = 1_048_576;
  assertEquals(await app.say("/node"), "200 node: dtn://a/");
  app.bufferedBytes++;
  app.socket.message("/node");
  await world.until(() => app.closedWith !== undefined);
  assertEquals(app.closedWith, [4013, "Too much is not answered"]);
});

Deno.test("what waits for room when an application unsubscribes is not sent any more", async () => {
  const { world, node, application, send } = await made();
  await using _ = world;
  for (let i = 0; i < 66; i++) await send(`${i}`);
  const app = application();
  await app.say("/acks");
  await app.say("/subscribe in");
  await world.clock.run(1_000);
  await app.say("/unsubscribe in");
  await world.clock.run(1_000);
  assertEquals(app.binaries.length, 64);
  const next = application();
  await next.say("/subscribe in");
  await world.until(() => node.counts.delivered === 66);
  assertEquals(next.binaries.length, 66);
});
