import { concat, decodeHex, utf8 } from "../../src/core/bytes/mod.ts";
import { connectionPreface } from "../../src/http2/mod.ts";
import { CONTENT_TYPE } from "../../src/tls/record.ts";
import {
  type ClientHello,
  encodeClientHello,
  EXTENSION,
  GROUP,
} from "../../src/utls/mod.ts";
import { PROBES as HTTP1 } from "../htx/_prober.ts";
import {
  clientHello,
  type HelloChanges,
  keyShares,
  protocols,
  serverName,
  u16List,
  vector,
} from "../tls/_client_hello.ts";
import { form, greeting, HTTP2_PIECES, noise } from "./_http2_probes.ts";
import { IMPATIENT } from "./_probed_servers.ts";
import type { Probe } from "./_tls_prober.ts";

const { alert, applicationData, changeCipherSpec, handshake } = CONTENT_TYPE;
const GET = "GET / HTTP/1.1\r\nHost: tls.test\r\n\r\n";
const CLOSE_NOTIFY = Uint8Array.of(1, 0);
/** Until we have lost our patience with a form, and nginx not yet with the rest of it. */
const FORM_PATIENCE_MS = IMPATIENT.oursMs + 1_500;
/** Until both servers have lost their patience. */
const PATIENCE_MS = IMPATIENT.nginxS * 1_000 + IMPATIENT.oursMs + 1_500;

