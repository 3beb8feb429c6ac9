import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  decodeBundle,
  encodeBundle,
  payloadOf,
} from "../../../src/dtn/bundle/bundle.ts";
import { CRC_TYPE } from "../../../src/dtn/bundle/crc.ts";
import { createBundle } from "../../../src/dtn/bundle/create_bundle.ts";
import { restApp } from "../../../src/dtn/app/rest_app.ts";
import type { RestAppOptions } from "../../../src/dtn/app/rest_options.ts";
import { lifetimeOf } from "../../../src/dtn/app/lifetime_of.ts";
import { isStrictlyPrivate } from "../../../src/dtn/guard/privacy_guard.ts";
import { QUIRKS } from "../../../src/dtn/bundle/quirk.ts";
import { DtnWorld, eid, text } from "../node/_dtn_world.ts";

async function served(options: Partial<RestAppOptions> = {}) {
  const world = new DtnWorld();
  const node = await world.node("a");
  const handler = restApp({ node, store: node.bundles, ...options });
  const ask = (path: string, init: RequestInit = {}, host = "127.0.0.1") =>
    world.settle(
      Promise.resolve(handler(new Request(`http://${host}:3000${path}`, init))),
    );
  return { world, node, ask };
}

Deno.test("an application sends, and another on the node takes what came, once", async () => {
  const { world, ask } = await served();
  await using _ = world;
  const sent = await ask("/send?dst=dtn://a/in&lifetime=60000&src=app", {
    method: "POST",
    body: "hello",
  });
  assertEquals(sent.status, 200);
  const id = (await sent.text()).trim();
  assertStringIncludes(id, "dtn://a/app-");
  const [entry] = await (await ask("/status/bundles/verbose")).json();
  assertEquals([entry.id, entry.destination], [id, "dtn://a/in"]);
  assertEquals((await ask(`/download?${id}`)).status, 200);
  const got = await ask("/endpoint?in");
  const bundle = decodeBundle(await got.bytes());
  assertEquals(payloadOf(bundle), text("hello"));
  assertEquals(bundle.primary.lifetimeMs, 60_000);
  const none = await ask("/endpoint?dtn://a/in");
  assertEquals([none.status, await none.text()], [200, "Nothing to receive"]);
  assertEquals((await ask(`/download?${id}`)).status, 404);
  assertEquals(await (await ask("/status/nodeid")).text(), "dtn://a/");
  assertEquals((await (await ask("/status/info")).json()).delivered, 1);
  assertEquals((await (await ask("/status/store")).json()).bundles, 0);
  assertEquals(await (await ask("/status/peers")).json(), []);
});

Deno.test("an application asks for strict privacy, and is told what it cannot ask for", async () => {
  const { world, node, ask } = await served();
  await using _ = world;
  const send = (query: string) =>
    ask(`/send?dst=dtn://far/in&${query}`, { method: "POST", body: "x" });
  const marks = [];
  for (const query of ["private=true", "private=false", ""]) {
    const id = (await (await send(query)).text()).trim();
    marks.push(isStrictlyPrivate(decodeBundle(node.bundles.bytes(id)!)));
  }
  assertEquals(marks, [true, false, false]);
  assertEquals((await send("private=yes")).status, 400);
});

Deno.test("a ready bundle is inserted as it is, and given in hexadecimal", async () => {
  const { world, ask } = await served();
  await using _ = world;
  const bundle = encodeBundle(createBundle({
    source: eid("dtn://far/app"),
    destination: eid("dtn://a/in"),
    creation: { timeMs: world.clock.wallTime() - 946_684_800_000, sequence: 0 },
    lifetimeMs: 1_000_000,
    payload: text("x"),
  }));
  const insert = () => ask("/insert", { method: "POST", body: bundle });
  assertEquals((await insert()).status, 200);
  assertEquals((await insert()).status, 409);
  const hex = async () => await (await ask("/endpoint.hex?in")).text();
  assertEquals(await hex(), bundle.toHex());
  assertEquals(await hex(), "Nothing to receive");
});

