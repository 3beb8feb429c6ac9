import { assertEquals, assertThrows } from "@std/assert";
import { type Bytes, concat } from "../../src/core/bytes/mod.ts";
import { importSigningKey, nodeProvider } from "../../src/core/crypto/mod.ts";
import { encodeCertificate } from "../../src/tls/messages/certificate.ts";
import {
  encodeCertificateVerify,
  signedContent,
} from "../../src/tls/messages/certificate_verify.ts";
import { encodeEncryptedExtensions } from "../../src/tls/messages/encrypted_extensions.ts";
import {
  encodeHandshake,
  HANDSHAKE_TYPE,
  type HandshakeType,
} from "../../src/tls/messages/handshake_type.ts";
import { ALERT, type AlertName, TlsError } from "../../src/tls/mod.ts";
import type { TlsServer } from "../../src/tls/server.ts";
import { TicketKeys } from "../../src/tls/ticket_keys.ts";
import { encodeClientHello, EXTENSION, GROUP } from "../../src/utls/mod.ts";
import { testCertificate, type TestKey } from "./_certificates.ts";
import {
  clientHello,
  type HelloChanges,
  keyShares,
  preSharedKey,
  protocols,
  serverName,
  u16List,
} from "./_client_hello.ts";
import { ScriptedClient } from "./_scripted_client.ts";
import {
  certificateOf,
  connect,
  newClient,
  newServer,
  NOW,
  offersOf,
} from "./_tls_pair.ts";

const X = EXTENSION;
const none = new Uint8Array(0);
const keyUpdate = (request: number) =>
  message(HANDSHAKE_TYPE.keyUpdate, Uint8Array.of(request));
const finishedOf = (length: number) =>
  message(HANDSHAKE_TYPE.finished, new Uint8Array(length));

/** What a client does after the server's first flight, and the alert for it. */
const FLIGHTS: Record<string, [(client: ScriptedClient) => void, AlertName]> = {
  "a wrong Finished": [(c) => c.say(finishedOf(48)), "decryptError"],
  "a short Finished": [(c) => c.say(finishedOf(47)), "decodeError"],
  "a long Finished": [(c) => c.say(finishedOf(49)), "decodeError"],
  "a Certificate that nobody asked for": [
    (c) => c.say(certificateMessage([])),
    "unexpectedMessage",
  ],
  "application settings that nobody asked for": [
    (c) => c.say(encodeEncryptedExtensions([])),
    "unexpectedMessage",
  ],
  "EndOfEarlyData": [
    (c) => c.say(message(HANDSHAKE_TYPE.endOfEarlyData, none)),
    "unexpectedMessage",
  ],
  "a KeyUpdate before Finished": [
    (c) => c.say(keyUpdate(0)),
    "unexpectedMessage",
  ],
  "a second ClientHello": [
    (c) => c.say(encodeClientHello(clientHello())),
    "unexpectedMessage",
  ],
  "data before Finished": [
    (c) => c.sayRecord(23, Uint8Array.of(1)),
    "unexpectedMessage",
  ],
  "an empty handshake record": [
    (c) => c.sayRecord(22, none),
    "unexpectedMessage",
  ],
  "data within Finished": [
    (c) => {
      c.sayRecord(22, c.finished().subarray(0, 9));
      c.sayRecord(23, Uint8Array.of(1));
    },
    "unexpectedMessage",
  ],
  "a message that goes on over Finished": [
    (c) => c.finish(keyUpdate(0)),
    "unexpectedMessage",
  ],
  "a message too long for its type": [
    (c) => c.sayRecord(22, Uint8Array.of(20, 1, 0, 0)),
    "illegalParameter",
  ],
  "33 change_cipher_specs": [
    (c) => {
      for (let i = 0; i < 33; i++) c.sayRecord(20, Uint8Array.of(1));
    },
    "unexpectedMessage",
  ],
  "a change_cipher_spec of another value": [
    (c) => c.sayRecord(20, Uint8Array.of(0)),
    "unexpectedMessage",
  ],
  "a change_cipher_spec of two bytes": [
    (c) => c.sayRecord(20, Uint8Array.of(1, 1)),
    "unexpectedMessage",
  ],
  "a change_cipher_spec after Finished": [
    (c) => c.finish().sayRecord(20, Uint8Array.of(1)),
    "unexpectedMessage",
  ],
  "a ClientHello after Finished": [
    (c) => c.finish().say(encodeClientHello(clientHello())),
    "unexpectedMessage",
  ],
  "a NewSessionTicket": [
    (c) => c.finish().say(message(HANDSHAKE_TYPE.newSessionTicket, none)),
    "unexpectedMessage",
  ],
  "a Certificate after Finished": [
    (c) => c.finish().say(certificateMessage([])),
    "unexpectedMessage",
  ],
  "a KeyUpdate of an unknown value": [
    (c) => c.finish().say(keyUpdate(2)),
    "illegalParameter",
  ],
  "an empty KeyUpdate": [
    (c) => c.finish().say(message(HANDSHAKE_TYPE.keyUpdate, none)),
    "decodeError",
  ],
  "an alert of three bytes": [
    (c) => c.sayRecord(21, Uint8Array.of(1, 0, 0)),
    "decodeError",
  ],
  "five warnings": [
    (c) => {
      for (let i = 0; i < 5; i++) {
        c.sayRecord(21, Uint8Array.of(1, ALERT.userCanceled));
      }
    },
    "unexpectedMessage",
  ],
};

