import { assert, assertEquals, assertThrows } from "@std/assert";
import { encodeHex } from "../../../src/core/bytes/mod.ts";
import {
  nodeProvider as crypto,
  Secret,
} from "../../../src/core/crypto/mod.ts";
import {
  decodeRouteProof,
  encodeRouteProof,
  formatRouteProof,
  parseRouteProof,
  RouteDrawer,
  verifyRouteProof,
  vrfProve,
} from "../../../src/mixnet/mod.ts";
import { routeAlpha } from "../../../src/mixnet/route/route_proof.ts";
import { nodes, plan } from "./_network.ts";

const BEACON = new Uint8Array(32).fill(0x77);

const drawer = (first = 1) =>
  new RouteDrawer({ crypto, seed: new Secret(new Uint8Array(32).fill(first)) });

Deno.test("RouteDrawer proves the route and delays of every packet", () => {
  const sender = drawer();
  for (let i = 0; i < 5; i++) {
    const route = sender.draw(BEACON, plan())!;
    assertEquals(route.origin.counter, i);
    const bytes = encodeRouteProof(sender.prove(BEACON, route));
    const { hops, delaysMs } = route;
    assertEquals(
      verifyRouteProof(crypto, decodeRouteProof(bytes), BEACON, plan()),
      { hops, delaysMs },
    );
  }
});

Deno.test("verifyRouteProof() gives another route, or none, for whatever was changed", () => {
  const sender = drawer();
  const route = sender.draw(BEACON, plan())!;
  const proof = sender.prove(BEACON, route);
  const verify = (changes: Partial<typeof proof>, beacon = BEACON) =>
    verifyRouteProof(crypto, { ...proof, ...changes }, beacon, plan());
  assertEquals(verify({})?.hops, route.hops);
  assertEquals(verify({ counter: 1 }), undefined);
  assertEquals(verify({ streamNonce: new Uint8Array(16) }), undefined);
  assertEquals(verify({ source: proof.destination }), undefined);
  assertEquals(
    verify({ publicKey: crypto.ed25519.publicKey(BEACON) }),
    undefined,
  );
  assertEquals(verify({ epoch: proof.epoch + 1 }), undefined);
  assertEquals(verify({ attempt: 64 }), undefined);
  assertEquals(verify({}, BEACON.with(0, 0)), undefined);
  assert(encodeHex(verify({ attempt: 9 })!.hops[0]!.address));
});

Deno.test("RouteDrawer tries eight distinct sets of hops before it takes one again", () => {
  const sender = drawer();
  const sets = Array.from({ length: 40 }, () => setOf(sender));
  for (let i = 0; i < sets.length; i++) {
    assertEquals(sets.slice(Math.max(0, i - 8), i).includes(sets[i]!), false);
  }
});

Deno.test("RouteDrawer repeats a set rather than send nothing in a network that has no eight", () => {
  const sender = drawer();
  const few = plan({ nodes: nodes(3, 1) });
  for (let i = 0; i < 5; i++) assert(sender.draw(BEACON, few));
});

Deno.test("RouteDrawer gives nothing where no route can be", () => {
  assertEquals(drawer().draw(BEACON, plan({ nodes: [] })), undefined);
});

Deno.test("two senders draw their own routes, and each proves its own only", () => {
  const [a, b] = [drawer(1), drawer(2)];
  const route = a.draw(BEACON, plan())!;
  assert(b.draw(BEACON, plan())!.delaysMs !== route.delaysMs);
  assertThrows(() => b.prove(BEACON, route), RangeError, "another sender's");
});

Deno.test("verifyRouteProof() wants the PeerIDs of the VRF key and of the last gateway in the seed", () => {
  const sender = drawer();
  const route = sender.draw(BEACON, plan())!;
  const { origin } = route;
  for (
    const changed of [
      { ...origin, destination: origin.source },
      { ...origin, destination: origin.destination.with(2, 0) },
    ]
  ) {
    const proof = sender.prove(BEACON, { ...route, origin: changed });
    assertEquals(verifyRouteProof(crypto, proof, BEACON, plan()), undefined);
  }
  const proof = sender.prove(BEACON, route);
  const to = plan().from;
  assertEquals(
    verifyRouteProof(crypto, proof, BEACON, plan({ to })),
    undefined,
  );
  // a VRF proof that holds, over a source that is another's
  const seed = new Uint8Array(32).fill(1);
  const source = origin.destination;
  const alpha = routeAlpha(crypto, BEACON, { ...origin, source });
  const foreign = {
    ...proof,
    source,
    proof: vrfProve(crypto, "ELL2", seed, alpha),
  };
  assertEquals(verifyRouteProof(crypto, foreign, BEACON, plan()), undefined);
});

Deno.test("parseRouteProof() reads what formatRouteProof() writes, and nothing else", () => {
  const sender = drawer();
  const proof = sender.prove(BEACON, sender.draw(BEACON, plan())!);
  const text = formatRouteProof(proof);
  assertEquals(parseRouteProof(text), proof);
  for (
    const bad of [
      "",
      text.slice(1),
      text.slice(0, -1),
      text + "=",
      "betanet-route:" + "A".repeat(4_000),
    ]
  ) assertThrows(() => parseRouteProof(bad), RangeError);
});

Deno.test("decodeRouteProof() refuses every truncation and other shapes", () => {
  const sender = drawer();
  const route = sender.draw(BEACON, plan())!;
  const bytes = encodeRouteProof(sender.prove(BEACON, route));
  for (let length = 0; length < bytes.length; length++) {
    assertThrows(() => decodeRouteProof(bytes.subarray(0, length)), RangeError);
  }
  for (const other of ["80", "a0", "88" + "00".repeat(8)]) {
    assertThrows(
      () => decodeRouteProof(Uint8Array.fromHex(other)),
      RangeError,
      "eight fields",
    );
  }
  assertThrows(
    () => decodeRouteProof(new Uint8Array(513)),
    RangeError,
    "at most",
  );
});

function setOf(sender: RouteDrawer): string {
  const { hops } = sender.draw(BEACON, plan())!;
  return hops.map(({ address }) => encodeHex(address)).sort().join();
}
