import { type Bytes, concat } from "../../src/core/bytes/mod.ts";
import type { AlertName } from "../../src/tls/alert.ts";
import { encodeCertificate } from "../../src/tls/messages/certificate.ts";
import { encodeCertificateRequest } from "../../src/tls/messages/certificate_request.ts";
import { encodeKeyShareEntry } from "../../src/tls/messages/key_share_entry.ts";
import { encodeProtocolNames } from "../../src/tls/messages/protocol_name_list.ts";
import { RECORD_SIZE_LIMIT } from "../../src/tls/record_size_limit.ts";
import { EXTENSION, GROUP, type ServerHello } from "../../src/utls/mod.ts";
import { assertAlert } from "./_assert_alert.ts";
import { asks } from "./_certificate_request.ts";
import { chromeClient } from "./_chrome_client.ts";
import { type Script, ScriptedServer } from "./_scripted_server.ts";

const X = EXTENSION;
const NONE = new Uint8Array(0);
const GREASE = 0x2a2a;

/** Faults of the ServerHello and the flight behind it, and the alert for each. */
const FLIGHTS: Readonly<Record<string, readonly [AlertName, Script]>> = {
  "TLS 1.2": [
    "protocolVersion",
    { hello: without(EXTENSION.supportedVersions) },
  ],
  "TLS 1.2 with the sentinel of a downgrade": ["illegalParameter", {
    hello: (hello) => ({
      ...without(EXTENSION.supportedVersions)(hello),
      random: concat(
        new Uint8Array(24),
        Uint8Array.fromHex("444f574e47524401"),
      ),
    }),
  }],
  "a version that was not offered": ["illegalParameter", {
    hello: withData(EXTENSION.supportedVersions, Uint8Array.of(3, 5)),
  }],
  "TLS 1.2 in supported_versions": ["illegalParameter", {
    hello: withData(EXTENSION.supportedVersions, Uint8Array.of(3, 3)),
  }],
  "another legacy_version": ["illegalParameter", {
    hello: (hello) => ({ ...hello, legacyVersion: 0x0304 }),
  }],
  "another session id": ["illegalParameter", {
    hello: (hello) => ({ ...hello, sessionId: new Uint8Array(32) }),
  }],
  "no session id": ["illegalParameter", {
    hello: (hello) => ({ ...hello, sessionId: NONE }),
  }],
  "a session id that is too long": ["decodeError", {
    hello: (hello) => ({ ...hello, sessionId: new Uint8Array(33) }),
  }],
  "compression": ["illegalParameter", {
    hello: (hello) => ({ ...hello, compressionMethod: 1 }),
  }],
  "a suite of TLS 1.2": ["illegalParameter", {
    hello: (hello) => ({ ...hello, cipherSuite: 0xc02b }),
  }],
  "a suite that was not offered": ["illegalParameter", {
    hello: (hello) => ({ ...hello, cipherSuite: 0x1304 }),
  }],
  "no key share": ["missingExtension", { hello: without(EXTENSION.keyShare) }],
  "a share of a group without ours": [
    "illegalParameter",
    { group: GROUP.p256 },
  ],
  "an X25519 share of 31 bytes": ["illegalParameter", {
    hello: withData(
      EXTENSION.keyShare,
      encodeKeyShareEntry({
        group: GROUP.x25519,
        keyExchange: new Uint8Array(31),
      }),
    ),
  }],
  "an X25519 share of small order": ["illegalParameter", {
    hello: withData(
      EXTENSION.keyShare,
      encodeKeyShareEntry({
        group: GROUP.x25519,
        keyExchange: new Uint8Array(32),
      }),
    ),
  }],
  "an empty share": ["decodeError", {
    hello: withData(EXTENSION.keyShare, Uint8Array.of(0, 0x1d, 0, 0)),
  }],
  "an extension twice in ServerHello": ["illegalParameter", {
    hello: withAlso(EXTENSION.supportedVersions, Uint8Array.of(3, 4)),
  }],
  "an extension that was not offered in ServerHello": ["unsupportedExtension", {
    hello: withAlso(0xeeee, NONE),
  }],
  "ALPN in ServerHello": ["illegalParameter", {
    hello: withAlso(EXTENSION.alpn, encodeProtocolNames(["h2"])),
  }],
  "a cookie in ServerHello": ["unsupportedExtension", {
    hello: withAlso(EXTENSION.cookie, Uint8Array.of(0, 1, 1)),
  }],
  "a pre-shared key that was not offered": ["unsupportedExtension", {
    hello: withAlso(EXTENSION.preSharedKey, Uint8Array.of(0, 0)),
  }],
  "an extension that was not offered": ["unsupportedExtension", {
    encryptedExtensions: [{ type: 0xeeee, data: NONE }],
  }],
  "early data accepted": ["unsupportedExtension", {
    encryptedExtensions: [{ type: EXTENSION.earlyData, data: NONE }],
  }],
  "a key share in EncryptedExtensions": ["illegalParameter", {
    encryptedExtensions: [{ type: EXTENSION.keyShare, data: NONE }],
  }],
  "an extension twice": ["illegalParameter", {
    encryptedExtensions: [
      { type: EXTENSION.serverName, data: NONE },
      { type: EXTENSION.serverName, data: NONE },
    ],
  }],
  "a server name": ["decodeError", {
    encryptedExtensions: [{
      type: EXTENSION.serverName,
      data: Uint8Array.of(1),
    }],
  }],
  "a protocol that was not offered": ["illegalParameter", {
    encryptedExtensions: [alpn("h3")],
  }],
  "two protocols": ["decodeError", {
    encryptedExtensions: [alpn("h2", "http/1.1")],
  }],
  "application settings without ALPN": ["illegalParameter", {
    encryptedExtensions: [{ type: EXTENSION.applicationSettings, data: NONE }],
  }],
  "application settings for http/1.1": ["illegalParameter", {
    encryptedExtensions: [
      alpn("http/1.1"),
      { type: EXTENSION.applicationSettings, data: NONE },
    ],
  }],
  "application settings of the old number": ["unsupportedExtension", {
    encryptedExtensions: [
      alpn("h2"),
      { type: EXTENSION.applicationSettingsOld, data: NONE },
    ],
  }],
  "an empty ECHConfigList": ["decodeError", {
    encryptedExtensions: [
      { type: EXTENSION.encryptedClientHello, data: Uint8Array.of(0, 0) },
    ],
  }],
  "no EncryptedExtensions": ["unexpectedMessage", {
    edit: leavingOut("encryptedExtensions"),
  }],
  "a CertificateRequest with a context": ["illegalParameter", {
    certificateRequest: encodeCertificateRequest({
      context: Uint8Array.of(1),
      extensions: [],
    }),
  }],
  "a CertificateRequest without signature schemes": ["missingExtension", {
    certificateRequest: encodeCertificateRequest({
      context: NONE,
      extensions: [],
    }),
  }],
  "an empty list of signature schemes": [
    "decodeError",
    asks({ [X.signatureAlgorithms]: Uint8Array.of(0, 0) }),
  ],
  "signature schemes without a length": [
    "decodeError",
    asks({ [X.signatureAlgorithms]: NONE }),
  ],
  "signature schemes of 3 bytes": [
    "decodeError",
    asks({ [X.signatureAlgorithms]: Uint8Array.of(0, 3, 4, 3, 8) }),
  ],
  "a byte behind the signature schemes": [
    "decodeError",
    asks({ [X.signatureAlgorithms]: Uint8Array.of(0, 2, 4, 3, 8) }),
  ],
  ...Object.fromEntries(
    ([
      ["an empty list of schemes for certificates", {
        [X.signatureAlgorithmsCert]: Uint8Array.of(0, 0),
      }],
      ["a wish for a status with data", {
        [X.statusRequest]: Uint8Array.of(1),
      }],
      ["a wish for timestamps with data", {
        [X.signedCertificateTimestamp]: Uint8Array.of(1),
      }],
      ["an odd list of compressions", {
        [X.compressCertificate]: Uint8Array.of(1, 2),
      }],
      ["no authority", { [X.certificateAuthorities]: Uint8Array.of(0, 0) }],
      ["an authority without name", {
        [X.certificateAuthorities]: Uint8Array.of(0, 2, 0, 0),
      }],
    ] as const).map(([what, data]) => [what, ["decodeError", asks(data)]]),
  ),
  ...Object.fromEntries(
    ([
      "keyShare",
      "preSharedKey",
      "supportedVersions",
      "alpn",
      "cookie",
      "serverName",
      "earlyData",
      "pskKeyExchangeModes",
      "supportedGroups",
    ] as const).map((name) => [
      `${name} in a CertificateRequest`,
      ["illegalParameter", asks({ [X[name]]: NONE })],
    ]),
  ),
  "record_size_limit in a CertificateRequest": [
    "illegalParameter",
    asks({ [RECORD_SIZE_LIMIT]: Uint8Array.of(1, 0) }),
  ],
  "supported groups without a length": ["decodeError", {
    encryptedExtensions: [{ type: X.supportedGroups, data: NONE }],
  }],
  "supported groups of 3 bytes": ["decodeError", {
    encryptedExtensions: [
      { type: X.supportedGroups, data: Uint8Array.of(0, 3, 0, 0x1d, 0) },
    ],
  }],
  "an empty OCSP response": ["decodeError", {
    certificateExtensions: [
      { type: X.statusRequest, data: Uint8Array.of(1, 0, 0, 0) },
    ],
  }],
  "a status of another type than OCSP": ["decodeError", {
    certificateExtensions: [
      { type: X.statusRequest, data: Uint8Array.of(2, 0, 0, 1, 9) },
    ],
  }],
  "a byte behind an OCSP response": ["decodeError", {
    certificateExtensions: [
      { type: X.statusRequest, data: Uint8Array.of(1, 0, 0, 1, 9, 9) },
    ],
  }],
  "an empty list of timestamps": ["decodeError", {
    certificateExtensions: [
      { type: X.signedCertificateTimestamp, data: Uint8Array.of(0, 0) },
    ],
  }],
  "an empty timestamp": ["decodeError", {
    certificateExtensions: [
      { type: X.signedCertificateTimestamp, data: Uint8Array.of(0, 2, 0, 0) },
    ],
  }],
  "no Certificate": ["unexpectedMessage", { edit: leavingOut("certificate") }],
  "an empty Certificate": ["decodeError", {
    edit: replacing(
      "certificate",
      encodeCertificate({ context: NONE, entries: [] }),
    ),
  }],
  "a Certificate with a context": ["illegalParameter", {
    edit: replacing(
      "certificate",
      encodeCertificate({
        context: Uint8Array.of(1),
        entries: [{ der: Uint8Array.of(1), extensions: [] }],
      }),
    ),
  }],
  "a certificate that is none": ["badCertificate", {
    edit: replacing(
      "certificate",
      encodeCertificate({
        context: NONE,
        entries: [{ der: Uint8Array.of(1), extensions: [] }],
      }),
    ),
  }],
  "more certificates than a chain has": ["decodeError", {
    edit: replacing(
      "certificate",
      encodeCertificate({
        context: NONE,
        entries: Array.from(
          { length: 33 },
          () => ({ der: Uint8Array.of(1), extensions: [] }),
        ),
      }),
    ),
  }],
  "ALPN in a certificate": ["illegalParameter", {
    certificateExtensions: [alpn("h2")],
  }],
  "an unknown extension in a certificate": ["unsupportedExtension", {
    certificateExtensions: [{ type: 0xeeee, data: NONE }],
  }],
  "a Certificate that claims 2^24 bytes": ["illegalParameter", {
    edit: replacing("certificate", Uint8Array.of(11, 0xff, 0xff, 0xff)),
  }],
  "compression that was not offered": ["illegalParameter", {
    compresses: true,
    edit: patching("certificate", (message) => message[5] = 1),
  }],
  "a compressed certificate of another length": ["badCertificate", {
    compresses: true,
    edit: patching("certificate", (message) => message[8]!--),
  }],
  "a compressed certificate that is longer than it says": ["badCertificate", {
    compresses: true,
    edit: patching("certificate", (message) => message.fill(0, 6, 9)),
  }],
  "a compressed certificate that says it is too long": ["badCertificate", {
    compresses: true,
    edit: patching("certificate", (message) => message[6] = 5),
  }],
  "a compressed certificate that is damaged": ["badCertificate", {
    compresses: true,
    edit: patching("certificate", (message) => message.fill(0xff, 12)),
  }],
  "a byte behind a compressed certificate": ["badCertificate", {
    compresses: true,
    edit: (name, message) => {
      if (name !== "certificate") return message;
      const longer = concat(message, Uint8Array.of(0));
      for (const at of [2, 10]) {
        const length = (longer[at]! << 8 | longer[at + 1]!) + 1;
        longer.set([length >> 8, length & 0xff], at);
      }
      return longer;
    },
  }],
  "no CertificateVerify": ["unexpectedMessage", {
    edit: leavingOut("certificateVerify"),
  }],
  "a signature by RSASSA-PKCS1-v1_5": ["illegalParameter", { scheme: 0x0401 }],
  "a signature scheme that was not offered": ["illegalParameter", {
    scheme: 0x0807,
  }],
  "a signature scheme that is GREASE": ["illegalParameter", {
    scheme: GREASE,
  }],
  "a signature by another scheme than the key's": ["decryptError", {
    scheme: 0x0503,
  }],
  "a wrong signature": ["decryptError", {
    edit: patching("certificateVerify", (message) => message[20]! ^= 1),
  }],
  "a Finished that is wrong": ["decryptError", {
    edit: patching("finished", (message) => message[4]! ^= 1),
  }],
  "a Finished that is short": ["decodeError", {
    edit: replacing("finished", Uint8Array.of(20, 0, 0, 1, 0)),
  }],
  "something behind Finished": ["unexpectedMessage", {
    edit: (name, message) =>
      name === "finished" ? concat(message, Uint8Array.of(4)) : message,
  }],
};

