import { assertEquals, assertRejects } from "@std/assert";
import { systemClock } from "../../src/core/async/mod.ts";
import { type Listener, TransportError } from "../../src/core/transport/mod.ts";
import { Decoy } from "../../src/htx/decoy.ts";
import { tlsOuter, type TlsOuterOptions } from "../../src/htx/tls_outer.ts";
import { listenTls } from "../../src/tls/listen.ts";
import { dialTls, pinnedVerifier, TlsError } from "../../src/tls/mod.ts";
import { serverCertificate } from "../../src/tls/server_certificate.ts";
import { profileOf } from "../../src/utls/mod.ts";
import { testCertificate } from "../tls/_certificates.ts";
import { readAll } from "./_prober.ts";
import { World } from "./_world.ts";

const profile = profileOf("latest");
const CERTIFICATE = testCertificate("p256");
const OPTIONS: TlsOuterOptions = {
  profile,
  verify: pinnedVerifier(CERTIFICATE.chain[0]!),
  serverName: "server.example",
};

Deno.test("a session runs over TLS, by HTTP/2, HTTP/1.1 and WebSocket", async () => {
  for (
    const [address, alpn] of [
      ["tls://server:443", ["h2", "http/1.1"]],
      ["tls://server:443", ["http/1.1"]],
      ["wss://server:443/", ["h2", "http/1.1"]],
    ] as const
  ) {
    await using world = await World.start({}, {}, undefined, tls(alpn));
    const { client, server } = await world.pair({
      address,
      outer: tlsOuter(OPTIONS),
    });
    const rtt = await Promise.all([client.ping(), server.ping()]);
    assertEquals(rtt.length, 2);
    await client.close();
  }
});

Deno.test("the inner keys are bound to the TLS connection", async () => {
  await using world = await World.start({}, {}, undefined, tls(["h2"]));
  const unbound: ReturnType<typeof tlsOuter> = async (...args) => {
    const { connection, leftover } = await tlsOuter(OPTIONS)(...args);
    return { connection, leftover };
  };
  const session = await world.dial({
    address: "tls://server:443",
    outer: unbound,
  });
  await assertRejects(() => session.ping());
  await session.close();
});

Deno.test("a server of another certificate learns no ticket", async () => {
  await using world = await World.start({}, {}, undefined, tls(["h2"]));
  const other = pinnedVerifier(testCertificate("p384").chain[0]!);
  await assertRejects(
    () =>
      world.dial({
        address: "tls://server:443",
        outer: tlsOuter({ ...OPTIONS, verify: other }),
      }),
    TlsError,
  );
  assertEquals(world.gate.counts.admitted, 0);
});

Deno.test("a visitor without a ticket gets an origin of the protocol agreed on", async () => {
  const asked: (string | undefined)[] = [];
  const decoy = new Decoy({
    dial({ alpn }) {
      asked.push(alpn);
      return Promise.reject(new TransportError("unreachable", "No origin"));
    },
    clock: systemClock,
  });
  for (const alpn of ["h2", "http/1.1"]) {
    await using world = await World.start(
      { decoy },
      {},
      undefined,
      tls([alpn]),
    );
    await using visitor = await dialTls(await world.connect(), {
      ...OPTIONS,
      serverName: "server.example",
    });
    await visitor.write(new Uint8Array(100));
    assertEquals(await readAll(visitor), new Uint8Array(0));
  }
  assertEquals(asked, ["h2", "http/1.1"]);
});

function tls(alpn: readonly string[]): (listener: Listener) => Listener {
  const { certPem: chainPem, keyPem } = CERTIFICATE;
  const certificates = [serverCertificate({ chainPem, keyPem })];
  return (listener) => listenTls(listener, { certificates, alpn });
}
