import { assert, assertEquals, assertThrows } from "@std/assert";
import { decodeCbor, DecodeError } from "../../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../../src/core/crypto/mod.ts";
import { memoryStore, namespace } from "../../../src/core/storage/mod.ts";
import { epidemicRouter } from "../../../src/dtn/routing/epidemic_router.ts";
import {
  encodePredictabilities,
  PROPHET,
  prophetRouter,
} from "../../../src/dtn/routing/prophet_router.ts";
import { type Router, WAIT } from "../../../src/dtn/routing/router.ts";
import { sprayRouter } from "../../../src/dtn/routing/spray_router.ts";
import {
  parseStaticRoutes,
  staticRouter,
} from "../../../src/dtn/routing/static_router.ts";
import { bundle } from "./_bundle.ts";

const [A, B, C, Z] = ["a", "b", "c", "z"].map((name) => `dtn://${name}/`) as [
  string,
  string,
  string,
  string,
];

function peersOf(router: Router, n: number, peers: string[], now = 0) {
  return router.route(bundle(n), peers, now).to.map(({ peer }) => peer);
}

Deno.test("static routes go by the first row that matches and whose neighbour is there; a destination that is there needs none", () => {
  const router = staticRouter(parseStaticRoutes(`
# index source destination via
2 * * ${C}
1 dtn://a/* dtn://z/* ${B}
`));
  assertEquals(router.route(bundle(1), [B, C], 0), {
    to: [{ peer: B }],
    keeps: false,
  });
  assertEquals(peersOf(router, 1, [C]), [C]);
  assertEquals(peersOf(router, 1, [B, Z]), [Z]);
  assertEquals(router.route(bundle(1), [], 0), WAIT);
  const other = bundle(2, { source: "dtn://b/app" });
  assertEquals(router.route(other, [B, C], 0).to, [{ peer: C }]);
  const back = bundle(3, { from: B });
  assertEquals(router.route(back, [B, C], 0).to, [{ peer: C }]);
});

Deno.test("parseStaticRoutes() names the line that is wrong, and takes patterns as they are", () => {
  for (const line of ["1 a b", "x a b c", "1 a b c d"]) {
    assertThrows(
      () => parseStaticRoutes(`\n${line}`),
      SyntaxError,
      "Line 2",
    );
  }
  const router = staticRouter(
    parseStaticRoutes(`1 dtn://a/app dtn://z/i. ${B}`),
  );
  assertEquals(peersOf(router, 1, [B]), []);
});

Deno.test("epidemic routing gives every neighbour what it does not have, as both say when they meet", () => {
  const ids = [bundle(1).id, bundle(2).id];
  const a = epidemicRouter({ crypto, known: () => ids });
  const b = epidemicRouter({ crypto, known: () => [bundle(2).id] });
  const [vector] = b.contactBegan(A, 0);
  a.contactBegan(B, 0);
  a.received(B, vector!.bytes, 0);
  assertEquals(peersOf(a, 1, [B, C]), [B, C]);
  assertEquals(peersOf(a, 2, [B, C]), [C]);
  a.sent(bundle(1), { peer: B }, 0);
  assertEquals(peersOf(a, 1, [B, C]), [C]);
  assertEquals(a.route(bundle(1), [C, Z], 0), {
    to: [{ peer: Z }],
    keeps: false,
  });
  a.contactEnded(B, 0);
  a.contactBegan(B, 1);
  assertEquals(peersOf(a, 1, [B]), [B]);
  assertEquals(a.route(bundle(9, { from: B }), [B], 1).to, []);
});

