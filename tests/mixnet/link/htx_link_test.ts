import { assertEquals } from "@std/assert";
import type { Connection, Listener } from "../../../src/core/transport/mod.ts";
import { tlsOuter } from "../../../src/htx/tls_outer.ts";
import { listenTls } from "../../../src/tls/listen.ts";
import { pinnedVerifier } from "../../../src/tls/mod.ts";
import { serverCertificate } from "../../../src/tls/server_certificate.ts";
import { profileOf } from "../../../src/utls/mod.ts";
import { World } from "../../htx/_world.ts";
import { testCertificate } from "../../tls/_certificates.ts";
import { linkPair, packetFrame, take } from "./_link_pair.ts";

const CERTIFICATE = testCertificate("p256");
const TLS_OPTIONS = {
  address: "tls://server:443",
  outer: tlsOuter({
    profile: profileOf("latest"),
    verify: pinnedVerifier(CERTIFICATE.chain[0]!),
    serverName: "server.example",
  }),
};

function tls(listener: Listener): Listener {
  const { certPem: chainPem, keyPem } = CERTIFICATE;
  const certificates = [serverCertificate({ chainPem, keyPem })];
  return listenTls(listener, { certificates, alpn: ["h2", "http/1.1"] });
}

for (const carrier of ["tcp", "tls"] as const) {
  Deno.test(`a link runs over a stream of an HTX session over ${carrier}`, async () => {
    await using world = carrier === "tls"
      ? await World.start({}, {}, undefined, tls)
      : await World.start();
    const { client, server } = await world.pair(
      carrier === "tls" ? TLS_OPTIONS : {},
    );
    const [ours, theirs] = await Promise.all([
      client.open(),
      server.accept(),
    ]);
    const pair: [Connection, Connection] = [ours, theirs!];
    const [dialed, accepted] = await linkPair(pair);
    const frames = Array.from({ length: 200 }, (_, n) => packetFrame(n));
    const [, there, , back] = await Promise.all([
      dialed.send(frames),
      take(accepted.frames(), frames.length),
      accepted.send(frames),
      take(dialed.frames(), frames.length),
    ]);
    assertEquals(there, frames);
    assertEquals(back, frames);
    dialed.close();
    accepted.close();
    await client.close();
  });
}
