import { EXTENSION, type Extension } from "../utls/mod.ts";
import { fatal } from "./error.ts";
import { checkUnique } from "./messages/extensions.ts";
import { RECORD_SIZE_LIMIT } from "./record_size_limit.ts";

/** The messages of a server that answer extensions of the hello; the others have extensions of their own. */
export type Answer =
  | "ServerHello"
  | "HelloRetryRequest"
  | "EncryptedExtensions"
  | "Certificate";

/** The messages of a server whose extensions answer nothing: those that we do not know are passed over. */
export type Statement = "CertificateRequest" | "NewSessionTicket";

const NOWHERE: readonly Answer[] = [];
const ENCRYPTED: readonly Answer[] = ["EncryptedExtensions"];

/** Where a server may send an extension (RFC 8446 §4.2); those not listed only in EncryptedExtensions. */
const SENT_IN: Readonly<Record<number, readonly (Answer | Statement)[]>> = {
  [EXTENSION.statusRequest]: ["Certificate", "CertificateRequest"],
  [EXTENSION.ecPointFormats]: NOWHERE,
  [EXTENSION.signatureAlgorithms]: ["CertificateRequest"],
  [EXTENSION.signedCertificateTimestamp]: ["Certificate", "CertificateRequest"],
  [EXTENSION.padding]: NOWHERE,
  [EXTENSION.extendedMasterSecret]: NOWHERE,
  [EXTENSION.compressCertificate]: ["CertificateRequest"],
  [EXTENSION.sessionTicket]: NOWHERE,
  [EXTENSION.preSharedKey]: ["ServerHello"],
  [EXTENSION.earlyData]: ["EncryptedExtensions", "NewSessionTicket"],
  [EXTENSION.supportedVersions]: ["ServerHello", "HelloRetryRequest"],
  [EXTENSION.cookie]: ["HelloRetryRequest"],
  [EXTENSION.pskKeyExchangeModes]: NOWHERE,
  [EXTENSION.certificateAuthorities]: ["CertificateRequest"],
  [EXTENSION.signatureAlgorithmsCert]: ["CertificateRequest"],
  [EXTENSION.keyShare]: ["ServerHello", "HelloRetryRequest"],
  [EXTENSION.trustAnchors]: [
    "EncryptedExtensions",
    "Certificate",
    "CertificateRequest",
  ],
  [EXTENSION.encryptedClientHello]: [
    "HelloRetryRequest",
    "EncryptedExtensions",
  ],
  [EXTENSION.renegotiationInfo]: NOWHERE,
};

const KNOWN: ReadonlySet<number> = new Set([
  ...Object.values(EXTENSION),
  RECORD_SIZE_LIMIT,
]);

/**
 * Fails unless each of `extensions` answers one that was `offered`, in a message where it may (RFC 8446 §4.2).
 *
 * @param offered The types in the hello without GREASE, which no server may answer (RFC 8701 §3.1).
 * @throws {TlsError} `unsupported_extension` for what was not offered, `illegal_parameter` for the wrong message or a type
 * that comes twice.
 */
export function checkAnswers(
  answer: Answer,
  extensions: readonly Extension[],
  offered: ReadonlySet<number>,
): void {
  checkUnique(extensions);
  for (const { type } of extensions) {
    const isCookie = type === EXTENSION.cookie &&
      answer === "HelloRetryRequest"; // the one that comes unasked
    if (!offered.has(type) && !isCookie) {
      throw fatal(
        "unsupportedExtension",
        `${answer} has extension ${type}, which was not offered`,
      );
    }
    if (!(SENT_IN[type] ?? ENCRYPTED).includes(answer)) {
      throw fatal("illegalParameter", `${answer} has extension ${type}`);
    }
  }
}

/**
 * Fails if one of `extensions` is known and not for `statement` (RFC 8446 §4.2).
 *
 * @throws {TlsError} `illegal_parameter`.
 */
export function checkStatements(
  statement: Statement,
  extensions: readonly Extension[],
): void {
  for (const { type } of extensions) {
    if (KNOWN.has(type) && !(SENT_IN[type] ?? ENCRYPTED).includes(statement)) {
      throw fatal("illegalParameter", `${statement} has extension ${type}`);
    }
  }
}
