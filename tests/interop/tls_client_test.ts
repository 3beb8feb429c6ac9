import { assert, assertEquals } from "@std/assert";
import { equal } from "../../src/core/bytes/mod.ts";
import { SIGNATURE_SCHEME } from "../../src/core/crypto/mod.ts";
import {
  type CertificateVerifier,
  chainVerifier,
  type CipherSuite,
  dialTls,
  type DialTlsOptions,
  parsePem,
  SessionCache,
  type TlsConnection,
} from "../../src/tls/mod.ts";
import {
  type Code,
  EXTENSION,
  type ExtensionRule,
  GREASE,
  GROUP,
  type Profile,
  profileOf,
} from "../../src/utls/mod.ts";
import { dialTcp } from "../../src/core/transport/mod.ts";
import { overlay } from "../htx/_world.ts";
import { makeFolder } from "../cli/_htx_process.ts";
import { type Identity, KEY_KINDS, makeIdentities } from "./_certificates.ts";
import { isAvailable } from "./_peers.ts";
import {
  SUITE_NAMES,
  type SuiteName,
  TLS_PEERS,
  type TlsPeer,
  type TlsServer,
  type TlsServerOptions,
} from "./_tls_peers.ts";

const TEST = "tls_client_test";
const BULK_MIB = 64;
/** 256 KiB of text that ends as a line, as GnuTLS's server echoes lines. */
const LINE = Uint8Array.from(
  { length: 1 << 18 },
  (_, i) => i === (1 << 18) - 1 ? 10 : 33 + (i * i + (i >> 8)) % 90,
);
const LATEST = profileOf("latest");
const SECP384R1 = GROUP.p384;
const X25519MLKEM768 = GROUP.x25519MlKem768;
const SUITES = {
  TLS_AES_128_GCM_SHA256: 0x1301,
  TLS_AES_256_GCM_SHA384: 0x1302,
  TLS_CHACHA20_POLY1305_SHA256: 0x1303,
} as const satisfies Record<SuiteName, CipherSuite>;

const hasOpenssl = isAvailable("openssl", ["version"], TEST);

for (const peer of TLS_PEERS) {
  Deno.test({
    name: `dialTls() speaks with ${peer.name}`,
    ignore: !hasOpenssl || !peer.isAvailable(`${TEST} with ${peer.name}`),
    fn: (t) => testPeer(t, peer),
  });
}

async function testPeer(t: Deno.TestContext, peer: TlsPeer): Promise<void> {
  await using folder = await makeFolder();
  const identities = await makeIdentities(folder.path);
  const identity = identities.ecdsa;
  const verify = chainVerifier({
    roots: parsePem(await Deno.readTextFile(identity.authority)),
  });
  const can = (what: keyof TlsServerOptions) => !peer.cannot?.includes(what);

  for (const kind of KEY_KINDS) {
    await t.step(`full handshake, ${kind} certificate`, async () => {
      await using server = await peer.start({ identity: identities[kind] });
      await using connection = await open(server, {
        verify,
        ...(kind === "ed25519" && { profile: withEd25519(LATEST) }),
      });
      await checkEcho(connection, LINE);
      assertEquals(connection.resumed, false);
      assertEquals(connection.peerCertificates.length, 2);
      if (peer.hasMlKem) assertEquals(connection.group, X25519MLKEM768);
    });
  }

  await t.step("another group after HelloRetryRequest", async () => {
    await using server = await peer.start({
      identity,
      ...(can("group") && { group: "P-384" }),
    });
    await using connection = await open(server, {
      verify,
      ...(!can("group") && { profile: withDraftShare(LATEST) }),
    });
    await checkEcho(connection, LINE);
    assertEquals(connection.group, SECP384R1);
  });

  if (can("asksClient")) {
    await t.step("an empty answer to a request for a certificate", async () => {
      await using server = await peer.start({ identity, asksClient: true });
      await using connection = await open(server, { verify });
      await checkEcho(connection, LINE);
    });
  }

  for (const suite of SUITE_NAMES) {
    await t.step(suite, async () => {
      await using server = await peer.start({
        identity,
        ...(can("suite") && { suite }),
      });
      await using connection = await open(server, {
        verify,
        ...(!can("suite") && { profile: withSuite(LATEST, SUITES[suite]) }),
      });
      await checkEcho(connection, LINE);
      assertEquals(connection.cipherSuite, SUITES[suite]);
    });
  }

  if (peer.compresses) {
    await t.step("a compressed certificate", async () => {
      await using server = await peer.start({ identity });
      const compressed = await handshakeBytes(server, LATEST, verify);
      const plain = await handshakeBytes(server, withoutBrotli(LATEST), verify);
      assert(
        compressed < plain - 100,
        `${compressed}, not compressed ${plain}`,
      );
    });
  }

  await t.step("resumption", () => testResumption(peer, identity, verify));

  await t.step("key updates while data flows", async () => {
    await using server = await peer.start({ identity });
    await using connection = await open(server, { verify });
    for (let i = 0; i < 4; i++) {
      const echo = checkEcho(connection, LINE);
      await connection.updateKeys();
      await echo;
    }
  });

  await t.step(`${BULK_MIB} MiB both ways`, async () => {
    await using server = await peer.start({ identity });
    await using connection = await open(server, { verify });
    await checkEcho(connection, LINE, BULK_MIB * 2 ** 20 / LINE.length);
  });
}

