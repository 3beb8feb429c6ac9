import { systemClock } from "../../src/core/async/mod.ts";
import {
  type CryptoProvider,
  defaultProvider,
  type X25519KeyPair,
} from "../../src/core/crypto/mod.ts";
import { readTextFile, writeSecretFile } from "../../src/core/storage/mod.ts";
import {
  type Address,
  dial,
  parseAddress,
} from "../../src/core/transport/mod.ts";
import { htx } from "../../mod.ts";
import { CliError } from "../_error.ts";
import type { HtxConfig } from "./config.ts";
import { CERTIFICATE_NAME, type ServerKeys } from "./keys.ts";

type ServerConfig = HtxConfig["server"];

/** The carriers a client can choose. */
export type CarrierName = HtxConfig["proxy"]["carrier"];

const PREFIX = "betanet-record:";

/** The signed record of a server in text form, valid as long as its newest ticket key. */
export function makeRecord(
  config: ServerConfig,
  keys: ServerKeys,
  addresses: readonly Address[],
): string {
  const crypto = defaultProvider();
  const now = systemClock.wallTime();
  const current = keys.ring.current(now)!;
  const published = config.public_addresses.length > 0
    ? config.public_addresses
    : addresses;
  const signed = htx.signPeerRecord(crypto, keys.identitySeed.expose(), {
    publicKey: crypto.ed25519.publicKey(keys.identitySeed.expose()),
    sequence: Math.floor(now / 1000),
    expiresMs: Math.floor(current.notAfterMs / 1000) * 1000,
    addresses: published,
    staticKey: keys.staticKeyPair.publicKey,
    tickets: [{
      policy: config.tickets.policy,
      keyId: current.keyId,
      publicKey: current.publicKey,
      cookieName: config.tickets.cookie,
    }],
    ...(published.some((address) => address.startsWith("quic:")) && {
      quicCertificate: derOf(keys.certificate.certPem),
    }),
  });
  return htx.formatPeerRecord(signed);
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

/** What a client needs to open a session by `record`. */
export function dialOptions(
  record: htx.PeerRecord,
  carrier: CarrierName,
  staticKeyPair: X25519KeyPair,
  crypto: CryptoProvider,
): htx.DialHtxOptions {
  const address = addressFor(record.addresses, carrier);
  const certificate = record.quicCertificate;
  return {
    address,
    staticKey: record.staticKey,
    offer: record.tickets[0]!,
    staticKeyPair,
    crypto,
    ...(carrier === "quic" && certificate && {
      dial: (to, options) =>
        dial(to, {
          ...options,
          quic: {
            alpnProtocols: ["h3"],
            caCerts: [pemOf(certificate)],
            serverName: CERTIFICATE_NAME,
          },
        }),
    }),
  };
}

/** The address of a server for one carrier; WebSocket and plain HTTP share a port. */
function addressFor(
  addresses: readonly Address[],
  carrier: CarrierName,
): Address {
  const scheme = carrier === "quic" ? "quic" : "tcp";
  const found = addresses.find((address) =>
    parseAddress(address).scheme === scheme
  );
  if (found === undefined) {
    throw new CliError("failed", `The server has no ${carrier} address`, {
      hint: `It has ${addresses.join(", ")}.`,
    });
  }
  return carrier === "ws" ? found.replace(/^tcp:/, "ws:") : found;
}

function derOf(pem: string): Uint8Array {
  return Uint8Array.fromBase64(pem.replace(/-----[A-Z ]+-----|\s/g, ""));
}

function pemOf(der: Uint8Array): string {
  const lines = der.toBase64().match(/.{1,64}/g)!.join("\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