Deno.test("a bundle that is inserted too late is gone", async () => {
  const { world, ask } = await served();
  await using _ = world;
  const bundle = encodeBundle(createBundle({
    source: eid("dtn://far/app"),
    destination: eid("dtn://a/in"),
    creation: { timeMs: world.clock.wallTime() - 946_684_801_000, sequence: 0 },
    lifetimeMs: 1_000,
    payload: text("x"),
  }));
  const answer = await ask("/insert", { method: "POST", body: bundle });
  assertEquals(answer.status, 410);
});

Deno.test("creation timestamps are given once, as dtn7-rs writes them", async () => {
  const { world, ask } = await served();
  await using _ = world;
  const given = async (): Promise<number[]> => await (await ask("/cts")).json();
  const timeMs = Math.floor(world.clock.wallTime()) - 946_684_800_000;
  assertEquals(await Promise.all([given(), given(), given()]), [
    [timeMs, 0],
    [timeMs, 1],
    [timeMs, 2],
  ]);
});

Deno.test("a bundle is deleted by its name, and goes to nobody then", async () => {
  const { world, node, ask } = await served();
  await using _ = world;
  const sent = await ask("/send?dst=dtn://a/in", { method: "POST", body: "x" });
  const id = (await sent.text()).trim();
  const gone = await ask(`/delete?${id}`);
  assertEquals([gone.status, await gone.text()], [200, `Deleted ${id}`]);
  assertEquals((await ask(`/delete?${id}`)).status, 404);
  assertEquals(await (await ask("/endpoint?in")).text(), "Nothing to receive");
  assertEquals(node.bundles.usage.bundles, 0);
});

Deno.test("what a node overlooks in bundles of neighbours, it may overlook in those inserted", async () => {
  const bundle = encodeBundle(createBundle({
    source: eid("dtn://far/app"),
    destination: eid("dtn://a/in"),
    creation: { timeMs: 1, sequence: 0 },
    lifetimeMs: 2 ** 40,
    payload: text("x"),
    crcType: CRC_TYPE.none,
  })).toHex();
  // The version in one byte more than it needs.
  const long = Uint8Array.fromHex(bundle.replace(/^9f8807/, "9f881807"));
  for (const [quirks, status] of [[[], 400], [QUIRKS, 200]] as const) {
    const { world, ask } = await served({ quirks });
    await using _ = world;
    const { status: got } = await ask("/insert", {
      method: "POST",
      body: long,
    });
    assertEquals(got, status);
  }
});

Deno.test("requests that are wrong, too long, without the token or from another name are refused", async () => {
  const { world, ask } = await served({ maxBytes: 10, token: "secret" });
  await using _ = world;
  const headers = { authorization: "Bearer secret" };
  const post = (path: string, body: string) =>
    ask(path, { method: "POST", body, headers }).then(({ status }) => status);
  assertEquals(await post("/send?dst=dtn://b/in", "short"), 200);
  assertEquals(await post("/send?dst=dtn://b/in", "eleven bytes"), 413);
  assertEquals(await post("/send?dst=nowhere", "x"), 400);
  assertEquals(await post("/send", "x"), 400);
  assertEquals(await post("/send?dst=dtn://b/in&lifetime=soon", "x"), 400);
  assertEquals(await post("/insert", "no bundle"), 400);
  assertEquals((await ask("/endpoint?dtn://b/in", { headers })).status, 400);
  assertEquals((await ask("/nothing", { headers })).status, 404);
  assertEquals((await ask("/status/nodeid")).status, 401);
  const wrong = { authorization: "Bearer secreu" };
  assertEquals((await ask("/status/nodeid", { headers: wrong })).status, 401);
  const elsewhere = await ask("/status/nodeid", { headers }, "example.org");
  assertEquals(elsewhere.status, 421);
});