/** Before there is TLS, or in its handshake. */
const HANDSHAKE_PROBES: Record<string, Probe> = {
  "nothing and an end": (to) => to.fin(),
  "HTTP/1.1 without TLS": (to) => to.raw(GET),
  "HTTP/2 without TLS": (to) => to.raw(connectionPreface()),
  "SSH": (to) => to.raw("SSH-2.0-OpenSSH_9.2\r\n"),
  "SOCKS5": (to) => to.raw(Uint8Array.of(5, 1, 0)),
  "zeros": (to) => to.raw(new Uint8Array(512)),
  "random bytes": (to) => to.raw(noise(1_000)),
  "random bytes that begin as a record": (to) =>
    to.raw(concat(Uint8Array.of(22, 3, 1, 2, 0), noise(600))),
  "SSL 2": (to) =>
    to.raw(
      decodeHex(`802b0100020012000000100100800700c0030080${"ab".repeat(24)}`),
    ),
  "HTTP/1.1 slowly without TLS": (to) => slowly(to, utf8(GET)),

  "a hello": (to) => to.raw(hello()),
  "a hello byte by byte": (to) => slowly(to, hello()),
  "a hello in records of a byte": (to) =>
    to.raw(
      concat(
        ...[...message()].map((byte) => record(handshake, Uint8Array.of(byte))),
      ),
    ),
  "a hello in two records": (to) =>
    to.raw(
      concat(
        record(handshake, message().subarray(0, 50)),
        record(handshake, message().subarray(50)),
      ),
    ),
  "half a hello and an end": async (to) => {
    await to.raw(hello().subarray(0, 100));
    await to.fin();
  },
  "a hello and an end": async (to) => {
    await to.raw(hello());
    await to.quiet();
    await to.fin();
  },
  "no name": hellos({ with: { [EXTENSION.serverName]: undefined } }),
  "another name": hellos({
    with: { [EXTENSION.serverName]: serverName("example.org") },
  }),
  "the certificate's name": hellos({
    with: { [EXTENSION.serverName]: serverName("tls.test") },
  }),
  "an address for a name": hellos({
    with: { [EXTENSION.serverName]: serverName("127.0.0.1") },
  }),
  "an empty name": hellos({ with: { [EXTENSION.serverName]: serverName("") } }),
  "a name of 300": hellos({
    with: { [EXTENSION.serverName]: serverName("a".repeat(300)) },
  }),
  "a name with NUL": hellos({
    with: { [EXTENSION.serverName]: serverName("a\0b") },
  }),
  "a broken name": hellos({
    with: { [EXTENSION.serverName]: Uint8Array.of(0, 9, 0) },
  }),
  "h2 alone": hellos({ with: { [EXTENSION.alpn]: protocols("h2") } }),
  "http/1.1 alone": hellos({
    with: { [EXTENSION.alpn]: protocols("http/1.1") },
  }),
  "http/1.0": hellos({ with: { [EXTENSION.alpn]: protocols("http/1.0") } }),
  "h3": hellos({ with: { [EXTENSION.alpn]: protocols("h3") } }),
  "an unknown protocol": hellos({
    with: { [EXTENSION.alpn]: protocols("acme-tls/1") },
  }),
  "http/1.1 before h2": hellos({
    with: { [EXTENSION.alpn]: protocols("http/1.1", "h2") },
  }),
  "an empty list of protocols": hellos({
    with: { [EXTENSION.alpn]: vector(new Uint8Array(0)) },
  }),

  "TLS 1.2": hellos(tls12(0x0303)),
  "TLS 1.1": hellos(tls12(0x0302)),
  "TLS 1.0": hellos(tls12(0x0301)),
  "SSL 3": hellos(tls12(0x0300)),
  "TLS 1.2 by supported_versions": hellos({
    cipherSuites: [0xc02f, 0xc030],
    with: { [EXTENSION.supportedVersions]: Uint8Array.of(2, 3, 3) },
  }),
  "TLS 1.3 and 1.2": hellos({
    cipherSuites: [0x1301, 0xc02f],
    with: { [EXTENSION.supportedVersions]: Uint8Array.of(4, 3, 4, 3, 3) },
  }),
  "TLS 1.2 with nothing in common": hellos({
    ...tls12(0x0303),
    cipherSuites: [0x0000],
  }),
  "a draft of TLS 1.3": hellos({
    with: { [EXTENSION.supportedVersions]: Uint8Array.of(2, 0x7f, 28) },
  }),
  "TLS 1.4": hellos({
    with: { [EXTENSION.supportedVersions]: Uint8Array.of(2, 3, 5) },
  }),

  "AES-256 first": hellos({ cipherSuites: [0x1302, 0x1301, 0x1303] }),
  "ChaCha20 first": hellos({ cipherSuites: [0x1303, 0x1302, 0x1301] }),
  "one suite": hellos({ cipherSuites: [0x1302] }),
  "no suite in common": hellos({ cipherSuites: [0x1304, 0x1305] }),
  "no suites": hellos({ cipherSuites: [] }),
  "compression": hellos({ compressionMethods: Uint8Array.of(1, 0) }),
  "no compression methods": hellos({ compressionMethods: new Uint8Array(0) }),
  "no session ID": hellos({ sessionId: new Uint8Array(0) }),
  "a short session ID": hellos({ sessionId: new Uint8Array(7) }),
  "no signature algorithms": hellos({
    with: { [EXTENSION.signatureAlgorithms]: undefined },
  }),
  "signatures of ECDSA alone": hellos({
    with: { [EXTENSION.signatureAlgorithms]: u16List(0x0403) },
  }),
  "PKCS #1 alone": hellos({
    with: { [EXTENSION.signatureAlgorithms]: u16List(0x0401) },
  }),
  "SHA-512 first": hellos({
    with: { [EXTENSION.signatureAlgorithms]: u16List(0x0806, 0x0804) },
  }),
  "no key shares": hellos({ with: { [EXTENSION.keyShare]: undefined } }),
  "no groups": hellos({ with: { [EXTENSION.supportedGroups]: undefined } }),
  "an unknown extension": hellos({ with: { 0xabcd: noise(100) } }),
  "an extension twice": hellos({
    last: [{ type: EXTENSION.supportedVersions, data: Uint8Array.of(2, 3, 4) }],
  }),
  "a record_size_limit": hellos({ with: { 28: Uint8Array.of(1, 0) } }),
  "a maximal fragment length": hellos({ with: { 1: Uint8Array.of(1) } }),
  "a request for a stapled answer": hellos({
    with: { 5: Uint8Array.of(1, 0, 0, 0, 0) },
  }),
  "certificate compression": hellos({ with: { 27: Uint8Array.of(2, 0, 2) } }),
  "QUIC parameters": hellos({ with: { 57: noise(20) } }),
  "early data without a ticket": async (to) => {
    await to.raw(hello({ with: { [EXTENSION.earlyData]: new Uint8Array(0) } }));
    await to.raw(record(applicationData, noise(200)));
    await to.quiet();
    await to.raw(record(applicationData, noise(200)));
  },
  "too much early data": async (to) => {
    await to.raw(hello({ with: { [EXTENSION.earlyData]: new Uint8Array(0) } }));
    for (let i = 0; i < 10; i++) {
      await to.raw(record(applicationData, noise(16_000)));
    }
  },

  "a group asked for": hellos({ with: { [EXTENSION.keyShare]: keyShares() } }),
  "P-256 asked for": hellos({
    with: {
      [EXTENSION.supportedGroups]: u16List(0x4138, GROUP.p256),
      [EXTENSION.keyShare]: keyShares([0x4138, noise(32)]),
    },
  }),
  "a group asked for, and the same hello again": async (to) => {
    const again = hello({ with: { [EXTENSION.keyShare]: keyShares() } });
    await to.raw(again);
    await to.quiet();
    await to.raw(again);
  },
  "a group asked for, and an end": async (to) => {
    await to.raw(hello({ with: { [EXTENSION.keyShare]: keyShares() } }));
    await to.quiet();
    await to.fin();
  },
  "no group in common": hellos({
    with: {
      [EXTENSION.supportedGroups]: u16List(0x4138),
      [EXTENSION.keyShare]: keyShares([0x4138, noise(32)]),
    },
  }),
  "groups of OpenSSL alone": hellos({
    with: {
      [EXTENSION.supportedGroups]: u16List(0x001e),
      [EXTENSION.keyShare]: keyShares(),
    },
  }),
  "a short X25519 share": hellos({
    with: { [EXTENSION.keyShare]: keyShares([GROUP.x25519, noise(31)]) },
  }),
  "a share of low order": hellos({
    with: {
      [EXTENSION.keyShare]: keyShares([GROUP.x25519, new Uint8Array(32)]),
    },
  }),
  "a point off the curve": hellos({
    with: {
      [EXTENSION.supportedGroups]: u16List(GROUP.p256),
      [EXTENSION.keyShare]: keyShares([GROUP.p256, noise(65).with(0, 4)]),
    },
  }),
  "a share of a group not offered": hellos({
    with: { [EXTENSION.keyShare]: keyShares([GROUP.p384, noise(97)]) },
  }),

  "bytes behind the hello": (to) =>
    to.raw(record(handshake, lengthen(message(), Uint8Array.of(1)))),
  "a cut hello": (to) => {
    const whole = message();
    return to.raw(record(handshake, lengthen(whole.subarray(0, 60))));
  },
  "another message in the record": (to) =>
    to.raw(record(handshake, concat(message(), Uint8Array.of(20, 0, 0, 0)))),
  "a Finished first": (to) =>
    to.raw(record(handshake, concat(Uint8Array.of(20, 0, 0, 32), noise(32)))),
  "a ServerHello first": (to) =>
    to.raw(record(handshake, concat(Uint8Array.of(2, 0, 0, 32), noise(32)))),
  "an empty handshake record": (to) =>
    to.raw(record(handshake, new Uint8Array(0))),
  "a message of 16 MiB": (to) =>
    to.raw(
      record(handshake, concat(Uint8Array.of(1, 255, 255, 255), noise(1_000))),
    ),
  "a message of 200 KiB": async (to) => {
    await to.raw(
      record(handshake, concat(Uint8Array.of(1, 3, 0, 0), noise(16_000))),
    );
    for (let i = 0; i < 12; i++) await to.raw(record(handshake, noise(16_000)));
  },
  "an oversized record": (to) =>
    to.raw(record(handshake, concat(message(), noise(17_000)))),
  "the head of an oversized record": (to) =>
    to.raw(Uint8Array.of(22, 3, 1, 255, 255)),
  "a record of another version": (to) => to.raw(hello().with(1, 5)),
  "a record of TLS 1.4": (to) => to.raw(hello().with(2, 5)),
  "an unknown record type": (to) => to.raw(hello().with(0, 99)),
  "a heartbeat": (to) =>
    to.raw(concat(Uint8Array.of(24, 3, 3, 0, 3, 1, 64, 0))),
  "application data first": (to) => to.raw(record(applicationData, noise(50))),
  "an alert first": (to) => to.raw(record(alert, Uint8Array.of(2, 40))),
  "a warning first": (to) => to.raw(record(alert, Uint8Array.of(1, 90))),
  "close_notify first": (to) => to.raw(record(alert, CLOSE_NOTIFY)),
  "a long alert first": (to) => to.raw(record(alert, noise(3))),
  "change_cipher_spec first": (to) =>
    to.raw(record(changeCipherSpec, Uint8Array.of(1))),
  "change_cipher_spec and a hello": (to) =>
    to.raw(concat(record(changeCipherSpec, Uint8Array.of(1)), hello())),

  "bytes that do not open": answered(record(applicationData, noise(80))),
  "a Finished in the clear": answered(
    record(handshake, concat(Uint8Array.of(20, 0, 0, 32), noise(32))),
  ),
  "an alert behind the hello": answered(record(alert, Uint8Array.of(2, 40))),
  "close_notify behind the hello": answered(record(alert, CLOSE_NOTIFY)),
  "a wrong change_cipher_spec": answered(
    record(changeCipherSpec, Uint8Array.of(2)),
  ),
  "33 change_cipher_spec": answered(
    concat(
      ...Array.from(
        { length: 33 },
        () => record(changeCipherSpec, Uint8Array.of(1)),
      ),
    ),
  ),
  "an oversized record behind the hello": answered(
    Uint8Array.of(23, 3, 3, 255, 255),
  ),
  "an empty record behind the hello": answered(
    record(applicationData, new Uint8Array(0)),
  ),
  "a request in the clear behind the hello": answered(utf8(GET)),
  "a second hello": answered(hello()),
};

