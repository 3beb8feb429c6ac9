import { concat } from "../../core/bytes/mod.ts";
import {
  CryptoError,
  type CryptoProvider,
  type Secret,
} from "../../core/crypto/mod.ts";
import { BLOCK_FLAG } from "../bundle/block_flags.ts";
import type { Bundle } from "../bundle/bundle.ts";
import { BLOCK_TYPE, type CanonicalBlock } from "../bundle/canonical_block.ts";
import { CRC_TYPE } from "../bundle/crc.ts";
import type { Eid } from "../bundle/eid.ts";
import { freeBlockNumber } from "../bundle/extension_blocks.ts";
import { BpsecError } from "./error.ts";
import { FULL_SCOPE, scopeParts, targetOf } from "./scope.ts";
import {
  bytesIn,
  decodeSecurityBlock,
  encodeSecurityBlock,
  integerIn,
  SECURITY_CONTEXT,
  type SecurityItem,
} from "./security_block.ts";
import {
  checkWhole,
  withoutChecks,
  withSecurityBlock,
} from "./security_bundle.ts";
import { freshKey, resolveKey, type SecurityKeys } from "./security_keys.ts";
import {
  checkSecurityBlocks,
  integrityBlocksOf,
} from "./security_operations.ts";

/** Parameters and results of BCB-AES-GCM (RFC 9173 §4.3, §4.4). */
const PARAMETER = { iv: 1, variant: 2, wrappedKey: 3, scope: 4 } as const;
const RESULT_TAG = 1;
const TAG_LENGTH = 16;
const IV_LENGTH = 12;
const MAX_IV_LENGTH = 16;
const MIN_IV_LENGTH = 8;
const PAYLOAD = 1;

/** AES variants (RFC 9173 §4.3.2) by the length of the key. */
const VARIANT_BY_KEY_LENGTH: Readonly<Record<number, number>> = {
  16: 1,
  32: 3,
};
const DEFAULT_VARIANT = 3;

/** How blocks are encrypted. */
export interface EncryptOptions {
  /** Who encrypts. */
  readonly source: Eid;
  /** Numbers of the blocks. */
  readonly targets: readonly number[];
  /** The key of AES-GCM, 16 or 32 bytes. */
  readonly key: Secret;
  /**
   * Whether `key` wraps a fresh key instead for each block, which travels with it (RFC 9173 §4.3.3).
   *
   * @default {false}
   */
  readonly wrap?: boolean;
  /**
   * Bytes of a fresh key.
   *
   * @default {32}
   */
  readonly freshKeyLength?: 16 | 32;
  /**
   * {@link SCOPE_FLAG}s.
   *
   * @default {7}
   */
  readonly scope?: number;
}

/** What a single confidentiality block is made with. */
export interface ConfidentialityBlockInit extends EncryptOptions {
  /** For all targets: with more than one it is used more than once, which AES-GCM does not forgive. */
  readonly iv: Uint8Array;
  /** Number of the block. */
  readonly number: number;
}

/**
 * `bundle` with `targets` encrypted, and the integrity blocks that sign them too, as RFC 9172 §3.9 demands (BCB-AES-GCM, RFC 9173 §4).
 * Each gets a confidentiality block and a random IV of its own. The check values of the targets go.
 *
 * @throws {BpsecError} `no_target` if a target is not there, `malformed` if it cannot be encrypted, or an integrity block signs others
 * besides, which could not be verified any longer.
 */
export function encryptBlocks(
  crypto: CryptoProvider,
  bundle: Bundle,
  options: EncryptOptions,
): Bundle {
  const signatures = integrityBlocksOf(bundle).filter(({ security }) =>
    security.targets.some((target) => options.targets.includes(target))
  );
  for (const { security } of signatures) {
    if (security.targets.some((each) => !options.targets.includes(each))) {
      throw new BpsecError("malformed", "A signature of other blocks too");
    }
  }
  const targets = signatures.map(({ block }) => block.number);
  let encrypted = bundle;
  for (const target of new Set([...targets, ...options.targets])) {
    encrypted = addConfidentialityBlock(crypto, encrypted, {
      ...options,
      targets: [target],
      iv: crypto.random(IV_LENGTH),
      number: freeBlockNumber(encrypted.blocks),
    });
  }
  return encrypted;
}

