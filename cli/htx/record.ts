import type { Bytes } from "../../src/core/bytes/mod.ts";
import { systemClock } from "../../src/core/async/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import { readTextFile, writeSecretFile } from "../../src/core/storage/mod.ts";
import type { Address } from "../../src/core/transport/mod.ts";
import { htx } from "../../mod.ts";
import { CliError } from "../_error.ts";
import type { TicketsConfig } from "./accept_config.ts";
import type { HtxConfig } from "./config.ts";
import type { ServerKeys } from "./keys.ts";

type ServerConfig = HtxConfig["server"];

const PREFIX = "betanet-record:";

/** What {@link signRecord} says. */
export interface RecordParts {
  /** The server's keys. */
  readonly keys: ServerKeys;
  /** How its tickets are made. */
  readonly tickets: TicketsConfig;
  /** Where it is, best first. */
  readonly addresses: readonly Address[];
  /** Whether it shows the certificate of its state there. */
  readonly showsOwnCertificate: boolean;
}

/** The signed record of a server, valid as long as its newest ticket key. */
export function signRecord(
  { keys, tickets, addresses, showsOwnCertificate }: RecordParts,
): Bytes {
  const crypto = defaultProvider();
  const now = systemClock.wallTime();
  const current = keys.ring.current(now)!;
  const seed = keys.identitySeed.expose();
  return htx.signPeerRecord(crypto, seed, {
    publicKey: crypto.ed25519.publicKey(seed),
    sequence: Math.floor(now / 1000),
    expiresMs: Math.floor(current.notAfterMs / 1000) * 1000,
    addresses,
    staticKey: keys.staticKeyPair.publicKey,
    tickets: [{
      policy: tickets.policy,
      keyId: current.keyId,
      publicKey: current.publicKey,
      cookieName: tickets.cookie,
    }],
    ...(showsOwnCertificate && {
      certificate: derOf(keys.certificate.certPem),
    }),
  });
}

/** The record of the server that `config` describes, in text form. */
export function makeRecord(
  config: ServerConfig,
  keys: ServerKeys,
  listened: readonly Address[],
): string {
  const addresses = config.public_addresses.length > 0
    ? config.public_addresses
    : listened;
  return htx.formatPeerRecord(signRecord({
    ...{ keys, addresses, tickets: config.tickets },
    showsOwnCertificate: showsOwnCertificate(config, addresses),
  }));
}

/** Keeps the record beside the keys, for clients on this machine. */
export function writeRecord(path: string, record: string): void {
  writeSecretFile(path, `${record}\n`);
}

/** Reads and verifies what `--server` says: a record, or a file that holds one. */
export function readRecord(text: string | undefined): htx.PeerRecord {
  if (text === undefined) {
    throw new CliError("usage", "No server given", {
      hint:
        `Give --server the ${PREFIX}… text that the server printed, or a file that holds it.`,
    });
  }
  const record = text.startsWith(PREFIX) ? text : readTextFile(text);
  try {
    return htx.verifyPeerRecord(
      defaultProvider(),
      htx.parsePeerRecord(record),
      { wallTimeMs: systemClock.wallTime() },
    );
  } catch (cause) {
    throw new CliError("failed", "The server's record does not hold", {
      cause,
      hint: "Copy it again from the server; it must be whole and not expired.",
    });
  }
}

/** QUIC always shows the certificate of the state; TLS does if the operator has no other. */
function showsOwnCertificate(
  { tls }: ServerConfig,
  published: readonly Address[],
): boolean {
  const schemes = tls.certificate === undefined ? ["quic:", "tls:"] : ["quic:"];
  return published.some((address) =>
    schemes.some((s) => address.startsWith(s))
  );
}

/** The bytes of a certificate in PEM. */
export function derOf(pem: string): Uint8Array {
  return Uint8Array.fromBase64(pem.replace(/-----[A-Z ]+-----|\s/g, ""));
}

/** A certificate in PEM. */
export function pemOf(der: Uint8Array): string {
  const lines = der.toBase64().match(/.{1,64}/g)!.join("\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