/** Once TLS stands. */
const TLS_PROBES: Record<string, Probe> = {
  "nothing": opened(() => {}),
  "an end": opened((to) => to.fin()),
  "close_notify": opened((to) => to.closeNotify()),
  "close_notify and an end": opened(async (to) => {
    await to.closeNotify();
    await to.fin();
  }),
  "a request": opened((to) => to.send(GET)),
  "a request and an end": opened(async (to) => {
    await to.send(GET);
    await to.fin();
  }),
  "a request and close_notify": opened(async (to) => {
    await to.send(GET);
    await to.closeNotify();
  }),
  "a request, then close_notify": opened(async (to) => {
    await to.send(GET);
    await to.quiet();
    await to.closeNotify();
  }),
  "a request, then an end": opened(async (to) => {
    await to.send(GET);
    await to.quiet();
    await to.fin();
  }),
  "a request in records of a byte": opened(async (to) => {
    for (const byte of utf8(GET)) await to.send(Uint8Array.of(byte));
  }),
  "half a request and an end": opened(async (to) => {
    await to.send(GET.slice(0, 20));
    await to.fin();
  }),
  "half a request and close_notify": opened(async (to) => {
    await to.send(GET.slice(0, 20));
    await to.closeNotify();
  }),
  "a folder": opened((to) => to.send(GET.replace("/", "/folder"))),
  "a large file": opened((to) => to.send(GET.replace("/", "/large.txt"))),
  "many requests": opened((to) => to.send(GET.repeat(20))),
  "a key update": opened(async (to) => {
    await to.updateKeys();
    await to.send(GET);
  }),
  "40 key updates": opened(async (to) => {
    for (let i = 0; i < 40; i++) await to.updateKeys();
  }),
  "empty records": opened(async (to) => {
    for (let i = 0; i < 40; i++) {
      await to.record(applicationData, new Uint8Array(0));
    }
    await to.send(GET);
  }),
  "a record that does not open": opened((to) =>
    to.raw(record(applicationData, noise(80)))
  ),
  "a record in the clear": opened((to) => to.raw(record(alert, CLOSE_NOTIFY))),
  "an oversized record": opened((to) =>
    to.raw(Uint8Array.of(23, 3, 3, 255, 255))
  ),
  "bytes without TLS": opened((to) => to.raw(GET)),
  "change_cipher_spec": opened((to) =>
    to.raw(record(changeCipherSpec, Uint8Array.of(1)))
  ),
  "another hello": opened((to) => to.record(handshake, message())),
  "a Finished": opened((to) =>
    to.record(handshake, concat(Uint8Array.of(20, 0, 0, 32), noise(32)))
  ),
  "an unknown message": opened((to) =>
    to.record(handshake, Uint8Array.of(99, 0, 0, 0))
  ),
  "a broken key update": opened((to) =>
    to.record(handshake, Uint8Array.of(24, 0, 0, 1, 9))
  ),
  "an unknown record": opened((to) => to.record(99, noise(4))),
  "a fatal alert": opened((to) => to.record(alert, Uint8Array.of(2, 40))),
  "a warning": opened((to) => to.record(alert, Uint8Array.of(1, 90))),
  "a broken alert": opened((to) => to.record(alert, Uint8Array.of(2))),
  "HTTP/2 where HTTP/1.1 was agreed on": opened((to) => to.send(greeting())),
};

