import type { Bytes } from "../core/bytes/mod.ts";
import { type SignatureScheme, verifySignature } from "../core/crypto/mod.ts";
import { decodeX509 } from "./certificates/x509_certificate.ts";
import { fatal } from "./error.ts";
import { decodeCertificate } from "./messages/certificate.ts";
import {
  decodeCertificateVerify,
  signedContent,
} from "./messages/certificate_verify.ts";
import { decodeEncryptedExtensions } from "./messages/encrypted_extensions.ts";
import { CLIENT_SCHEMES } from "./server_messages.ts";

/**
 * The chain of a client's Certificate in answer to our CertificateRequest; empty if it has none.
 *
 * @throws {DecodeError} If it is malformed.
 * @throws {TlsError} `illegalParameter` if it answers another request, `unsupportedExtension` for extensions not asked for.
 */
export function readClientChain(message: Bytes): Bytes[] {
  const { context, entries } = decodeCertificate(message);
  if (context.length > 0) { // RFC 8446 §4.4.2
    throw fatal("illegalParameter", "Want the context of our request");
  }
  if (entries.some(({ extensions }) => extensions.length > 0)) {
    throw fatal("unsupportedExtension", "Want no extension we did not ask for");
  }
  return entries.map(({ der }) => der.slice());
}

/**
 * Fails unless the CertificateVerify `message` proves that its sender has the key of the first of `chain`.
 *
 * @param transcriptHash Of all up to the client's Certificate.
 * @throws {DecodeError} If it is malformed.
 * @throws {TlsError} `illegalParameter` for a scheme we did not ask for, `decryptError` if the signature is wrong,
 * `badCertificate` if the certificate is none.
 */
export function checkClientVerify(
  message: Bytes,
  chain: readonly Bytes[],
  transcriptHash: Uint8Array,
): void {
  const { scheme, signature } = decodeCertificateVerify(message);
  const asked: readonly number[] = CLIENT_SCHEMES;
  if (!asked.includes(scheme)) {
    throw fatal("illegalParameter", "Want one of the schemes we asked for");
  }
  const isGood = verifySignature(
    scheme as SignatureScheme,
    publicKeyOf(chain[0]!),
    signedContent("client", transcriptHash),
    signature,
  );
  if (!isGood) throw fatal("decryptError", "Signature does not verify");
}

function publicKeyOf(der: Bytes): Uint8Array {
  try {
    return decodeX509(der).publicKeySpki;
  } catch (cause) {
    throw fatal("badCertificate", "Certificate is malformed", { cause });
  }
}

/**
 * The settings in a client's EncryptedExtensions, which may hold nothing else (draft-vvv-tls-alps §4).
 *
 * @param type The extension that carries them.
 * @throws {DecodeError} If it is malformed.
 * @throws {TlsError} `missingExtension` or `unsupportedExtension`.
 */
export function readClientSettings(message: Bytes, type: number): Bytes {
  const extensions = decodeEncryptedExtensions(message);
  const found = extensions.find((extension) => extension.type === type);
  if (!found) throw fatal("missingExtension", "Want application settings");
  if (extensions.length > 1) {
    throw fatal("unsupportedExtension", "Want application settings alone");
  }
  return new Uint8Array(found.data);
}