for (const [what, [act, alertName]] of Object.entries(FLIGHTS)) {
  Deno.test(`TlsServer answers ${what} with ${alertName}`, () => {
    const server = newServer();
    const client = new ScriptedClient(server);
    assertAlert(server, client, () => act(client), alertName);
  });
}

Deno.test("TlsServer takes 32 change_cipher_specs and four warnings on the way to Finished", () => {
  const server = newServer();
  const client = new ScriptedClient(server);
  for (let i = 0; i < 32; i++) client.sayRecord(20, Uint8Array.of(1));
  for (let i = 0; i < 4; i++) {
    client.sayRecord(21, Uint8Array.of(1, ALERT.userCanceled));
  }
  client.finish();
  assertEquals(server.agreement?.resumed, false);
});

Deno.test("TlsServer ends with an alert of the client, and sends none", () => {
  for (const level of [1, 2]) {
    const server = newServer();
    const client = new ScriptedClient(server);
    const bad = Uint8Array.of(level, ALERT.badCertificate);
    const error = assertThrows(() => client.sayRecord(21, bad), TlsError);
    assertEquals([error.code, error.alert], [
      "received_alert",
      "badCertificate",
    ]);
    assertEquals(server.hasOutput, false);
    assertThrows(() => client.finish(), TlsError);
  }
});

const SHARES: Record<string, HelloChanges> = {
  "of X25519 that is zero": shareOf(GROUP.x25519, new Uint8Array(32)),
  "of X25519 that is short": shareOf(GROUP.x25519, new Uint8Array(31)),
  "of X25519 that is long": shareOf(GROUP.x25519, new Uint8Array(33)),
  "of P-256 off the curve": shareOf(
    GROUP.p256,
    new Uint8Array(65).fill(1).fill(4, 0, 1),
  ),
  "of P-256 that is compressed": shareOf(
    GROUP.p256,
    new Uint8Array(33).fill(2),
  ),
  "of P-384 off the curve": shareOf(
    GROUP.p384,
    new Uint8Array(97).fill(1).fill(4, 0, 1),
  ),
  "of ML-KEM above its modulus": shareOf(
    GROUP.x25519MlKem768,
    new Uint8Array(1_216).fill(0xff),
  ),
  "of ML-KEM without X25519": shareOf(
    GROUP.x25519MlKem768,
    new Uint8Array(1_184),
  ),
};

