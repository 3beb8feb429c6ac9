import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { utf8 } from "../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import { profileOffers } from "../../src/tls/offer_maker.ts";
import { SERVER_GROUPS } from "../../src/tls/server_key_share.ts";
import { CIPHER_SUITE } from "../../src/tls/suite.ts";
import { TicketKeys } from "../../src/tls/ticket_keys.ts";
import { EXTENSION, GROUP, type Group, profileOf } from "../../src/utls/mod.ts";
import type { TestKey } from "./_certificates.ts";
import { protocols, serverName, u16List } from "./_client_hello.ts";
import {
  certificateOf,
  connect,
  newClient,
  newServer,
  NOW,
  offersOf,
  recordsOf,
} from "./_tls_pair.ts";

const KEYS: readonly TestKey[] = [
  "p256",
  "p384",
  "p521",
  "rsa",
  "rsaPss",
  "ed25519",
];
const ALL_SCHEMES = u16List(
  ...KEYS.flatMap((key) => certificateOf(key).key.schemes),
);
const X = EXTENSION;

for (const [name, suite] of Object.entries(CIPHER_SUITE)) {
  for (const group of SERVER_GROUPS) {
    for (const isRetried of [false, true]) {
      const how = isRetried ? "after a retry" : "at once";
      Deno.test(`TlsServer shakes hands with ${name} over group ${group} ${how}`, () => {
        const other = group === GROUP.x25519 ? GROUP.p256 : GROUP.x25519;
        const offers = offersOf({
          cipherSuites: [suite],
          shared: isRetried ? [other] : [group],
          groups: [other, group],
        });
        const server = newServer({ preferences: { groups: [group] } });
        const client = newClient(offers);
        const { up, down } = connect(client, server);
        assertEquals([up.length, down.length], isRetried ? [3, 2] : [2, 1]);
        assertEquals(server.agreement?.cipherSuite, suite);
        assertEquals(server.agreement?.group, group);
        assertEquals(client.agreement?.group, group);
        assertTalking(client, server);
      });
    }
  }
}

for (const key of KEYS) {
  Deno.test(`TlsServer proves to be who a certificate with a key of ${key} is for`, () => {
    const server = newServer({ certificates: [certificateOf(key)] });
    const client = newClient(
      offersOf({ with: { [X.signatureAlgorithms]: ALL_SCHEMES } }),
    );
    connect(client, server);
    assertEquals(client.agreement?.peerCertificates, certificateOf(key).chain);
    assertTalking(client, server);
  });
}

Deno.test("TlsServer shakes hands with Chrome's hello in both directions of use", () => {
  for (const variant of ["page", "websocket"] as const) {
    const server = newServer({ alpn: ["h2", "http/1.1"] });
    const client = newClient(
      profileOffers(profileOf("latest"), {
        crypto,
        serverName: "localhost",
        variant,
      }),
    );
    connect(client, server);
    const alpn = variant === "page" ? "h2" : "http/1.1";
    assertEquals(server.agreement?.alpn, alpn);
    assertEquals(server.agreement?.group, GROUP.x25519MlKem768);
    assertTalking(client, server);
  }
});

Deno.test("TlsServer answers as nginx with OpenSSL does: a record for each message, two tickets in one write", () => {
  using tickets = new TicketKeys(crypto);
  const server = newServer({ tickets, certificates: [certificateOf("p256")] });
  const { up, down } = connect(newClient(), server);
  const types = recordsOf(down[0]!).map(([type]) => type);
  assertEquals(types, [22, 20, 23, 23, 23, 23]);
  const ticketLength = 25 + 240 + 17; // of SHA-384
  assertEquals(recordsOf(down[1]!), [[23, ticketLength], [23, ticketLength]]);
  assertEquals(up.length, 2);
});

Deno.test("TlsServer sends change_cipher_spec once, also without a session id, as OpenSSL does", () => {
  const withoutId = offersOf({ sessionId: new Uint8Array(0) });
  const plain = connect(newClient(withoutId), newServer());
  assertEquals(types(plain.down[0]!), [22, 20, 23, 23, 23, 23]);
  const offers = offersOf({
    shared: [GROUP.x25519],
    groups: [GROUP.x25519, GROUP.p256],
  });
  const retried = connect(
    newClient(offers),
    newServer({ preferences: { groups: [GROUP.p256] } }),
  );
  assertEquals(types(retried.down[0]!), [22, 20]);
  assertEquals(types(retried.down[1]!), [22, 23, 23, 23, 23]);
});

