import { type Bytes, equal } from "../core/bytes/mod.ts";
import {
  importSigningKey,
  type SignatureScheme,
  type SigningKey,
} from "../core/crypto/mod.ts";
import { decodeX509 } from "./certificates/x509_certificate.ts";
import { parsePem } from "./certificates/pem.ts";
import { usageOf } from "./certificates/extensions.ts";
import { dnsText, NAME_FORM } from "./certificates/general_name.ts";

/** A certificate chain that a server shows, with the key to sign for it. */
export interface ServerCertificate {
  /** The certificates in DER, the server's own first. */
  readonly chain: readonly Bytes[];
  /** The private key of the first. */
  readonly key: Pick<SigningKey, "schemes" | "sign">;
  /** DNS names that it is chosen for, in lower case; the first label may be `*`. */
  readonly names: readonly string[];
}

/** What {@link serverCertificate} loads. */
export interface ServerCertificateOptions {
  /** The chain in PEM, the server's own certificate first. */
  readonly chainPem: string;
  /** Its private key in PEM: PKCS #8, not encrypted. */
  readonly keyPem: string;
  /** Makes the key of PKCS #8 in DER, which is wiped after; `importSigningKey` if not given, a native one is faster. */
  readonly importKey?: (
    pkcs8: Uint8Array,
  ) => Pick<SigningKey, "schemes" | "publicKeySpki" | "sign">;
}

/**
 * The certificate of `chainPem`, the server's own first, with its private key in PKCS #8.
 *
 * It is for the DNS names in its subjectAltName.
 *
 * @throws {TypeError} If a text holds no such PEM, or the key is not that of the first certificate.
 * @throws {DecodeError} If a PEM or the first certificate is malformed.
 */
export function serverCertificate(
  { chainPem, keyPem, importKey = importSigningKey }: ServerCertificateOptions,
): ServerCertificate {
  const chain = parsePem(chainPem);
  const [pkcs8, ...more] = parsePem(keyPem, "PRIVATE KEY");
  if (chain.length === 0 || !pkcs8 || more.length > 0) {
    throw new TypeError("Want PEM certificates and one private key in PKCS #8");
  }
  const certificate = decodeX509(chain[0]!);
  const key = importKey(pkcs8);
  pkcs8.fill(0);
  if (!equal(certificate.publicKeySpki, key.publicKeySpki)) {
    throw new TypeError("Want the private key of the first certificate");
  }
  const names = usageOf(certificate).subjectAltNames
    .filter(({ tag }) => tag === NAME_FORM.dns)
    .flatMap((name) => dnsText(name) ?? []);
  return { chain, key, names };
}

/** A certificate and how to sign for it. */
export interface ChosenCertificate {
  /** The one to show. */
  readonly certificate: ServerCertificate;
  /** What to sign with. */
  readonly scheme: SignatureScheme;
}

/**
 * The first of `certificates` that is for `serverName` and can sign as one of `schemes`; one with the exact name goes
 * before one with a wildcard. If none is for the name, or there is no name, all count, as if for it.
 */
export function chooseCertificate(
  certificates: readonly ServerCertificate[],
  serverName: string | undefined,
  schemes: readonly number[],
): ChosenCertificate | undefined {
  const name = serverName?.toLowerCase();
  const wildcard = name?.replace(/^[^.]+/, "*");
  const having = (wanted: string | undefined) =>
    certificates.filter(({ names }) => wanted && names.includes(wanted));
  const exact = having(name);
  const matching = exact.length > 0 ? exact : having(wildcard);
  const candidates = matching.length > 0 ? matching : certificates;
  for (const certificate of candidates) {
    const scheme = certificate.key.schemes.find((s) => schemes.includes(s));
    if (scheme !== undefined) return { certificate, scheme };
  }
  return undefined;
}