Deno.test("neighbours that come one after the other are told the same summary vector, until it is as old as making it may take", () => {
  let ids = Array.from({ length: 400 }, (_, n) => bundle(n).id);
  let count = 0;
  const router = epidemicRouter({
    crypto,
    *known() {
      for (const id of ids) {
        count++;
        yield id;
      }
    },
  });
  const namesAt = (nowMs: number) =>
    (router.contactBegan(B, nowMs)[0]!.bytes.length - 1) / 8;
  assertEquals(namesAt(1_000), 400);
  ids = ids.slice(0, 300);
  for (let nowMs = 1_001; nowMs < 1_100; nowMs++) {
    assertEquals(namesAt(nowMs), 400);
  }
  assertEquals(count, 400);
  assertEquals(namesAt(1_100), 300);
  assertEquals(namesAt(1_099), 300, "the clock was set back");
  assertEquals(count, 1_000);
});

Deno.test("summary vectors are cut into messages, bounded in number, and refused if malformed", () => {
  const ids = Array.from({ length: 20_000 }, (_, n) => bundle(n).id);
  const router = epidemicRouter({
    crypto,
    known: () => ids,
    maxNames: 17_000,
  });
  router.contactBegan(C, 0);
  const vectors = router.contactBegan(B, 0);
  assertEquals(vectors.map(({ bytes }) => bytes.length), [
    64_001,
    64_001,
    8_001,
  ]);
  for (const { bytes } of vectors) router.received(C, bytes, 0);
  assertEquals(peersOf(router, 16_999, [C]), []);
  assertEquals(peersOf(router, 17_000, [C]), [C]);
  for (const { bytes } of vectors.slice(0, 1)) {
    router.received(B, bytes, 0);
    assertThrows(() => router.received(B, bytes.slice(0, -1), 0), DecodeError);
    assertThrows(() => router.received(B, bytes.with(0, 2), 0), DecodeError);
  }
  const long = new Uint8Array(1 + 8 * 8_001).with(0, 1);
  assertThrows(() => router.received(B, long, 0), DecodeError);
  const few = epidemicRouter({ crypto, known: () => [], maxNames: 2 });
  few.contactBegan(B, 0);
  for (const n of [1, 2, 3]) few.sent(bundle(n), { peer: B }, 0);
  assertEquals([1, 2, 3].map((n) => peersOf(few, n, [B]).length), [1, 0, 0]);
});

Deno.test("vanilla spray gives one copy to each neighbour while there is more than one, over a restart too", () => {
  const store = memoryStore();
  let router = sprayRouter({ store, copies: 3 });
  assertEquals(router.route(bundle(1), [B], 0), {
    to: [{ peer: B, copies: 1 }],
    keeps: true,
  });
  router.sent(bundle(1), { peer: B, copies: 1 }, 0);
  router = sprayRouter({ store, copies: 3 });
  assertEquals(peersOf(router, 1, [B]), []);
  assertEquals(peersOf(router, 1, [B, C]), [C]);
  router.sent(bundle(1), { peer: C, copies: 1 }, 0);
  assertEquals(peersOf(router, 1, ["dtn://d/"]), []);
  assertEquals(router.route(bundle(1), [B, Z], 0), {
    to: [{ peer: Z }],
    keeps: false,
  });
  router.removed(bundle(1).id);
  assertEquals(store.usage().entries, 0);
});

Deno.test("binary spray gives half of what is left, and goes on with what it was given", () => {
  const router = sprayRouter({
    store: memoryStore(),
    copies: 8,
    isBinary: true,
  });
  assertEquals(router.route(bundle(1), [B, C], 0).to, [
    { peer: B, copies: 4 },
    { peer: C, copies: 2 },
  ]);
  const given = bundle(2, { from: B, copies: 4 });
  const both = [{ peer: A, copies: 2 }, { peer: C, copies: 1 }];
  assertEquals(router.route(given, [A, B, C], 0).to, both);
  assertEquals(router.route(given, [A, C, "dtn://d/"], 0).to, both);
  router.failed(given, { peer: C, copies: 1 }, 0);
  assertEquals(router.route(given, [A, "dtn://d/"], 0).to, [
    { peer: A, copies: 2 },
    { peer: "dtn://d/", copies: 1 },
  ]);
  router.contactEnded("dtn://d/", 0);
  router.sent(given, { peer: A, copies: 2 }, 0);
  assertEquals(router.route(given, [A, C], 0).to, [{ peer: C, copies: 1 }]);
  router.sent(given, { peer: C, copies: 1 }, 0);
  assertEquals(router.route(given, ["dtn://d/"], 0), WAIT);
  const later = bundle(4, { from: B, copies: 2 });
  router.route(later, [], 0);
  const scanned = bundle(4, { from: B });
  assertEquals(router.route(scanned, [C], 0).to, [{ peer: C, copies: 1 }]);
  const last = bundle(3, { from: B });
  assertEquals(router.route(last, [C], 0), WAIT);
});

