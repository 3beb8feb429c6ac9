import {
  type Bytes,
  CborTag,
  decodeCbor,
  DecodeError,
  encodeCbor,
  utf8,
} from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { FabricError } from "../error.ts";
import type { Agent } from "../identity/agent.ts";
import { AgentId } from "../identity/agent_id.ts";

/** What a signature is for; of one purpose it is none for another. */
export type SignaturePurpose =
  | "betanet-fabric-record-v1"
  | "betanet-fabric-message-v1"
  | "betanet-fabric-receipts-v1"
  | "betanet-fabric-group-v1"
  | "betanet-fabric-vote-v1";

/** What an agent has signed. */
export interface Signed {
  /** Who signed. */
  readonly signer: AgentId;
  /** What; it borrows from the bytes that were opened. */
  readonly payload: Uint8Array;
}

const TAG = 18;
const HEADER = { alg: 1, kid: 4 } as const;
const EDDSA = -8;
const WHAT = "COSE_Sign1";

/** Bytes that signing adds to a payload, at most. */
export const SIGN1_OVERHEAD = 128;

/**
 * Signs `payload` as COSE_Sign1 (RFC 9052 §4.2) with EdDSA (RFC 9053 §2.2).
 *
 * ```text
 * 18([ << {1: -8, 4: 32B signer} >>, {}, payload, 64B signature ])
 * signature over ["Signature1", protected header, purpose, payload], in deterministic CBOR
 * ```
 */
export function sign1(
  agent: Agent,
  purpose: SignaturePurpose,
  payload: Uint8Array,
): Bytes {
  const header = encodeCbor(
    new Map<number, number | Uint8Array>([
      [HEADER.alg, EDDSA],
      [HEADER.kid, agent.id.bytes],
    ]),
  );
  const signature = agent.sign(signedBytes(header, purpose, payload));
  return encodeCbor(new CborTag(TAG, [header, new Map(), payload, signature]));
}

/**
 * Verifies what {@link sign1} made.
 *
 * @throws {DecodeError} If it is malformed.
 * @throws {FabricError} `unauthenticated` if its signer did not sign it for this purpose.
 */
export function openSign1(
  crypto: CryptoProvider,
  purpose: SignaturePurpose,
  bytes: Uint8Array,
): Signed {
  const item = decodeCbor(bytes, { maxDepth: 3, maxItems: 8 }, WHAT);
  if (!(item instanceof CborTag) || item.tag !== TAG) {
    throw malformed("want its tag");
  }
  const [header, unprotected, payload, signature, ...more] =
    Array.isArray(item.value) ? item.value : [];
  if (
    !(header instanceof Uint8Array) || !(payload instanceof Uint8Array) ||
    !(signature instanceof Uint8Array) || signature.length !== 64 ||
    !(unprotected instanceof Map) || unprotected.size > 0 || more.length > 0
  ) {
    throw malformed("want header, no more headers, payload and signature");
  }
  const signer = signerOf(header);
  const message = signedBytes(header, purpose, payload);
  if (!crypto.ed25519.verify(signer.bytes, message, signature)) {
    throw new FabricError("unauthenticated", "The signature does not verify");
  }
  return { signer, payload };
}

function signerOf(header: Uint8Array): AgentId {
  const map = decodeCbor(header, { maxDepth: 1, maxItems: 8 }, WHAT);
  const kid = map instanceof Map && map.size === 2 &&
      map.get(HEADER.alg) === EDDSA
    ? map.get(HEADER.kid)
    : undefined;
  if (!(kid instanceof Uint8Array) || kid.length !== 32) {
    throw malformed("want EdDSA and a signer of 32 bytes");
  }
  return new AgentId(kid);
}

function signedBytes(
  header: Uint8Array,
  purpose: SignaturePurpose,
  payload: Uint8Array,
): Bytes {
  return encodeCbor(["Signature1", header, utf8(purpose), payload]);
}

function malformed(reason: string): DecodeError {
  return new DecodeError(WHAT, reason);
}