for (const [what, changes] of Object.entries(SHARES)) {
  Deno.test(`TlsServer answers a share ${what} with illegalParameter`, () => {
    assertHelloAlert(newServer(), changes, "illegalParameter");
  });
}

Deno.test("TlsServer answers what it has nothing in common with by the alert for it", () => {
  assertHelloAlert(newServer(), { cipherSuites: [0xc02b] }, "handshakeFailure");
  assertHelloAlert(newServer({ alpn: ["h2"] }), {
    with: { [X.alpn]: protocols("h3") },
  }, "noApplicationProtocol");
  assertHelloAlert(newServer(), { legacyVersion: 0x0300 }, "protocolVersion");
});

Deno.test("TlsServer tells a client of TLS 1.0 or 1.1 of its version in that version, as OpenSSL does", () => {
  for (const [legacyVersion, minor] of [[0x0301, 1], [0x0302, 2]] as const) {
    const server = newServer();
    const hello = helloRecord({
      legacyVersion,
      with: { [X.supportedVersions]: undefined },
    });
    assertThrows(() => server.receive(hello), TlsError);
    const { protocolVersion } = ALERT;
    const record = Uint8Array.of(21, 3, minor, 0, 2, 2, protocolVersion);
    assertEquals(server.takeOutput(), record);
  }
});

Deno.test("TlsServer refuses names that are too long, or have a NUL, by unrecognizedName", () => {
  for (const name of ["a".repeat(256), "a\0b"]) {
    const changes = { with: { [X.serverName]: serverName(name) } };
    assertHelloAlert(newServer(), changes, "unrecognizedName");
  }
});

Deno.test("TlsServer answers whatever comes before a hello with unexpectedMessage", () => {
  for (const record of ["140303000101", "170303000101", "160303000414000000"]) {
    const server = newServer();
    assertThrows(() => server.receive(Uint8Array.fromHex(record)), TlsError);
    assertEquals(server.takeOutput().toHex(), "1503030002020a");
  }
});

Deno.test("TlsServer answers a damaged binder with decryptError", () => {
  using tickets = new TicketKeys(nodeProvider);
  const client = newClient();
  connect(client, newServer({ tickets }));
  const [session] = client.takeSessions(NOW);
  const server = newServer({ tickets });
  const hello = newClient(offersOf(), session).takeOutput();
  hello[hello.length - 1]! ^= 1;
  const error = assertThrows(() => server.receive(hello), TlsError);
  assertEquals(error.alert, "decryptError");
});

Deno.test("TlsServer passes over binders of tickets that it does not take", () => {
  using tickets = new TicketKeys(nodeProvider);
  const server = newServer({ tickets });
  server.receive(helloRecord({
    with: { [X.pskKeyExchangeModes]: Uint8Array.of(1, 1) },
    last: [{
      type: X.preSharedKey,
      data: preSharedKey([new Uint8Array(192)], [48]),
    }],
  }));
  assertEquals(server.hasOutput, true);
});

Deno.test("TlsServer answers a second hello that changed with illegalParameter, a third with unexpectedMessage", () => {
  const options = { preferences: { groups: [GROUP.p256] } };
  const changed = newServer(options);
  const extensions = { [X.supportedGroups]: u16List(GROUP.x25519, GROUP.p256) };
  changed.receive(helloRecord({ with: extensions }));
  assertEquals(changed.takeOutput()[0], 22);
  assertHelloAlert(changed, { with: extensions }, "illegalParameter");

  const { publicKey } = nodeProvider.p256.generateKeyPair();
  const share = { [X.keyShare]: keyShares([GROUP.p256, publicKey]) };
  const again = newServer(options);
  again.receive(helloRecord({ with: extensions }));
  again.receive(helloRecord({ with: { ...extensions, ...share } }));
  const third = helloRecord({ with: { ...extensions, ...share } });
  const error = assertThrows(() => again.receive(third), TlsError);
  assertEquals(error.alert, "unexpectedMessage");
});