for (const [fault, [alertName, script]] of Object.entries(FLIGHTS)) {
  Deno.test(`TlsClient answers ${fault} with ${alertName}`, () => {
    using client = chromeClient();
    const server = new ScriptedServer(script);
    const hello = client.takeOutput();
    assertAlert(client, server, alertName, () => {
      client.receive(server.serverHello(hello));
      client.receive(server.flight());
    });
  });
}

Deno.test("TlsClient answers ML-DSA, which its hello offers and it cannot verify, with unsupportedCertificate", () => {
  using client = chromeClient(undefined, 150);
  const server = new ScriptedServer({ scheme: 0x0904 });
  const hello = client.takeOutput();
  assertAlert(client, server, "unsupportedCertificate", () => {
    client.receive(server.answer(hello));
  });
});

/** Faults of a HelloRetryRequest: its extensions, or a change of all of it. */
const RETRIES: Readonly<
  Record<
    string,
    readonly [AlertName, readonly { type: number; data: Bytes }[], Script?]
  >
> = {
  "changes nothing": ["illegalParameter", []],
  "asks for a group that has a share": [
    "illegalParameter",
    [keyShare(GROUP.x25519)],
  ],
  "asks for a group that was not offered": [
    "illegalParameter",
    [keyShare(0x0019)],
  ],
  "has an empty cookie": ["decodeError", [
    { type: EXTENSION.cookie, data: Uint8Array.of(0, 0) },
  ]],
  "has ALPN": ["illegalParameter", [keyShare(GROUP.p256), alpn("h2")]],
  "has an unknown extension": ["unsupportedExtension", [
    keyShare(GROUP.p256),
    { type: 0xeeee, data: NONE },
  ]],
  "has an ECH confirmation of 7 bytes": ["decodeError", [
    keyShare(GROUP.p256),
    { type: EXTENSION.encryptedClientHello, data: new Uint8Array(7) },
  ]],
  "has another session id": ["illegalParameter", [keyShare(GROUP.p256)], {
    hello: (hello) => ({ ...hello, sessionId: NONE }),
  }],
  "has a suite that was not offered": [
    "illegalParameter",
    [keyShare(GROUP.p256)],
    { hello: (hello) => ({ ...hello, cipherSuite: 0x1304 }) },
  ],
};

