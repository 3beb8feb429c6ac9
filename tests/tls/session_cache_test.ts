import { assertEquals, assertThrows } from "@std/assert";
import { type Session, SessionCache } from "../../src/tls/session_cache.ts";

Deno.test("take() gives the newest session of a host, each once", () => {
  using cache = new SessionCache();
  cache.put("a", session(1));
  cache.put("a", session(2));
  assertEquals(cache.take("b", 0), undefined);
  assertEquals(cache.take("a", 0)?.ageAdd, 2);
  assertEquals(cache.take("a", 0)?.ageAdd, 1);
  assertEquals(cache.take("a", 0), undefined);
  assertEquals(cache.size, 0);
});

Deno.test("put() keeps two sessions a host and wipes the oldest", () => {
  using cache = new SessionCache();
  const oldest = session(1);
  for (const kept of [oldest, session(2), session(3)]) cache.put("a", kept);
  assertEquals(cache.size, 2);
  assertEquals(oldest.psk, new Uint8Array(32));
});

Deno.test("put() forgets and wipes the host unused for longest beyond maxHosts", () => {
  using cache = new SessionCache({ maxHosts: 2 });
  const first = session(1);
  cache.put("a", first);
  cache.put("b", session(2));
  cache.put("c", session(3));
  assertEquals(cache.take("a", 0), undefined);
  assertEquals(first.psk, new Uint8Array(32));
  assertEquals(cache.take("b", 0)?.ageAdd, 2);
  assertThrows(() => new SessionCache({ maxHosts: 0 }), RangeError);
});

Deno.test("take() wipes sessions past their lifetime or seven days, or from the future", () => {
  using cache = new SessionCache();
  const old = session(1, { lifetimeS: 10 });
  cache.put("a", old);
  assertEquals(cache.take("a", 10_000), undefined);
  assertEquals(old.psk, new Uint8Array(32));
  cache.put("a", session(2, { lifetimeS: 10 }));
  assertEquals(cache.take("a", 9_999)?.ageAdd, 2);
  cache.put("a", session(3, { lifetimeS: 10_000_000 }));
  assertEquals(cache.take("a", 604_800_000), undefined);
  cache.put("a", session(4, { receivedAtMs: 5_000 }));
  assertEquals(cache.take("a", 4_999), undefined);
});

Deno.test("take() wipes sessions whose first handshake is trusted no more", () => {
  using cache = new SessionCache();
  cache.put("a", session(1, { trustedUntilMs: 500 }));
  const over = session(2, { trustedUntilMs: 400 });
  cache.put("a", over);
  assertEquals(cache.take("a", 499)?.ageAdd, 1);
  assertEquals(over.psk, new Uint8Array(32));
});

Deno.test("take() counts as a use of the host", () => {
  using cache = new SessionCache({ maxHosts: 2 });
  cache.put("a", session(1));
  cache.put("a", session(2));
  cache.put("b", session(3));
  assertEquals(cache.take("a", 0)?.ageAdd, 2);
  cache.put("c", session(4));
  assertEquals(cache.take("b", 0), undefined);
  assertEquals(cache.take("a", 0)?.ageAdd, 1);
});

Deno.test("dispose wipes every session", () => {
  const kept = session(1);
  {
    using cache = new SessionCache();
    cache.put("a", kept);
  }
  assertEquals(kept.psk, new Uint8Array(32));
});

function session(ageAdd: number, changes: Partial<Session> = {}): Session {
  return {
    cipherSuite: 0x1301,
    psk: new Uint8Array(32).fill(1),
    ticket: new Uint8Array(100),
    ageAdd,
    lifetimeS: 7_200,
    receivedAtMs: 0,
    trustedUntilMs: Infinity,
    peerCertificates: [],
    ...changes,
  };
}