Deno.test("TlsServer skips early data to its limit, with and without a retry", () => {
  const early = (length: number) => {
    const record = new Uint8Array(5 + length).fill(7);
    record.set([23, 3, 3, length >> 8, length & 0xff]);
    return record;
  };
  for (const groups of [[GROUP.x25519], [GROUP.p256]] as const) {
    const server = newServer({ preferences: { groups } });
    server.receive(helloRecord({
      with: {
        [X.supportedGroups]: u16List(GROUP.x25519, GROUP.p256),
        [X.earlyData]: none,
      },
    }));
    for (let i = 0; i < 4; i++) server.receive(early(16_640 - (i ? 0 : 256)));
    const alertName = groups[0] === GROUP.p256
      ? "unexpectedMessage"
      : "badRecordMac";
    const error = assertThrows(() => server.receive(early(300)), TlsError);
    assertEquals(error.alert, alertName);
  }
});

/** What a client answers to a CertificateRequest, and the alert for it. */
const PROOFS: Record<string, [(client: ScriptedClient) => void, AlertName]> = {
  "no certificate": [
    (c) => c.say(certificateMessage([])),
    "certificateRequired",
  ],
  "Finished at once": [(c) => c.finish(), "unexpectedMessage"],
  "a context": [
    (c) => c.say(encodeCertificate({ context: Uint8Array.of(1), entries: [] })),
    "illegalParameter",
  ],
  "an extension": [
    (c) =>
      c.say(encodeCertificate({
        context: none,
        entries: [{ der: chain[0]!, extensions: [{ type: 5, data: none }] }],
      })),
    "unsupportedExtension",
  ],
  "a chain that is not proved": [
    (c) => c.say(certificateMessage(chain)).finish(),
    "unexpectedMessage",
  ],
  "a signature of another key": [
    (c) => prove(c, chain, "p384", 0x0503),
    "decryptError",
  ],
  "a signature under another scheme than the key's": [
    (c) => prove(c, chain, "p256", 0x0403, 0x0804),
    "decryptError",
  ],
  "a scheme that was not asked for": [
    (c) => prove(c, chain, "p256", 0x0403, 0x0401),
    "illegalParameter",
  ],
  "a certificate that is none": [
    (c) => prove(c, [Uint8Array.of(1, 2, 3)], "p256", 0x0403),
    "badCertificate",
  ],
  "an empty signature": [
    (c) =>
      c.say(certificateMessage(chain)).say(
        encodeCertificateVerify({ scheme: 0x0403, signature: none }),
      ),
    "decryptError",
  ],
};
const { chain } = certificateOf("p256");

for (const [what, [act, alertName]] of Object.entries(PROOFS)) {
  Deno.test(`TlsServer that requires a certificate answers ${what} with ${alertName}`, () => {
    const server = newServer({ clientCertificates: "require" });
    const client = new ScriptedClient(server);
    assertAlert(server, client, () => act(client), alertName);
  });
}

for (
  const key of ["p256", "p384", "p521", "rsa", "rsaPss", "ed25519"] as const
) {
  Deno.test(`TlsServer judges a client's certificate with a key of ${key} before it goes on`, () => {
    const server = newServer({ clientCertificates: "require" });
    const client = new ScriptedClient(server);
    const { chain, key: { schemes } } = certificateOf(key);
    prove(client, chain, key, schemes[0]!);
    assertEquals(server.certificatesToJudge, chain);
    assertEquals(server.agreement, undefined);
    server.accept();
    client.finish();
    assertEquals(server.agreement?.peerCertificates, chain);
  });
}

Deno.test("TlsServer tells a client that is not trusted why", () => {
  const server = newServer({ clientCertificates: "request" });
  const client = new ScriptedClient(server);
  prove(client, chain, "p256", 0x0403);
  server.reject(new TlsError("sent_alert", "unknownCa", "Not ours"));
  const error = assertThrows(
    () => client.receive(server.takeOutput()),
    TlsError,
  );
  assertEquals(error.alert, "unknownCa");
});