for (
  const [fault, [alertName, extensions, script]] of Object.entries(RETRIES)
) {
  Deno.test(`TlsClient answers a HelloRetryRequest that ${fault} with ${alertName}`, () => {
    using client = chromeClient();
    const server = new ScriptedServer(script);
    const hello = client.takeOutput();
    assertAlert(client, server, alertName, () => {
      client.receive(server.retry(hello, extensions));
    });
  });
}

Deno.test("TlsClient answers a HelloRetryRequest for a GREASE group of its hello with illegalParameter", () => {
  using client = chromeClient();
  const server = new ScriptedServer();
  const hello = client.takeOutput();
  const groups = ScriptedServer.helloOf(hello).extensions!
    .find(({ type }) => type === EXTENSION.supportedGroups)!.data;
  const grease = { type: EXTENSION.keyShare, data: groups.slice(2, 4) };
  assertAlert(client, server, "illegalParameter", () => {
    client.receive(server.retry(hello, [grease]));
  });
});

Deno.test("TlsClient answers a GREASE extension that comes back with unsupportedExtension", () => {
  using client = chromeClient();
  const hello = client.takeOutput();
  const { type } = ScriptedServer.helloOf(hello).extensions![0]!;
  const server = new ScriptedServer({
    encryptedExtensions: [{ type, data: NONE }],
  });
  assertAlert(client, server, "unsupportedExtension", () => {
    client.receive(server.answer(hello));
  });
});