for (const sendsCookie of [false, true]) {
  Deno.test(`TlsServer retries ${sendsCookie ? "with" : "without"} a cookie`, () => {
    const offers = offersOf({
      shared: [GROUP.x25519],
      groups: [GROUP.x25519, GROUP.p384],
    });
    const server = newServer({
      sendsCookie,
      preferences: { groups: [GROUP.p384] },
    });
    const { down } = connect(newClient(offers), server);
    assertEquals(hasExtension(down[0]!, X.cookie), sendsCookie);
    assertEquals(server.agreement?.group, GROUP.p384);
  });
}

for (const isRetried of [false, true]) {
  Deno.test(`TlsServer resumes a session ${isRetried ? "after a retry" : "at once"}, and gives one new ticket`, () => {
    using tickets = new TicketKeys(crypto);
    const groups: Group[] = [GROUP.x25519, GROUP.p256];
    const offers = () => offersOf({ shared: [GROUP.x25519], groups });
    const preferences = { groups: [isRetried ? GROUP.p256 : GROUP.x25519] };
    const first = newClient(offers());
    connect(first, newServer({ tickets, preferences }));
    const sessions = first.takeSessions(NOW);
    assertEquals(sessions.length, 2);

    const client = newClient(offers(), sessions[0]);
    const server = newServer({ tickets, preferences });
    connect(client, server);
    assertEquals([client.agreement?.resumed, server.agreement?.resumed], [
      true,
      true,
    ]);
    assertEquals(client.takeSessions(NOW).length, 1);
    assertTalking(client, server);
  });
}

Deno.test("TlsServer falls back to a full handshake where a ticket is too old, foreign, or of another host", () => {
  using tickets = new TicketKeys(crypto);
  using foreign = new TicketKeys(crypto);
  const resumedWith = (keys: TicketKeys, ageMs: number, host: string) => {
    const first = newClient();
    connect(first, newServer({ tickets }));
    const [session] = first.takeSessions(NOW);
    const offers = offersOf({ with: { [X.serverName]: serverName(host) } });
    const server = newServer({ tickets: keys, wallTime: () => NOW + ageMs });
    connect(newClient(offers, session, NOW + ageMs), server);
    return server.agreement?.resumed;
  };
  assertEquals(resumedWith(tickets, 7_199_999, "localhost"), true);
  assertEquals(resumedWith(tickets, 7_200_000, "localhost"), false);
  assertEquals(resumedWith(foreign, 0, "localhost"), false);
  assertEquals(resumedWith(tickets, 0, "server.example"), false);
});

Deno.test("TlsServer sends as many tickets as asked, each another one", () => {
  using tickets = new TicketKeys(crypto);
  const client = newClient();
  connect(client, newServer({ tickets, ticketCount: 3 }));
  const sessions = client.takeSessions(NOW);
  const keys = new Set(sessions.map(({ psk }) => psk.toHex()));
  assertEquals(keys.size, 3);
  const none = newClient();
  connect(none, newServer({ tickets, ticketCount: 0 }));
  assertEquals(none.takeSessions(NOW), []);
});

Deno.test("TlsServer sends no tickets to a client that cannot use them", () => {
  using tickets = new TicketKeys(crypto);
  const client = newClient(
    offersOf({ with: { [X.pskKeyExchangeModes]: undefined } }),
  );
  connect(client, newServer({ tickets }));
  assertEquals(client.takeSessions(NOW), []);
});

Deno.test("TlsServer compresses its certificate for clients that can read it", () => {
  const brotli = { [X.compressCertificate]: Uint8Array.of(2, 0, 2) };
  const zlib = { [X.compressCertificate]: Uint8Array.of(2, 0, 1) };
  const length = (extensions: Record<number, Uint8Array>, isOff = false) => {
    const client = newClient(offersOf({ with: extensions }));
    const { down } = connect(
      client,
      newServer({
        certificates: [certificateOf("rsa")],
        ...(isOff && { compressesCertificates: false }),
      }),
    );
    assertEquals(
      client.agreement?.peerCertificates,
      certificateOf("rsa").chain,
    );
    return recordsOf(down[0]!)[3]![1];
  };
  const whole = length(zlib);
  assertEquals(length({}), whole);
  assertEquals(length(brotli, true), whole);
  assert(length(brotli) < whole);
});

