/**
 * Bundle Protocol Security (RFC 9172) with the default security contexts (RFC 9173): blocks of bundles are signed with HMAC-SHA2 and
 * encrypted with AES-GCM, one by one.
 *
 * ```ts
 * import { Secret, nodeProvider as crypto } from "../../core/crypto/mod.ts";
 * import { BLOCK_TYPE, createBundle, Eid, payloadOf } from "../mod.ts";
 * import { SecurityPolicy } from "./mod.ts";
 * import { assert, assertEquals, assertNotEquals } from "@std/assert";
 *
 * const key = new Secret(crypto.random(32));
 * const keys = { keyFor: () => key };
 * const node = Eid.parse("ipn:1.0");
 * const targets = [BLOCK_TYPE.payload];
 * const service = "confidentiality";
 * const sender = new SecurityPolicy({ crypto, node, keys, rules: [{ role: "source", service, targets }] });
 * const receiver = new SecurityPolicy({ crypto, node, keys, rules: [{ role: "acceptor", service, targets }] });
 *
 * const payload = Uint8Array.of(1, 2, 3);
 * const creation = { timeMs: 849_000_000_000, sequence: 0 };
 * const bundle = createBundle({ source: node, destination: node, creation, lifetimeMs: 60_000, payload });
 * const sent = sender.protect(bundle);
 * assertNotEquals(payloadOf(sent), payload);
 * const verdict = receiver.check(sent);
 * assert(verdict.kind === "passed");
 * assertEquals(payloadOf(verdict.bundle), payload);
 * ```
 *
 * @module
 */
export {
  decryptBlocks,
  encryptBlocks,
  type EncryptOptions,
} from "./confidentiality.ts";
export { BpsecError, type BpsecErrorCode } from "./error.ts";
export {
  SHA_VARIANT,
  signBlocks,
  type SignOptions,
  verifyIntegrity,
  type VerifyOptions,
} from "./integrity.ts";
export { SCOPE_FLAG } from "./scope.ts";
export {
  decodeSecurityBlock,
  encodeSecurityBlock,
  SECURITY_CONTEXT,
  type SecurityBlock,
  type SecurityItem,
  type SecurityValue,
} from "./security_block.ts";
export type { SecurityKeys, SecurityKeyUse } from "./security_keys.ts";
export {
  checkSecurityBlocks,
  confidentialityBlocksOf,
  encryptedBlocks,
  integrityBlocksOf,
  type SecurityOperations,
} from "./security_operations.ts";
export {
  SecurityPolicy,
  type SecurityPolicyOptions,
  type SecurityRole,
  type SecurityRule,
  type SecurityVerdict,
} from "./security_policy.ts";