Deno.test("TlsClient answers a second HelloRetryRequest with unexpectedMessage", () => {
  using client = chromeClient();
  const server = new ScriptedServer();
  client.receive(server.retry(client.takeOutput(), [keyShare(GROUP.p256)]));
  const second = client.takeOutput().subarray(6);
  assertAlert(client, server, "unexpectedMessage", () => {
    client.receive(server.retry(second, [keyShare(GROUP.p384)]));
  });
});

Deno.test("TlsClient answers another suite after a HelloRetryRequest with illegalParameter", () => {
  using client = chromeClient();
  const server = new ScriptedServer({ cipherSuite: 0x1301 });
  client.receive(server.retry(client.takeOutput(), [keyShare(GROUP.p256)]));
  const second = client.takeOutput().subarray(6);
  const other = new ScriptedServer({ cipherSuite: 0x1303, group: GROUP.p256 });
  assertAlert(client, server, "illegalParameter", () => {
    client.receive(other.serverHello(second));
  });
});

Deno.test("TlsClient answers a pre-shared key of another hash or index with illegalParameter", () => {
  for (const [cipherSuite, index] of [[0x1302, 0], [0x1301, 1]] as const) {
    using client = chromeClient({
      cipherSuite: 0x1301,
      psk: new Uint8Array(32),
      ticket: new Uint8Array(100),
      ageAdd: 0,
      lifetimeS: 100,
      receivedAtMs: 0,
      trustedUntilMs: Infinity,
      peerCertificates: [],
    });
    const server = new ScriptedServer({
      cipherSuite,
      psk: new Uint8Array(48),
      hello: withData(EXTENSION.preSharedKey, Uint8Array.of(0, index)),
    });
    const hello = client.takeOutput();
    assertAlert(client, server, "illegalParameter", () => {
      client.receive(server.serverHello(hello));
    });
  }
});