Deno.test("spray has never more copies than it may, over a crash while they are under way too", () => {
  const store = memoryStore();
  const start = () => sprayRouter({ store, copies: 8, isBinary: true });
  let router = start();
  const toB = [{ peer: B, copies: 4 }];
  assertEquals(router.route(bundle(1), [B], 0).to, toB);
  router = start();
  assertEquals(router.route(bundle(1), [C], 0).to, [{ peer: C, copies: 2 }]);
  router.failed(bundle(1), { peer: C, copies: 2 }, 0);
  assertEquals(router.route(bundle(1), [B, C], 0).to, [
    ...toB,
    { peer: C, copies: 2 },
  ]);
  router.failed(bundle(1), { peer: C, copies: 2 }, 0, true);
  router.contactEnded(C, 0);
  const [toD] = router.route(bundle(1), ["dtn://d/"], 0).to;
  assertEquals(
    toD,
    { peer: "dtn://d/", copies: 1 },
    "of the two that are left",
  );
  assertEquals(router.route(bundle(1), [B, C], 0).to, [
    ...toB,
    { peer: C, copies: 2 },
  ]);
});

Deno.test("spray lets a bundle wait whose name is longer than a key may be", () => {
  const router = sprayRouter({ store: namespace(memoryStore(), "spray") });
  const id = `dtn://${"a".repeat(1_010)}/-1-0`;
  assertEquals(router.route(bundle(1, { id }), [B], 0), WAIT);
  assertEquals(router.route(bundle(1, { id }), [Z], 0).to, [{ peer: Z }]);
  router.sent(bundle(1, { id }), { peer: Z }, 0);
  router.removed(id);
});

Deno.test("spray takes no more copies of others than its bound, and wants a whole number of its own", () => {
  const router = sprayRouter({ store: memoryStore(), isBinary: true });
  const greedy = bundle(1, { from: B, copies: 1e9 });
  assertEquals(router.route(greedy, [C], 0).to, [{ peer: C, copies: 512 }]);
  for (const copies of [0, 1.5, 1_025]) {
    assertThrows(
      () => sprayRouter({ store: memoryStore(), copies }),
      RangeError,
    );
  }
});

Deno.test("PRoPHET raises a predictability at encounters, lowers it with time, and takes what neighbours predict (RFC 6693 §2.1)", () => {
  const told = (router: Router, peer: string, nowMs: number) =>
    tableIn(router.contactBegan(peer, nowMs)[0]!.bytes);
  const router = prophetRouter({ store: memoryStore(), nodeId: A });
  assertEquals(told(router, B, 0).get(B), PROPHET.encounterFirst);
  // Half an hour, the typical interval, makes 0.5 · 0.999^1800 = 0.083: below the threshold an encounter is the first again.
  assertEquals(told(router, B, 1_800_000).get(B), PROPHET.encounterFirst);
  const soon = prophetRouter({ store: memoryStore(), nodeId: A });
  told(soon, B, 0);
  const half = told(soon, B, 900_000 / 10).get(B)!;
  const agedHalf = 0.5 * PROPHET.gammaPerSecond ** 90;
  assert(
    Math.abs(half - (agedHalf + (0.99 - agedHalf) * 0.7 * 0.05)) < 1e-5,
    `${half}`,
  );
  soon.received(B, encodePredictabilities(new Map([[Z, 0.8]])), 90_000);
  const transitive = told(soon, C, 90_000).get(Z)!;
  assert(Math.abs(transitive - half * 0.8 * PROPHET.beta) < 1e-5);
});

