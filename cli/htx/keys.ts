import {
  decodeBase64Url,
  encodeBase64Url,
  utf8,
} from "../../src/core/bytes/mod.ts";
import {
  generateX25519,
  nodeProvider,
  Secret,
  type X25519KeyPair,
  x25519KeyPair,
} from "../../src/core/crypto/mod.ts";
import {
  readSecretFile,
  StorageError,
  writeSecretFile,
} from "../../src/core/storage/mod.ts";
import {
  type CertificatePem,
  selfSigned,
} from "../../src/core/transport/mod.ts";
import { htx } from "../../mod.ts";
import { CliError } from "../_error.ts";

/** What makes a server itself: kept in one file, mode 0600. */
export interface ServerKeys {
  /** Ed25519 seed that signs our peer records. */
  readonly identitySeed: Secret;
  /** Noise static key pair. */
  readonly staticKeyPair: X25519KeyPair;
  /** What the placeholder site follows from. */
  readonly siteSeed: Secret;
  /** Ticket keys. */
  readonly ring: htx.TicketKeyRing;
  /** What QUIC shows, and TLS if the operator has no other. */
  readonly certificate: ServerCertificate;
}

/** A certificate whose private key does not print. */
export interface ServerCertificate {
  /** The certificate, PEM. */
  readonly certPem: string;
  /** Its private key, PEM in UTF-8. */
  readonly keyPem: Secret;
}

/** The name in that certificate; trust comes from the record. */
export const CERTIFICATE_NAME = "localhost";
const CERTIFICATE_DAYS = 3_650;
const DAY_MS = 86_400_000;

/** Keys of a server that never ran. */
export async function makeServerKeys(): Promise<ServerKeys> {
  return {
    identitySeed: new Secret(nodeProvider.random(32)),
    staticKeyPair: generateX25519(nodeProvider),
    siteSeed: new Secret(nodeProvider.random(16)),
    ring: new htx.TicketKeyRing(),
    certificate: certificate(
      await selfSigned({
        names: [CERTIFICATE_NAME],
        validityMs: CERTIFICATE_DAYS * DAY_MS,
      }),
    ),
  };
}

/** Reads server keys; `undefined` if there is no such file. */
export function readServerKeys(path: string): ServerKeys | undefined {
  const text = readKeyFile(path);
  return text === undefined ? undefined : parseOr(path, () => {
    const file = JSON.parse(text);
    const ticketKeys = file.ticketKeys as Record<string, string | number>[];
    return {
      identitySeed: new Secret(bytes(file.identitySeed, 32)),
      staticKeyPair: x25519KeyPair(nodeProvider, bytes(file.staticKey, 32)),
      siteSeed: new Secret(bytes(file.siteSeed, 16)),
      ring: new htx.TicketKeyRing(ticketKeys.map((key) => ({
        keyId: bytes(key.id, 8),
        ...x25519KeyPair(nodeProvider, bytes(key.privateKey, 32)),
        notBeforeMs: Number(key.notBeforeMs),
        notAfterMs: Number(key.notAfterMs),
      }))),
      certificate: certificate({
        certPem: String(file.certificate.certPem),
        keyPem: String(file.certificate.keyPem),
      }),
    };
  });
}

/** Writes server keys, mode 0600, whole or not at all. */
export function writeServerKeys(path: string, keys: ServerKeys): void {
  const file = {
    identitySeed: encodeBase64Url(keys.identitySeed.expose()),
    staticKey: encodeBase64Url(keys.staticKeyPair.privateKey.expose()),
    siteSeed: encodeBase64Url(keys.siteSeed.expose()),
    ticketKeys: keys.ring.keys.map((key) => ({
      id: encodeBase64Url(key.keyId),
      privateKey: encodeBase64Url(key.privateKey.expose()),
      notBeforeMs: key.notBeforeMs,
      notAfterMs: key.notAfterMs,
    })),
    certificate: exposeCertificate(keys.certificate),
  };
  writeSecretFile(path, JSON.stringify(file, null, 2) + "\n");
}

/** The certificate as QUIC takes it. */
export function exposeCertificate(
  { certPem, keyPem }: ServerCertificate,
): CertificatePem {
  return { certPem, keyPem: new TextDecoder().decode(keyPem.expose()) };
}

/** Reads a client's key pair, or makes and writes one; `path` undefined makes one for this run. */
export function clientKeyPair(path: string | undefined): X25519KeyPair {
  if (path === undefined) return generateX25519(nodeProvider);
  const text = readKeyFile(path);
  if (text !== undefined) {
    return parseOr(
      path,
      () => x25519KeyPair(nodeProvider, bytes(JSON.parse(text).staticKey, 32)),
    );
  }
  const made = generateX25519(nodeProvider);
  writeClientKey(path, made);
  return made;
}

/** Writes a client's key, mode 0600. */
export function writeClientKey(
  path: string,
  { privateKey }: X25519KeyPair,
): void {
  const file = { staticKey: encodeBase64Url(privateKey.expose()) };
  writeSecretFile(path, JSON.stringify(file, null, 2) + "\n");
}

function readKeyFile(path: string): string | undefined {
  try {
    return readSecretFile(path);
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    if (error.code === "absent") return undefined;
    throw new CliError("failed", `Cannot read the keys in ${path}`, {
      cause: error,
      ...(error.code === "exposed" && { hint: `chmod 600 ${path}` }),
    });
  }
}

function parseOr<T>(path: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new CliError("failed", `${path} does not hold keys`, {
      cause,
      hint: "Restore it from a backup, or remove it to start with new keys.",
    });
  }
}

function bytes(
  text: unknown,
  length: number,
): ReturnType<typeof decodeBase64Url> {
  const value = decodeBase64Url(String(text));
  if (value.length !== length) throw new RangeError(`Want ${length} bytes`);
  return value;
}

function certificate({ certPem, keyPem }: CertificatePem): ServerCertificate {
  return { certPem, keyPem: new Secret(utf8(keyPem)) };
}