Deno.test("TlsClient answers a CertificateRequest in a resumed handshake with unexpectedMessage", () => {
  const psk = new Uint8Array(32);
  using client = chromeClient({
    cipherSuite: 0x1301,
    psk: psk.slice(),
    ticket: new Uint8Array(100),
    ageAdd: 0,
    lifetimeS: 100,
    receivedAtMs: 0,
    trustedUntilMs: Infinity,
    peerCertificates: [],
  });
  const server = new ScriptedServer({
    psk,
    certificateRequest: encodeCertificateRequest({
      context: NONE,
      extensions: [],
    }),
  });
  const hello = client.takeOutput();
  assertAlert(client, server, "unexpectedMessage", () => {
    client.receive(server.answer(hello));
  });
});

type HelloEdit = (hello: ServerHello) => ServerHello;

function without(type: number): HelloEdit {
  return (hello) => ({
    ...hello,
    extensions: hello.extensions!.filter((found) => found.type !== type),
  });
}

function withAlso(type: number, data: Bytes): HelloEdit {
  return (hello) => ({
    ...hello,
    extensions: [...hello.extensions!, { type, data }],
  });
}

function withData(type: number, data: Bytes): HelloEdit {
  return (hello) => withAlso(type, data)(without(type)(hello));
}

type Edit = NonNullable<Script["edit"]>;
type Name = Parameters<Edit>[0];

function leavingOut(name: Name): Edit {
  return replacing(name, NONE);
}

function replacing(name: Name, by: Bytes): Edit {
  return (found, message) => found === name ? by : message;
}

function patching(name: Name, patch: (message: Bytes) => unknown): Edit {
  return (found, message) => {
    if (found === name) patch(message);
    return message;
  };
}

function alpn(...names: string[]) {
  return { type: EXTENSION.alpn, data: encodeProtocolNames(names) };
}

function keyShare(group: number) {
  return {
    type: EXTENSION.keyShare,
    data: Uint8Array.of(group >> 8, group & 0xff),
  };
}
