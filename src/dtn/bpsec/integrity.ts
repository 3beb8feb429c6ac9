import { type Bytes, equal } from "../../core/bytes/mod.ts";
import type {
  CryptoProvider,
  HashName,
  Secret,
} from "../../core/crypto/mod.ts";
import type { Bundle } from "../bundle/bundle.ts";
import { BLOCK_TYPE, type CanonicalBlock } from "../bundle/canonical_block.ts";
import { CRC_TYPE } from "../bundle/crc.ts";
import type { Eid } from "../bundle/eid.ts";
import { freeBlockNumber } from "../bundle/extension_blocks.ts";
import { encodePrimaryBlock } from "../bundle/primary_block.ts";
import { BpsecError } from "./error.ts";
import {
  type BlockHeader,
  byteStringParts,
  FULL_SCOPE,
  PRIMARY_TARGET,
  scopeParts,
  targetOf,
} from "./scope.ts";
import {
  bytesIn,
  decodeSecurityBlock,
  encodeSecurityBlock,
  integerIn,
  SECURITY_CONTEXT,
  type SecurityBlock,
  type SecurityItem,
} from "./security_block.ts";
import { checkSecurityBlocks, encryptedBlocks } from "./security_operations.ts";
import { freshKey, resolveKey, type SecurityKeys } from "./security_keys.ts";
import {
  checkWhole,
  isSecurityBlock,
  withoutChecks,
  withSecurityBlock,
} from "./security_bundle.ts";

/** Parameters and results of BIB-HMAC-SHA2 (RFC 9173 §3.3, §3.4). */
const PARAMETER = { variant: 1, wrappedKey: 2, scope: 3 } as const;
const RESULT_HMAC = 1;

/** SHA-2 variants (RFC 9173 §3.3.1). */
export const SHA_VARIANT = { sha256: 5, sha384: 6, sha512: 7 } as const;
const HASHES: Readonly<Record<number, HashName>> = {
  5: "sha256",
  6: "sha384",
  7: "sha512",
};
/** Bytes of a fresh key: those of the hash. */
const KEY_LENGTH = { sha256: 32, sha384: 48, sha512: 64 } as const;

/** How blocks are signed. */
export interface SignOptions {
  /** Who signs. */
  readonly source: Eid;
  /** Numbers of the blocks, 0 the primary one. */
  readonly targets: readonly number[];
  /** The key of HMAC, of any length. */
  readonly key: Secret;
  /**
   * Whether `key` wraps a fresh key instead, which travels with the block (RFC 9173 §3.3.2).
   *
   * @default {false}
   */
  readonly wrap?: boolean;
  /**
   * The hash of HMAC.
   *
   * @default {"sha384"}
   */
  readonly hash?: keyof typeof SHA_VARIANT;
  /**
   * {@link SCOPE_FLAG}s.
   *
   * @default {7}
   */
  readonly scope?: number;
  /**
   * Number of the integrity block.
   *
   * @default the lowest that is free
   */
  readonly number?: number;
}

/**
 * `bundle` with an integrity block for `targets` (BIB-HMAC-SHA2, RFC 9173 §3). The check values of the
 * targets go, as RFC 9172 §3.8 wants.
 *
 * @throws {BpsecError} `no_target` if a target is not there, `malformed` if it is a security block.
 */
export function signBlocks(
  crypto: CryptoProvider,
  bundle: Bundle,
  options: SignOptions,
): Bundle {
  const { source, targets, scope = FULL_SCOPE, hash = "sha384" } = options;
  checkWhole(bundle);
  checkTargets(bundle, targets);
  checkPlain(bundle, targets);
  const unchecked = withoutChecks(bundle, targets);
  const header = {
    type: BLOCK_TYPE.integrity,
    number: options.number ?? freeBlockNumber(bundle.blocks),
    flags: 0,
  };
  const fresh = options.wrap
    ? freshKey(crypto, options.key, KEY_LENGTH[hash])
    : undefined;
  const key = fresh?.key ?? options.key.expose();
  const parameters: SecurityItem[] = [
    [PARAMETER.variant, SHA_VARIANT[hash]],
    ...fresh ? [[PARAMETER.wrappedKey, fresh.wrapped] as const] : [],
    [PARAMETER.scope, scope],
  ];
  const results = targets.map((target): SecurityItem[] => [[
    RESULT_HMAC,
    macOf(crypto, hash, key, unchecked, target, header, scope),
  ]]);
  const data = encodeSecurityBlock({
    targets,
    contextId: SECURITY_CONTEXT.bibHmacSha2,
    source,
    parameters,
    results,
  });
  const block = { ...header, crcType: CRC_TYPE.none, data };
  const signed = withSecurityBlock(unchecked, block);
  checkSecurityBlocks(signed);
  return signed;
}