Deno.test("a lifetime is a number of milliseconds, or spans as dtn7-rs takes them", async () => {
  for (
    const [given, ms] of [
      ["1500", 1_500],
      ["1h", 3_600_000],
      ["90s", 90_000],
      ["1day 12h", 129_600_000],
      ["2weeks", 1_209_600_000],
      ["15ms", 15],
      ["1M", 2_630_016_000],
    ] as const
  ) {
    assertEquals(lifetimeOf(given), ms, given);
  }
  for (
    const wrong of ["", "0", "-1", "1e3", "h", "1 fortnight", "1us", "99y"]
  ) {
    assertThrows(() => lifetimeOf(wrong), RangeError, "lifetime", wrong);
  }
  const { world, node, ask } = await served();
  await using _ = world;
  const sent = await ask("/send?dst=dtn://b/in&lifetime=1h%2030m", {
    method: "POST",
    body: "x",
  });
  const bytes = node.bundles.bytes((await sent.text()).trim())!;
  assertEquals(decodeBundle(bytes).primary.lifetimeMs, 5_400_000);
});

Deno.test("lists have every bundle, however many", async () => {
  const { world, node, ask } = await served();
  await using _ = world;
  const ids: string[] = [];
  const list = async (path: string) =>
    await (await ask(`/status/bundles${path}`)).json();
  assertEquals(await list(""), []);
  for (let i = 0; i < 600; i++) {
    const destination = eid(`dtn://${i % 2 ? "odd" : "even"}/in`);
    ids.push(
      await world.settle(node.send({ destination, payload: text(`${i}`) })),
    );
  }
  assertEquals(await list(""), ids);
  const verbose: { id: string; destination: string }[] = await list("/verbose");
  assertEquals(verbose.map(({ id }) => id), ids);
  assertEquals(verbose[1]!.destination, "dtn://odd/in");
  assertEquals(
    await list("/filtered?addr=even"),
    ids.filter((_, i) => i % 2 === 0),
  );
  assertEquals(await list("/filtered?addr=elsewhere"), []);
  assertEquals((await ask("/status/bundles/filtered")).status, 400);
});

Deno.test("dtn7-rs's other routes are there: hexadecimal, register, DELETE, endpoints", async () => {
  const { world, node, ask } = await served();
  await using _ = world;
  const bundle = createBundle({
    source: eid("dtn://far/app"),
    destination: eid("dtn://a/in"),
    creation: { timeMs: 700_000_000_000, sequence: 3 },
    lifetimeMs: 2 ** 40,
    payload: text("x"),
  });
  const hex = encodeBundle(bundle).toHex();
  const id = "dtn://far/app-700000000000-3";
  const inserted = await ask(`/insert?${hex}`);
  assertEquals(await inserted.text(), `${id}\n`);
  assertEquals((await ask("/insert?9f8")).status, 400);
  assertEquals(await (await ask(`/download.hex?${id}`)).text(), hex);
  assertEquals((await ask("/download.hex?nothing")).status, 404);
  const deleted = await ask(`/delete?${id}`, { method: "DELETE" });
  assertEquals(await deleted.text(), `Deleted ${id}`);
  assertEquals(
    await (await ask("/register?in")).text(),
    "Registered dtn://a/in",
  );
  assertEquals((await ask("/register?dtn://b/in")).status, 400);
  assertEquals((await ask("/register?%ff")).status, 400);
  using _registration = node.register(eid("dtn://a/in"));
  assertEquals(await (await ask("/status/eids")).json(), [
    ...["dtn://a/", "dtn://a/in"],
  ]);
});

Deno.test("no web page reaches a node, whatever it brings", async () => {
  const { world, ask } = await served({ token: "secret" });
  await using _ = world;
  const authorization = "Bearer secret";
  for (
    const field of [
      { origin: "http://127.0.0.1:3000" },
      { origin: "null" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
    ]
  ) {
    for (const path of ["/status/nodeid", "/ws", "/delete?x"]) {
      const headers = { authorization, ...field };
      assertEquals((await ask(path, { headers })).status, 403, path);
    }
  }
  const typed = { authorization, "sec-fetch-site": "none" };
  assertEquals((await ask("/status/nodeid", { headers: typed })).status, 200);
  const wrong = { authorization: "Bearer x", upgrade: "websocket" };
  assertEquals((await ask("/ws", { headers: wrong })).status, 401);
});