/** Every probe by name; none has a ticket that was ever good. */
export const PROBES: Readonly<Record<string, Probe>> = {
  ...named("handshake", HANDSHAKE_PROBES),
  ...named("TLS", TLS_PROBES),
  ...named("HTTP/1.1", mapped(HTTP1, http1)),
  ...named("HTTP/2", mapped(HTTP2_PIECES, http2)),
};

/** Those that wait until the servers have lost their patience. */
export const PATIENCE_PROBES: Readonly<Record<string, Probe>> = {
  "handshake: nothing": (to) => to.quiet(PATIENCE_MS),
  "handshake: half a request without TLS": async (to) => {
    await to.raw(GET.slice(0, 20));
    await to.quiet(PATIENCE_MS);
  },
  "handshake: half a hello": async (to) => {
    await to.raw(hello().subarray(0, 100));
    await to.quiet(PATIENCE_MS);
  },
  "handshake: a hello and nothing more": async (to) => {
    await to.raw(hello());
    await to.quiet(PATIENCE_MS);
  },
  "handshake: a group asked for, and nothing more": async (to) => {
    await to.raw(hello({ with: { [EXTENSION.keyShare]: keyShares() } }));
    await to.quiet(PATIENCE_MS);
  },
  "TLS: nothing for long": opened((to) => to.quiet(PATIENCE_MS)),
  "TLS: half a request": opened(async (to) => {
    await to.send(GET.slice(0, 20));
    await to.quiet(PATIENCE_MS);
  }),
  "TLS: half a form": opened(async (to) => {
    await to.send(
      "POST / HTTP/1.1\r\nHost: tls.test\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 200\r\n\r\nbn1=AAAA",
    );
    await to.quiet(FORM_PATIENCE_MS);
  }),
  "HTTP/2: half a form": async (to) => {
    await http2([concat(greeting(), form(1))])(to);
    await to.quiet(FORM_PATIENCE_MS);
  },
};

