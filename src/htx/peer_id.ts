/**
 * Who a peer is: names made of the hash of its Ed25519 public key.
 *
 * ```text
 * PeerID       0x12 0x20 ‖ SHA-256(public key)                       Betanet 1.1 §6.1
 * service URI  betanet://<SHA-256(public key) in hex>[/resource]     Betanet 1.1 §8.1
 * ```
 *
 * @module
 */
import {
  type Bytes,
  concat,
  DecodeError,
  decodeHex,
  encodeHex,
} from "../core/bytes/mod.ts";
import type { CryptoProvider } from "../core/crypto/mod.ts";

/** What a service URI says. */
export interface ServiceUri {
  /** SHA-256 of the service's public key: 32 bytes. */
  readonly keyHash: Bytes;
  /** What is asked for, from its slash on; empty if the URI names none. */
  readonly resource: string;
}

const MULTIHASH_SHA256 = Uint8Array.of(0x12, 0x20);
const URI_REGEXP = /^betanet:\/\/([0-9a-f]{64})((?:\/[\x21-\x7e]*)?)$/;

/** The 34-byte PeerID of `publicKey`. */
export function peerId(crypto: CryptoProvider, publicKey: Uint8Array): Bytes {
  return concat(MULTIHASH_SHA256, crypto.hash("sha256", publicKey));
}

/** Writes a service URI. */
export function formatServiceUri({ keyHash, resource }: ServiceUri): string {
  return `betanet://${encodeHex(keyHash)}${resource}`;
}

/**
 * Parses a service URI; only lower-case hex is accepted, so that each service has one name.
 *
 * @throws {DecodeError} If it is not of the form above.
 */
export function parseServiceUri(text: string): ServiceUri {
  const match = text.match(URI_REGEXP);
  if (!match) throw new DecodeError("service URI", "want betanet://<64 hex>");
  return { keyHash: decodeHex(match[1]!), resource: match[2]! };
}
