import { assert, assertEquals } from "@std/assert";
import {
  nodeProvider as crypto,
  Secret,
} from "../../../src/core/crypto/mod.ts";
import { DirectoryRoutes } from "../../../src/mixnet/client/directory_routes.ts";
import {
  type ProvableRoute,
  RouteDrawer,
} from "../../../src/mixnet/route/route_drawer.ts";
import { verifyRouteProof } from "../../../src/mixnet/route/route_proof.ts";
import { plan } from "../route/_network.ts";

const PLAN = plan();
const EPOCH_SECONDS = 3_600;
const START_MS = PLAN.epoch * EPOCH_SECONDS * 1_000;
const DOCUMENT = {
  parameters: PLAN,
  beacon: { value: new Uint8Array(32).fill(9) },
  nodes: PLAN.nodes,
};

Deno.test("routes come from the document of the epoch, and can be proved", () => {
  const drawn: [ProvableRoute, Uint8Array][] = [];
  const { routes, drawer } = make((...each) => drawn.push(each));
  const route = routes.route(START_MS, PLAN.from, PLAN.to)!;
  assertEquals(route.epoch, PLAN.epoch);
  assertEquals(route.hops[0]!.address, PLAN.from);
  assertEquals(route.hops.at(-1)!.address, PLAN.to);
  const sumNs = route.hops.reduce((sum, { delayNs }) => sum + delayNs, 0);
  assert(Math.abs(route.delaysMs - sumNs / 1e6) < 1e-6);
  const [provable, beacon] = drawn[0]!;
  const proof = drawer.prove(beacon, provable);
  const { hops } = verifyRouteProof(crypto, proof, beacon, PLAN)!;
  assertEquals(hops, route.hops);
});

Deno.test("while an epoch has no document the one before serves; then there is no route", () => {
  const { routes } = make();
  const later = (epochs: number) =>
    routes.route(
      START_MS + epochs * EPOCH_SECONDS * 1_000,
      PLAN.from,
      PLAN.to,
    );
  assertEquals(later(1)!.epoch, PLAN.epoch);
  assertEquals(later(2), undefined);
  assertEquals(later(-1), undefined);
  assertEquals(
    routes.route(START_MS, PLAN.from, new Uint8Array(32).fill(9)),
    undefined,
  );
});

Deno.test("gateways() are those of the document that serves", () => {
  const { routes } = make();
  const ids = PLAN.nodes.filter(({ layer }) => layer === 0)
    .map(({ identityKey }) => identityKey);
  assert(ids.length >= 2);
  const epochMs = EPOCH_SECONDS * 1_000;
  assertEquals(routes.gateways(START_MS), ids);
  assertEquals(routes.gateways(START_MS + 2 * epochMs), []);
});

Deno.test("usableUntilMs() is the end of the next epoch, also where 32 bits wrap", () => {
  const { routes } = make();
  const epochMs = EPOCH_SECONDS * 1_000;
  assertEquals(
    routes.usableUntilMs(PLAN.epoch, START_MS),
    START_MS + 2 * epochMs,
  );
  const wrap = 2 ** 32;
  assertEquals(
    routes.usableUntilMs(2 ** 32 - 1, wrap * epochMs),
    (wrap + 1) * epochMs,
  );
  assertEquals(
    routes.usableUntilMs(0, (wrap - 1) * epochMs),
    (wrap + 2) * epochMs,
  );
});

function make(
  onRoute: (route: ProvableRoute, beacon: Uint8Array) => void = () => {},
) {
  const seed = new Secret(new Uint8Array(32).fill(5));
  const drawer = new RouteDrawer({ crypto, seed });
  const routes = new DirectoryRoutes({
    directory: {
      document: (epoch) => epoch === PLAN.epoch ? DOCUMENT : undefined,
    },
    epochSeconds: EPOCH_SECONDS,
    drawer,
    onRoute,
  });
  return { routes, drawer };
}
