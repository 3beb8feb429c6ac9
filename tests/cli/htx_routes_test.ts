import { assertEquals, assertNotStrictEquals } from "@std/assert";
import { clientKeyPair } from "../../cli/htx/keys.ts";
import { PROXY_DEFAULTS } from "../../cli/htx/proxy_config.ts";
import { Routes } from "../../cli/htx/routes.ts";
import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import { silentLogger as log } from "../../src/core/log/mod.ts";
import type { PeerRecord } from "../../src/htx/peer_record.ts";
import { DEFAULT_TICKET_POLICY } from "../../src/htx/ticket_policy.ts";

const RECORD: PeerRecord = {
  publicKey: new Uint8Array(32).fill(1),
  sequence: 1,
  expiresMs: 1_000,
  addresses: ["tls://127.0.0.1:1"],
  staticKey: new Uint8Array(32).fill(2),
  tickets: [{
    policy: DEFAULT_TICKET_POLICY,
    keyId: new Uint8Array(8),
    publicKey: new Uint8Array(32),
    cookieName: "sid",
  }],
};

Deno.test("Routes has one way to a server until its record is another", () => {
  using routes = makeRoutes();
  const first = routes.to("a", RECORD);
  assertEquals(routes.to("a", { ...RECORD }) === first, true);
  for (
    const changed of [
      { ...RECORD, sequence: 2 },
      { ...RECORD, publicKey: new Uint8Array(32).fill(3) },
      { ...RECORD, addresses: ["tls://127.0.0.1:2"] },
    ]
  ) {
    const before = routes.to("a", RECORD);
    const after = routes.to("a", changed);
    assertNotStrictEquals(after, before);
    assertEquals(after.address, changed.addresses[0]);
    assertEquals(routes.to("a", changed) === after, true);
  }
});

Deno.test("Routes forgets the server that was dialed longest ago beyond 256", () => {
  using routes = makeRoutes();
  const ways = Array.from(
    { length: 256 },
    (_, i) => routes.to(`${i}`, RECORD),
  );
  routes.to("0", RECORD);
  routes.to("256", RECORD);
  assertEquals(routes.to("0", RECORD) === ways[0], true);
  assertEquals(routes.to("2", RECORD) === ways[2], true);
  assertNotStrictEquals(routes.to("1", RECORD), ways[1]);
});

function makeRoutes(): Routes {
  const keyPair = clientKeyPair(undefined);
  return new Routes({
    config: { ...PROXY_DEFAULTS, carrier: "tls" },
    keyPair,
    crypto,
    log,
  });
}