Deno.test("PRoPHET tells neighbours in contact what an encounter and others' predictions have changed, and nobody else", () => {
  const router = prophetRouter({ store: memoryStore(), nodeId: A });
  assertEquals(router.contactBegan(B, 0).map(({ to }) => to), [B]);
  const met = router.contactBegan(C, 0);
  assertEquals(met.map(({ to }) => to), [C, B]);
  for (const { bytes } of met) {
    assertEquals(tableIn(bytes).get(C), PROPHET.encounterFirst);
  }
  const message = encodePredictabilities(new Map([[Z, 0.8]]));
  const heard = router.received(B, message, 0);
  assertEquals(heard.map(({ to }) => to), [C]);
  assertEquals(tableIn(heard[0]!.bytes).get(Z), 0.36);
  assertEquals(router.received(B, message, 0), []);
  router.contactEnded(C, 0);
  assertEquals(router.contactBegan(Z, 0).map(({ to }) => to), [Z, B]);
});

Deno.test("PRoPHET copies a bundle to neighbours that are likelier to deliver it, once, and keeps its own", () => {
  const router = prophetRouter({ store: memoryStore(), nodeId: A });
  for (const peer of [B, C, "dtn://d/"]) router.contactBegan(peer, 0);
  router.received(B, encodePredictabilities(new Map([[Z, 0.2]])), 0);
  router.received(C, encodePredictabilities(new Map([[Z, 0.9]])), 0);
  // What C predicts makes ours 0.5 · 0.9 · 0.9 = 0.405.
  assertEquals(router.route(bundle(1), [B, C, "dtn://d/"], 0), {
    to: [{ peer: C }],
    keeps: true,
  });
  router.sent(bundle(1), { peer: C }, 0);
  assertEquals(peersOf(router, 1, [B, C]), []);
  assertEquals(router.route(bundle(2, { from: C }), [C], 0), WAIT);
  assertEquals(peersOf(router, 1, [C, Z]), [Z]);
  router.contactEnded(C, 0);
  assertEquals(peersOf(router, 3, [C]), []);
});

Deno.test("PRoPHET has its table after a restart, bounds it, and refuses what is none", () => {
  const store = memoryStore();
  prophetRouter({ store, nodeId: A }).contactBegan(B, 1_000);
  const router = prophetRouter({ store, nodeId: A, maxNodes: 2 });
  const [message] = router.contactBegan(C, 1_000);
  assertEquals([...tableIn(message!.bytes).keys()].sort(), [B, C]);
  router.received(
    B,
    encodePredictabilities(new Map([[Z, 0.9], [A, 1], [C, 1]])),
    1_000,
  );
  const table = tableIn(router.contactBegan("dtn://d/", 1_000)[0]!.bytes);
  assertEquals(table.size, 2);
  assert(!table.has(A));
  const bad = [
    Uint8Array.of(0x80),
    encodePredictabilities(new Map([[Z, 2]])),
    encodePredictabilities(new Map([["x".repeat(300), 0.5]])),
    Uint8Array.of(0xa1, 0x01, 0x01),
    Uint8Array.of(0xff),
  ];
  for (const message of bad) {
    assertThrows(() => router.received(B, message, 1_000), DecodeError);
  }
});

function tableIn(bytes: Uint8Array): Map<string, number> {
  const table = decodeCbor(bytes) as Map<string, number>;
  return new Map([...table].map(([node, value]) => [node, value / 1e6]));
}
