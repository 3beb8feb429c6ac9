import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { nodeProvider as crypto } from "../../../src/core/crypto/mod.ts";
import { type DrawnRoute, drawRoute } from "../../../src/mixnet/mod.ts";
import { EPOCH, node, nodes, plan } from "./_network.ts";

const DRAWS = 6_000;

/** What a VRF would give for packet `number`. */
const beta = (number: number) =>
  crypto.hash("sha512", Uint8Array.of(number >> 16, number >> 8, number));
const layersOf = ({ hops }: DrawnRoute) =>
  hops.map(({ address }) => address[0]);

Deno.test("drawRoute() goes from gateway to gateway through every layer in order", () => {
  for (let i = 0; i < 50; i++) {
    const route = drawRoute(crypto, beta(i), 0, plan())!;
    assertEquals(layersOf(route), [0, 1, 2, 3, 0]);
    assertEquals(route.hops[0]!.address, plan().from);
    assertEquals(route.hops[4]!.address, plan().to);
    for (const { address, publicKey } of route.hops) {
      assertEquals(publicKey, address.slice().fill(9, 2));
    }
  }
});

Deno.test("drawRoute() gives the same to everybody who has beta, and another for each attempt", () => {
  const route = drawRoute(crypto, beta(1), 0, plan());
  assertEquals(drawRoute(crypto, beta(1), 0, plan()), route);
  assertNotEquals(drawRoute(crypto, beta(1), 1, plan()), route);
  assertNotEquals(drawRoute(crypto, beta(2), 0, plan()), route);
});

Deno.test("drawRoute() takes 2 mixes for balanced, 1 for performance, in the order of their layers", () => {
  const seen = new Set<string>();
  for (let i = 0; i < 200; i++) {
    const two = layersOf(
      drawRoute(crypto, beta(i), 0, plan({ mode: "balanced" }))!,
    );
    seen.add(two.join());
    const one = layersOf(
      drawRoute(crypto, beta(i), 0, plan({ mode: "performance" }))!,
    );
    assertEquals(one.length, 3);
    seen.add(one.join());
  }
  assertEquals([...seen].sort(), [
    "0,1,0",
    "0,1,2,0",
    "0,1,3,0",
    "0,2,0",
    "0,2,3,0",
    "0,3,0",
  ]);
});

Deno.test("drawRoute() chooses each mix of a layer with the same chance", () => {
  const counts = new Array(3 * 4).fill(0);
  for (let i = 0; i < DRAWS; i++) {
    const { hops } = drawRoute(crypto, beta(i), 0, plan())!;
    for (const { address } of hops.slice(1, -1)) {
      counts[(address[0]! - 1) * 4 + address[1]!]++;
    }
  }
  for (let layer = 0; layer < 3; layer++) {
    const expected = DRAWS / 4;
    const chi2 = counts.slice(4 * layer, 4 * layer + 4)
      .reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    assert(chi2 < 16.3, `chi-squared ${chi2}`); // 3 degrees of freedom, p = 0.001
  }
});

Deno.test("drawRoute() delays by the exponential law, cut at the cap without an atom there", () => {
  const delays: number[] = [];
  for (let i = 0; i < DRAWS / 4; i++) {
    const { hops, delaysMs } = drawRoute(
      crypto,
      beta(i),
      0,
      plan({ maxDelayMs: 100 }),
    )!;
    const each = hops.map(({ delayNs }) => delayNs / 1e6);
    assertEquals(each.at(-1), 0);
    assert(Math.abs(each.reduce((a, b) => a + b) - delaysMs) < 1e-6);
    delays.push(...each.slice(0, -1));
  }
  delays.sort((a, b) => a - b);
  const cut = 1 - Math.exp(-100 / 50);
  const distance = Math.max(
    ...delays.map((delay, i) =>
      Math.abs((1 - Math.exp(-delay / 50)) / cut - (i + 0.5) / delays.length)
    ),
  );
  assert(delays[0]! > 0 && delays.at(-1)! <= 100);
  assert(distance < 1.95 / Math.sqrt(delays.length), `KS ${distance}`); // p = 0.001
  assertEquals(new Set(delays).size, delays.length);
});

Deno.test("drawRoute() wants a mix outside the autonomous systems of both gateways", () => {
  const near = nodes(3, 1).map((each) =>
    each.layer === 0 ? each : { ...each, asn: each.layer % 2 + 1 }
  );
  assertEquals(drawRoute(crypto, beta(0), 0, plan({ nodes: near })), undefined);
  const one = near.map((each) => each.layer === 2 ? { ...each, asn: 7 } : each);
  assert(drawRoute(crypto, beta(0), 0, plan({ nodes: one })));
});

Deno.test("drawRoute() gives nothing without gateway, layer or key for the epoch", () => {
  const draw = (changes: Parameters<typeof plan>[0]) =>
    drawRoute(crypto, beta(0), 0, plan(changes));
  assertEquals(draw({ from: new Uint8Array(32).fill(5) }), undefined);
  assertEquals(draw({ to: node(1, 0, 1).identityKey }), undefined); // a mix
  assertEquals(draw({ nodes: nodes(2, 4) }), undefined);
  assert(draw({ nodes: nodes(2, 4), mode: "balanced" }));
  assertEquals(draw({ epoch: EPOCH + 1 }), undefined);
});