function named(group: string, probes: Record<string, Probe>) {
  return Object.fromEntries(
    Object.entries(probes).map(([name, probe]) => [`${group}: ${name}`, probe]),
  );
}

function mapped<T>(
  pieces: Readonly<Record<string, T>>,
  make: (pieces: T) => Probe,
): Record<string, Probe> {
  return Object.fromEntries(
    Object.entries(pieces).map(([name, each]) => [name, make(each)]),
  );
}

function http1(texts: readonly string[]): Probe {
  return opened(async (to) => {
    for (const text of texts) {
      await to.send(Uint8Array.from(text, (char) => char.charCodeAt(0)));
    }
  });
}

/** Sends `pieces` over HTTP/2, waiting for an answer behind each. */
export function http2(pieces: readonly Uint8Array[]): Probe {
  return async (to) => {
    await to.handshake({ alpn: ["h2"] });
    await to.quiet();
    for (const piece of pieces) {
      await to.send(piece);
      await to.quiet();
    }
  };
}

function hellos(changes: HelloChanges): Probe {
  return (to) => to.raw(hello(changes));
}

/** Sends `bytes` once the server has answered a hello. */
function answered(bytes: Uint8Array): Probe {
  return async (to) => {
    await to.raw(hello());
    await to.quiet();
    await to.raw(bytes);
  };
}

function opened(then: Probe): Probe {
  return async (to) => {
    await to.handshake();
    await to.quiet();
    await then(to);
  };
}

async function slowly(
  to: Parameters<Probe>[0],
  bytes: Uint8Array,
): Promise<void> {
  for (const byte of bytes) await to.raw(Uint8Array.of(byte));
}

function tls12(legacyVersion: number): HelloChanges & Partial<ClientHello> {
  return {
    legacyVersion,
    cipherSuites: [0xc02f, 0xc030, 0xc013, 0x002f],
    sessionId: new Uint8Array(0),
    with: {
      [EXTENSION.supportedVersions]: undefined,
      [EXTENSION.keyShare]: undefined,
    },
  };
}

function hello(changes?: HelloChanges): Uint8Array {
  return record(handshake, message(changes));
}

function message(changes?: HelloChanges): Uint8Array {
  return encodeClientHello(clientHello(changes));
}

/** A handshake message with `more` behind it, its length put right. */
function lengthen(
  message: Uint8Array,
  more: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const length = message.length + more.length - 4;
  return concat(
    Uint8Array.of(message[0]!, length >> 16, length >> 8, length),
    message.subarray(4),
    more,
  );
}

function record(type: number, content: Uint8Array): Uint8Array {
  const minor = type === handshake ? 1 : 3;
  return concat(Uint8Array.of(type, 3, minor), vector(content));
}
