/**
 * Test certificates of `tests/vectors/x509`: valid from 2020 to 2120 for `server.example`, `localhost`, `127.0.0.1` and `::1`.
 *
 * @module
 */
import type { Bytes } from "../../src/core/bytes/mod.ts";
import x509 from "../vectors/x509/x509.json" with { type: "json" };
import keys from "../vectors/x509/keys.json" with { type: "json" };

/** The set's chains to judge; see `cases.ts` there. */
export const x509Cases = x509.cases;

/** The roots that the chains of {@link testCertificate} lead to, in DER. */
export const testRoots: readonly Bytes[] = [
  "root-rsa",
  "root-p384",
  "root-ed25519",
].map(certificateDer);

/** A key type and the certificates that the set has for it, the server's own first. */
const CHAINS = {
  p256: ["p256", "ca-p256"],
  p384: ["p384", "ca-p256"],
  p521: ["p521", "ca-p256"],
  rsa: ["rsa", "ca-rsa"],
  rsaPss: ["rsa-pss", "ca-rsa"],
  ed25519: ["ed25519"],
} as const;

/** The keys that have a test certificate. */
export type TestKey = keyof typeof CHAINS;

/** A server's certificate chain and private key. */
export interface TestCertificate {
  /** The chain in DER, the server's own first, without the root. */
  readonly chain: readonly Bytes[];
  /** The chain in PEM. */
  readonly certPem: string;
  /** The private key, PKCS #8 in DER. */
  readonly pkcs8: Bytes;
  /** The private key in PEM. */
  readonly keyPem: string;
}

/** The chain and key of type `key`; it leads to one of {@link testRoots}. */
export function testCertificate(key: TestKey): TestCertificate {
  const chain = CHAINS[key].map(certificateDer);
  const pkcs8 = Uint8Array.fromBase64(keys[key]);
  return {
    chain,
    certPem: chain.map((der) => pem("CERTIFICATE", der)).join(""),
    pkcs8,
    keyPem: pem("PRIVATE KEY", pkcs8),
  };
}

/** The certificate or revocation list called `name` in the set, in DER. */
export function certificateDer(name: string): Bytes {
  const text = (x509.certificates as Record<string, string>)[name];
  if (text === undefined) throw new Error(`No certificate "${name}"`);
  return Uint8Array.fromBase64(text);
}

/** `der` in PEM. */
export function pem(label: string, der: Bytes): string {
  const lines = der.toBase64().match(/.{1,64}/g)!.join("\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