async function testResumption(
  peer: TlsPeer,
  identity: Identity,
  verify: CertificateVerifier,
): Promise<void> {
  await using server = await peer.start({ identity });
  using sessions = new SessionCache();
  const resumed: boolean[] = [];
  for (let i = 0; i < 3; i++) {
    await using connection = await open(server, { verify, sessions });
    await checkEcho(connection, LINE);
    resumed.push(connection.resumed);
  }
  assertEquals(resumed, [false, true, true]);
}

async function open(
  { port, prelude }: TlsServer,
  options: Pick<DialTlsOptions, "verify" | "sessions" | "profile">,
): Promise<TlsConnection> {
  const connection = await dialTls(`tcp://127.0.0.1:${port}`, {
    ...options,
    serverName: "tls.test",
  });
  if (prelude !== undefined) await upgrade(connection, prelude);
  return connection;
}

/** How many bytes of the server its handshake takes. */
async function handshakeBytes(
  { port }: TlsServer,
  profile: Profile,
  verify: CertificateVerifier,
): Promise<number> {
  const wire = await dialTcp(`tcp://127.0.0.1:${port}`);
  let bytes = 0;
  const counted = overlay(wire, {
    async read(buffer) {
      const length = await wire.read(buffer);
      bytes += length ?? 0;
      return length;
    },
  });
  await using _ = await dialTls(counted, {
    serverName: "tls.test",
    verify,
    profile,
  });
  return bytes;
}

async function upgrade(
  connection: TlsConnection,
  prelude: string,
): Promise<void> {
  await connection.write(new TextEncoder().encode(prelude));
  const byte = new Uint8Array(1);
  for (let head = ""; !head.endsWith("\r\n\r\n");) {
    assertEquals(await connection.read(byte), 1, head);
    head += String.fromCharCode(byte[0]!);
  }
}

/** A browser that knows Ed25519, as Chrome does not. */
function withEd25519(profile: Profile): Profile {
  return withRules(
    profile,
    (rule) =>
      rule.rule === "signatureAlgorithms"
        ? { ...rule, codes: [...rule.codes, SIGNATURE_SCHEME.ed25519] }
        : rule,
  );
}

/** A browser that takes P-384, but shows a share of a draft only, so that any server without the draft has to ask again. */
function withDraftShare(profile: Profile): Profile {
  const draft = GROUP.x25519Kyber768Draft00;
  return withRules(profile, (rule) => {
    if (rule.rule === "supportedGroups") {
      return { ...rule, codes: [GREASE, draft, SECP384R1] };
    }
    return rule.rule === "keyShare"
      ? { ...rule, groups: [GREASE, draft] }
      : rule;
  });
}

/** A browser that has one suite of TLS 1.3, whatever its CPU. */
function withSuite(
  { hello, ...profile }: Profile,
  suite: CipherSuite,
): Profile {
  const tls13: readonly Code[] = Object.values(SUITES);
  const cipherSuites = [
    GREASE,
    suite,
    ...hello.cipherSuites.slice(1).filter((code) => !tls13.includes(code)),
  ] as const;
  const cipherSuitesWithoutAesHardware = cipherSuites;
  return {
    ...profile,
    hello: { ...hello, cipherSuites, cipherSuitesWithoutAesHardware },
  };
}

function withoutBrotli({ hello, ...profile }: Profile): Profile {
  const extensions = hello.extensions.filter((rule) =>
    !("type" in rule) || rule.type !== EXTENSION.compressCertificate
  );
  return { ...profile, hello: { ...hello, extensions } };
}

function withRules(
  profile: Profile,
  change: (rule: ExtensionRule) => ExtensionRule,
): Profile {
  const extensions = profile.hello.extensions.map(change);
  return { ...profile, hello: { ...profile.hello, extensions } };
}

/** Sends `line` `times` times while it reads what comes back, which must be the same. */
async function checkEcho(
  connection: TlsConnection,
  line: Uint8Array,
  times = 1,
): Promise<void> {
  await Promise.all([
    (async () => {
      for (let i = 0; i < times; i++) await connection.write(line);
    })(),
    (async () => {
      const back = new Uint8Array(line.length);
      for (let i = 0; i < times; i++) {
        for (let at = 0; at < back.length;) {
          const length = await connection.read(back.subarray(at));
          assert(length !== null, "the server ended");
          at += length;
        }
        assert(equal(back, line), `piece ${i} of ${times} differs`);
      }
    })(),
  ]);
}