const settingsOffers = () =>
  offersOf({
    with: {
      [X.alpn]: protocols("h2"),
      [X.applicationSettings]: protocols("h2"),
    },
  });
const settings = { type: X.applicationSettings, data: none };
const SETTINGS: Record<string, [(client: ScriptedClient) => void, AlertName]> =
  {
    "Finished at once": [(c) => c.finish(), "unexpectedMessage"],
    "no settings": [
      (c) => c.say(encodeEncryptedExtensions([])),
      "missingExtension",
    ],
    "settings in the other extension": [
      (c) =>
        c.say(encodeEncryptedExtensions([
          { ...settings, type: X.applicationSettingsOld },
        ])),
      "missingExtension",
    ],
    "something beside settings": [
      (c) =>
        c.say(encodeEncryptedExtensions([settings, { type: 5, data: none }])),
      "unsupportedExtension",
    ],
    "settings twice": [
      (c) => c.say(encodeEncryptedExtensions([settings, settings])),
      "illegalParameter",
    ],
  };

for (const [what, [act, alertName]] of Object.entries(SETTINGS)) {
  Deno.test(`TlsServer that sent application settings answers ${what} with ${alertName}`, () => {
    const applicationSettings = { h2: none };
    const server = newServer({ alpn: ["h2"], applicationSettings });
    const client = new ScriptedClient(server, settingsOffers());
    assertAlert(server, client, () => act(client), alertName);
  });
}

function shareOf(group: number, keyExchange: Uint8Array): HelloChanges {
  return {
    with: {
      [X.supportedGroups]: u16List(group),
      [X.keyShare]: keyShares([group, keyExchange]),
    },
  };
}

function message(type: HandshakeType, body: Uint8Array): Bytes {
  return encodeHandshake(type, body);
}

function certificateMessage(chain: readonly Uint8Array[]): Bytes {
  const entries = chain.map((der) => ({ der, extensions: [] }));
  return encodeCertificate({ context: none, entries });
}

/** Sends `chain` and a CertificateVerify of the test key `key`, made under `scheme` and said to be of `named`. */
function prove(
  client: ScriptedClient,
  chain: readonly Uint8Array[],
  key: TestKey,
  scheme: number,
  named = scheme,
): void {
  client.say(certificateMessage(chain));
  using signer = importSigningKey(testCertificate(key).pkcs8);
  const signature = signer.sign(
    signer.schemes.find((s) => s === scheme)!,
    signedContent("client", client.transcriptHash),
  );
  client.say(encodeCertificateVerify({ scheme: named, signature }));
}

function helloRecord(changes: HelloChanges): Bytes {
  const hello = encodeClientHello(clientHello(changes));
  return concat(
    Uint8Array.of(22, 3, 1, hello.length >> 8, hello.length),
    hello,
  );
}

/** Fails unless the hello gets the alert in the clear, in a record of version 0x0303. */
function assertHelloAlert(
  server: TlsServer,
  changes: HelloChanges,
  alertName: AlertName,
): void {
  const hello = helloRecord(changes);
  const error = assertThrows(() => server.receive(hello), TlsError);
  assertEquals([error.code, error.alert], ["sent_alert", alertName]);
  const record = Uint8Array.of(21, 3, 3, 0, 2, 2, ALERT[alertName]);
  assertEquals(server.takeOutput(), record);
}

/** Fails unless the server answers what `act` does with an alert that the client can open. */
function assertAlert(
  server: TlsServer,
  client: ScriptedClient,
  act: () => void,
  alertName: AlertName,
): void {
  const error = assertThrows(act, TlsError);
  assertEquals([error.code, error.alert], ["sent_alert", alertName]);
  const told = assertThrows(
    () => client.receive(server.takeOutput()),
    TlsError,
  );
  assertEquals([told.code, told.alert], ["received_alert", alertName]);
}
