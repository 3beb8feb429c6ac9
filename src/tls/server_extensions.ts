import { EXTENSION, type Extension } from "../utls/mod.ts";
import { fatal } from "./error.ts";
import { checkUnique } from "./messages/extensions.ts";

/** The messages of a server that answer extensions of the hello. */
export type Answer =
  | "ServerHello"
  | "HelloRetryRequest"
  | "EncryptedExtensions"
  | "Certificate";

const NOWHERE: readonly Answer[] = [];
const ENCRYPTED: readonly Answer[] = ["EncryptedExtensions"];

/** Where a server may answer an extension (RFC 8446 §4.2); those not listed only in EncryptedExtensions. */
const ANSWERED_IN: Readonly<Record<number, readonly Answer[]>> = {
  [EXTENSION.statusRequest]: ["Certificate"],
  [EXTENSION.ecPointFormats]: NOWHERE,
  [EXTENSION.signatureAlgorithms]: NOWHERE,
  [EXTENSION.signedCertificateTimestamp]: ["Certificate"],
  [EXTENSION.padding]: NOWHERE,
  [EXTENSION.extendedMasterSecret]: NOWHERE,
  [EXTENSION.compressCertificate]: NOWHERE,
  [EXTENSION.sessionTicket]: NOWHERE,
  [EXTENSION.preSharedKey]: ["ServerHello"],
  [EXTENSION.supportedVersions]: ["ServerHello", "HelloRetryRequest"],
  [EXTENSION.cookie]: ["HelloRetryRequest"],
  [EXTENSION.pskKeyExchangeModes]: NOWHERE,
  [EXTENSION.certificateAuthorities]: NOWHERE,
  [EXTENSION.signatureAlgorithmsCert]: NOWHERE,
  [EXTENSION.keyShare]: ["ServerHello", "HelloRetryRequest"],
  [EXTENSION.trustAnchors]: ["EncryptedExtensions", "Certificate"],
  [EXTENSION.encryptedClientHello]: [
    "HelloRetryRequest",
    "EncryptedExtensions",
  ],
  [EXTENSION.renegotiationInfo]: NOWHERE,
};

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
    if (!(ANSWERED_IN[type] ?? ENCRYPTED).includes(answer)) {
      throw fatal("illegalParameter", `${answer} has extension ${type}`);
    }
  }
}
