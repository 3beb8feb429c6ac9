import { type Bundle, payloadOf } from "../bundle/bundle.ts";
import { BUNDLE_FLAG } from "../bundle/bundle_flags.ts";
import { isEncrypted } from "../bundle/security_target.ts";

/** What shows that a payload is encrypted, or why it need not be. */
export type Encryption =
  | "bcb" // a block confidentiality block targets the payload (RFC 9172)
  | "cose" // it is a COSE_Encrypt or COSE_Encrypt0 with its tag (RFC 9052)
  | "record"; // it is an administrative record, which is for nodes to read

/** Tags of COSE_Encrypt0 and COSE_Encrypt. */
const COSE_TAGS = [0xd0, 0xd8_60];
const PAYLOAD = 1;

/**
 * How the payload of `bundle` is encrypted, judged by structure alone: bytes that only look random count as plaintext.
 *
 * It does not say that the encryption is good, nor by whom it is; that is for the recipient to see.
 */
export function encryptionOf(bundle: Bundle): Encryption | undefined {
  if ((bundle.primary.flags & BUNDLE_FLAG.adminRecord) !== 0) return "record";
  if (isEncrypted(bundle, PAYLOAD)) return "bcb";
  return isCose(payloadOf(bundle)) ? "cose" : undefined;
}

/** A tagged array of three (COSE_Encrypt0) or four (COSE_Encrypt) whose first item, the protected header, is a byte string. */
function isCose(payload: Uint8Array): boolean {
  const [first = 0, second = 0] = payload;
  const [tagLength, items] = first === COSE_TAGS[0]
    ? [1, 0x83]
    : (first << 8 | second) === COSE_TAGS[1]
    ? [2, 0x84]
    : [0, 0];
  return tagLength > 0 && payload[tagLength] === items &&
    (payload[tagLength + 1] ?? 0) >> 5 === 2;
}