for (const type of [X.applicationSettings, X.applicationSettingsOld]) {
  Deno.test(`TlsServer exchanges application settings in extension ${type}`, () => {
    const offers = offersOf({
      with: {
        [X.alpn]: protocols("h2", "http/1.1"),
        [type]: protocols("h2"),
      },
    });
    const applicationSettings = { h2: utf8("settings") };
    const server = newServer({ alpn: ["h2"], applicationSettings });
    const client = newClient(offers);
    connect(client, server);
    assertEquals(server.clientApplicationSettings, new Uint8Array(0));
    assertTalking(client, server);

    const other = newServer({ alpn: ["http/1.1"], applicationSettings });
    connect(newClient(offers), other);
    assertEquals(other.clientApplicationSettings, undefined);
  });
}

Deno.test("TlsServer keeps its records to the client's record_size_limit", () => {
  const client = newClient(offersOf({ with: { 28: Uint8Array.of(1, 0) } }));
  const server = newServer({ certificates: [certificateOf("rsa")] });
  const { down } = connect(client, server);
  const lengths = recordsOf(down[0]!).slice(2).map(([, length]) => length);
  assert(lengths.length > 6);
  assert(lengths.every((length) => length <= 256 + 16));
  server.send(new Uint8Array(1_000));
  assertEquals(recordsOf(server.takeOutput()), [
    [23, 272],
    [23, 272],
    [23, 272],
    [23, 252],
  ]);
});

Deno.test("TlsServer skips the early data of a client and shakes hands without it", () => {
  const offers = offersOf({ with: { [X.earlyData]: new Uint8Array(0) } });
  const client = newClient(offers);
  const server = newServer();
  server.receive(client.takeOutput());
  for (let i = 0; i < 4; i++) server.receive(earlyData(16_384));
  client.receive(server.takeOutput());
  client.accept();
  server.receive(client.takeOutput());
  assertEquals(server.agreement?.resumed, false);
  assertTalking(client, server);
});

Deno.test("TlsServer exports the same keying material as its client", () => {
  const client = newClient();
  const server = newServer();
  connect(client, server);
  const material = server.exportKeyingMaterial("EXPORTER-test", 40);
  assertEquals(material, client.exportKeyingMaterial("EXPORTER-test", 40));
  assertNotEquals(material, server.exportKeyingMaterial("EXPORTER-tests", 40));
});

Deno.test("TlsServer follows key updates of the client and asks for them", () => {
  const client = newClient();
  const server = newServer();
  connect(client, server);
  for (const isRequested of [true, false]) {
    client.updateKeys(isRequested);
    assertTalking(client, server);
    server.updateKeys(isRequested);
    assertTalking(client, server);
  }
});

Deno.test("TlsServer ends with close_notify and sees that of the client", () => {
  const client = newClient();
  const server = newServer();
  connect(client, server);
  server.closeNotify();
  client.closeNotify();
  client.receive(server.takeOutput());
  server.receive(client.takeOutput());
  assert(client.isPeerClosed && server.isPeerClosed);
});

Deno.test("TlsServer takes a client without a certificate where it only requests one", () => {
  using tickets = new TicketKeys(crypto);
  const server = newServer({ tickets, clientCertificates: "request" });
  const client = newClient();
  connect(client, server);
  assertEquals(server.agreement?.peerCertificates, []);
  assertEquals(client.takeSessions(NOW), []); // a ticket would not say who the client is
  assertTalking(client, server);
});

function assertTalking(
  client: ReturnType<typeof newClient>,
  server: ReturnType<typeof newServer>,
): void {
  client.send(utf8("question"));
  server.receive(client.takeOutput());
  assertEquals(server.takeData(), [utf8("question")]);
  server.send(utf8("answer"));
  client.receive(server.takeOutput());
  assertEquals(client.takeData(), [utf8("answer")]);
}

function types(bytes: Uint8Array): number[] {
  return recordsOf(bytes).map(([type]) => type);
}

/** Whether the first record, a HelloRetryRequest, has an extension of `type`. */
function hasExtension(bytes: Uint8Array, type: number): boolean {
  const hex = bytes.subarray(5, 5 + recordsOf(bytes)[0]![1]).toHex();
  return hex.includes(type.toString(16).padStart(4, "0") + "00220020");
}

function earlyData(length: number): Uint8Array {
  const record = crypto.random(5 + length);
  record.set([23, 3, 3, length >> 8, length & 0xff]);
  return record;
}
