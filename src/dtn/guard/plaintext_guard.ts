import { CborTag, decodeCbor, DecodeError } from "../../core/bytes/mod.ts";
import { type Bundle, payloadOf } from "../bundle/bundle.ts";
import { BUNDLE_FLAG } from "../bundle/bundle_flags.ts";
import { BundleError } from "../bundle/error.ts";
import { QUIRKS } from "../bundle/quirk.ts";
import { isEncrypted } from "../bundle/security_target.ts";
import { decodeStatusReport } from "../bundle/status_report.ts";

/** What shows that a payload is encrypted, or why it need not be. */
export type Encryption =
  | "bcb" // a block confidentiality block targets the payload (RFC 9172)
  | "cose" // it is a COSE_Encrypt or COSE_Encrypt0 with its tag (RFC 9052)
  | "record"; // it is a status report, which is for nodes to read

/** Tags of COSE_Encrypt0 and COSE_Encrypt, and the number of items of each. */
const COSE_ITEMS: ReadonlyMap<number | bigint, number> = new Map([
  [16, 3],
  [96, 4],
]);
/** The first byte of either. */
const COSE_STARTS = [0xd0, 0xd8];
/** The label of an algorithm in a header of COSE. */
const ALGORITHM = 1;
const PAYLOAD = 1;

/**
 * How the payload of `bundle` is encrypted, judged by structure alone: bytes that only look random count as plaintext, and so does
 * what an administrative record other than a status report holds, as an encapsulated bundle would be.
 *
 * It does not say that the encryption is good, nor by whom it is; that is for the recipient to see.
 */
export function encryptionOf(bundle: Bundle): Encryption | undefined {
  if (isEncrypted(bundle, PAYLOAD)) return "bcb";
  const payload = payloadOf(bundle);
  if ((bundle.primary.flags & BUNDLE_FLAG.adminRecord) !== 0) {
    return isStatusReport(payload) ? "record" : undefined;
  }
  return isCose(payload) ? "cose" : undefined;
}

function isStatusReport(payload: Uint8Array): boolean {
  return isRead(
    BundleError,
    () => decodeStatusReport(payload, { quirks: QUIRKS }) !== undefined,
  );
}

/** A whole COSE_Encrypt0 or COSE_Encrypt with its ciphertext in it, the algorithm named in its protected header (RFC 9052 §5). */
function isCose(payload: Uint8Array): boolean {
  if (!COSE_STARTS.includes(payload[0] ?? 0)) return false;
  return isRead(DecodeError, () => {
    const message = decodeCbor(payload, { deterministic: false });
    if (!(message instanceof CborTag) || !Array.isArray(message.value)) {
      return false;
    }
    const [header, rest, ciphertext, recipients = []] = message.value;
    return message.value.length === COSE_ITEMS.get(message.tag) &&
      header instanceof Uint8Array && namesAlgorithm(header) &&
      rest instanceof Map && ciphertext instanceof Uint8Array &&
      Array.isArray(recipients);
  });
}

function namesAlgorithm(header: Uint8Array): boolean {
  const map = decodeCbor(header, { deterministic: false });
  return map instanceof Map && map.has(ALGORITHM);
}

/** What `read` says, or `false` if what it reads is malformed. */
function isRead(
  malformed: typeof BundleError | typeof DecodeError,
  read: () => boolean,
): boolean {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof malformed)) throw error;
    return false;
  }
}