/** How signatures are verified. */
export interface VerifyOptions {
  /**
   * Whether targets that have a check value of their own, as HDTN's, are refused (RFC 9172 §3.8).
   *
   * @default {false}
   */
  readonly refuseTargetCrc?: boolean;
}

/**
 * Verifies what the integrity block `block` of `bundle` says of each target.
 *
 * @returns What it says.
 * @throws {BpsecError} If it does not hold.
 */
export function verifyIntegrity(
  crypto: CryptoProvider,
  bundle: Bundle,
  block: CanonicalBlock,
  keys: SecurityKeys,
  options: VerifyOptions = {},
): SecurityBlock {
  const security = decodeSecurityBlock(block.data);
  const { targets, parameters, source } = security;
  if (security.contextId !== SECURITY_CONTEXT.bibHmacSha2) {
    throw new BpsecError("unknown_context", "Not BIB-HMAC-SHA2");
  }
  const hash = HASHES[
    integerIn(parameters, PARAMETER.variant, SHA_VARIANT.sha384)
  ];
  if (!hash) throw new BpsecError("malformed", "Unknown SHA variant");
  const scope = integerIn(parameters, PARAMETER.scope, FULL_SCOPE);
  checkTargets(bundle, targets);
  const wrapped = bytesIn(parameters, PARAMETER.wrappedKey);
  const key = resolveKey(crypto, keys, "integrity", source, wrapped);
  for (const [i, target] of targets.entries()) {
    if (options.refuseTargetCrc && targetOf(bundle, target)?.crcType) {
      throw new BpsecError("malformed", "A signed block has a check value");
    }
    const got = bytesIn(security.results[i]!, RESULT_HMAC);
    if (!got) throw new BpsecError("malformed", "A target has no HMAC");
    const want = macOf(crypto, hash, key, bundle, target, block, scope);
    if (got.length !== want.length || !equal(got, want)) {
      throw new BpsecError("failed", `The HMAC of block ${target} is another`);
    }
  }
  return security;
}

/** HMAC of the integrity-protected plaintext (RFC 9173 §3.7). */
function macOf(
  crypto: CryptoProvider,
  hash: HashName,
  key: Uint8Array,
  bundle: Bundle,
  number: number,
  header: BlockHeader,
  scope: number,
): Bytes {
  const target = targetOf(bundle, number);
  const data = target?.data ?? encodePrimaryBlock(bundle.primary);
  return crypto.hmac(
    hash,
    key,
    ...scopeParts(bundle, target, header, scope),
    ...byteStringParts(data),
  );
}

function checkTargets(bundle: Bundle, targets: readonly number[]): void {
  if (targets.length === 0 || new Set(targets).size < targets.length) {
    throw new BpsecError("malformed", "Want targets, each once");
  }
  for (const target of targets) {
    const block = targetOf(bundle, target);
    if (block && isSecurityBlock(block)) {
      throw new BpsecError("malformed", "A security block is not signed");
    }
  }
}

/** What is encrypted is not signed, and nothing that may cover the primary block's check value is there when that goes. */
function checkPlain(bundle: Bundle, targets: readonly number[]): void {
  const encrypted = encryptedBlocks(bundle);
  if (targets.some((target) => encrypted.has(target))) {
    throw new BpsecError("malformed", "An encrypted block is not signed");
  }
  if (
    targets.includes(PRIMARY_TARGET) && bundle.primary.crcType &&
    bundle.blocks.some(isSecurityBlock)
  ) {
    throw new BpsecError("malformed", "The primary block is signed first");
  }
}