/** `bundle` with one confidentiality block for all of `targets`, as the examples of RFC 9173 have it. */
export function addConfidentialityBlock(
  crypto: CryptoProvider,
  bundle: Bundle,
  init: ConfidentialityBlockInit,
): Bundle {
  const { source, targets, scope = FULL_SCOPE, iv, number } = init;
  checkWhole(bundle);
  const header = {
    type: BLOCK_TYPE.confidentiality,
    number,
    flags: targets.includes(PAYLOAD) ? BLOCK_FLAG.replicate : 0,
  };
  const fresh = init.wrap
    ? freshKey(crypto, init.key, init.freshKeyLength ?? 32)
    : undefined;
  const key = fresh?.key ?? init.key.expose();
  using aead = crypto.aesGcm(key, iv.length);
  const results: SecurityItem[][] = [];
  let encrypted = withoutChecks(bundle, targets);
  for (const target of targets) {
    const block = encryptable(encrypted, target);
    const aad = concat(...scopeParts(encrypted, block, header, scope));
    const sealed = aead.seal(iv, block.data, aad);
    const length = sealed.length - TAG_LENGTH;
    results.push([[RESULT_TAG, sealed.subarray(length)]]);
    encrypted = withData(encrypted, target, sealed.subarray(0, length));
  }
  const data = encodeSecurityBlock({
    targets,
    contextId: SECURITY_CONTEXT.bcbAesGcm,
    source,
    parameters: [
      [PARAMETER.iv, iv],
      [PARAMETER.variant, VARIANT_BY_KEY_LENGTH[key.length]!],
      ...fresh ? [[PARAMETER.wrappedKey, fresh.wrapped] as const] : [],
      [PARAMETER.scope, scope],
    ],
    results,
  });
  const block = { ...header, crcType: CRC_TYPE.none, data };
  const made = withSecurityBlock(encrypted, block);
  checkSecurityBlocks(made);
  return made;
}

/**
 * `bundle` with the targets of its confidentiality block `block` decrypted, and without that block. Several targets under one IV are
 * accepted, as RFC 9173 and HDTN make them.
 *
 * @throws {BpsecError} If it cannot be decrypted.
 */
export function decryptBlocks(
  crypto: CryptoProvider,
  bundle: Bundle,
  block: CanonicalBlock,
  keys: SecurityKeys,
): Bundle {
  const { contextId, targets, parameters, results, source } =
    decodeSecurityBlock(block.data);
  if (contextId !== SECURITY_CONTEXT.bcbAesGcm) {
    throw new BpsecError("unknown_context", "Not BCB-AES-GCM");
  }
  const iv = bytesIn(parameters, PARAMETER.iv);
  if (!iv || iv.length < MIN_IV_LENGTH || iv.length > MAX_IV_LENGTH) {
    throw new BpsecError("malformed", "An IV has 8 to 16 bytes");
  }
  const scope = integerIn(parameters, PARAMETER.scope, FULL_SCOPE);
  const variant = integerIn(parameters, PARAMETER.variant, DEFAULT_VARIANT);
  const wrapped = bytesIn(parameters, PARAMETER.wrappedKey);
  const key = resolveKey(crypto, keys, "confidentiality", source, wrapped);
  if (VARIANT_BY_KEY_LENGTH[key.length] !== variant) {
    throw new BpsecError("no_key", "The key is of another length");
  }
  using aead = crypto.aesGcm(key, iv.length);
  let decrypted = bundle;
  for (const [i, target] of targets.entries()) {
    const ciphertext = encryptable(bundle, target);
    const tag = bytesIn(results[i]!, RESULT_TAG);
    if (tag?.length !== TAG_LENGTH) {
      throw new BpsecError("malformed", "A target has a tag of 16 bytes");
    }
    const aad = concat(...scopeParts(bundle, ciphertext, block, scope));
    const data = open(() => aead.open(iv, concat(ciphertext.data, tag), aad));
    decrypted = withData(decrypted, target, data);
  }
  const { primary, blocks } = decrypted;
  return {
    primary,
    blocks: blocks.filter(({ number }) => number !== block.number),
  };
}

function open(run: () => Uint8Array): Uint8Array {
  try {
    return run();
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    throw new BpsecError("failed", "A block does not decrypt", { cause });
  }
}

/** The block that is `target`, which may be neither the primary nor a confidentiality block (RFC 9172 §3.8). */
function encryptable(bundle: Bundle, target: number): CanonicalBlock {
  const block = targetOf(bundle, target);
  if (block && block.type !== BLOCK_TYPE.confidentiality) return block;
  throw new BpsecError("malformed", `Block ${target} cannot be encrypted`);
}

function withData(
  { primary, blocks }: Bundle,
  number: number,
  data: Uint8Array,
): Bundle {
  return {
    primary,
    blocks: blocks.map((block) =>
      block.number === number ? { ...block, data } : block
    ),
  };
}
