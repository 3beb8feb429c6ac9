import { BLOCK_FLAG } from "../bundle/block_flags.ts";
import type { Bundle } from "../bundle/bundle.ts";
import { BLOCK_TYPE, type CanonicalBlock } from "../bundle/canonical_block.ts";
import { BpsecError } from "./error.ts";
import { targetOf } from "./scope.ts";
import { decodeSecurityBlock, type SecurityBlock } from "./security_block.ts";
import { isSecurityBlock } from "./security_bundle.ts";

/** A security block and what it says. */
export interface SecurityOperations {
  /** The block. */
  readonly block: CanonicalBlock;
  /** What its data says. */
  readonly security: SecurityBlock;
}

const PAYLOAD = 1;

/**
 * The confidentiality blocks of `bundle`.
 *
 * @throws {BpsecError} `malformed`.
 */
export function confidentialityBlocksOf(bundle: Bundle): SecurityOperations[] {
  return blocksOf(bundle, BLOCK_TYPE.confidentiality);
}

/**
 * The integrity blocks of `bundle` that are not encrypted.
 *
 * @throws {BpsecError} `malformed`.
 */
export function integrityBlocksOf(bundle: Bundle): SecurityOperations[] {
  return blocksOf(bundle, BLOCK_TYPE.integrity, encryptedBlocks(bundle));
}

/**
 * Numbers of the blocks of `bundle` that its confidentiality blocks say are encrypted; whether the payload is can be told by 1.
 *
 * @throws {BpsecError} `malformed`.
 */
export function encryptedBlocks(bundle: Bundle): ReadonlySet<number> {
  const blocks = confidentialityBlocksOf(bundle);
  return new Set(blocks.flatMap(({ security }) => security.targets));
}

/**
 * Checks that the security blocks of `bundle` go together (RFC 9172 §3.2, §3.7 to §3.9): no target has two of a kind, all are there,
 * what must not be signed or encrypted is not.
 *
 * @throws {BpsecError} `malformed`, `no_target`.
 */
export function checkSecurityBlocks(bundle: Bundle): void {
  const confidentiality = confidentialityBlocksOf(bundle);
  const integrity = integrityBlocksOf(bundle);
  checkOnce(confidentiality);
  checkOnce(integrity);
  for (const { block, security } of confidentiality) {
    for (const number of security.targets) {
      const target = targetOf(bundle, number);
      if (!target || target.type === BLOCK_TYPE.confidentiality) {
        throw new BpsecError("malformed", `Block ${number} is encrypted`);
      }
    }
    if ((block.flags & BLOCK_FLAG.discardBlock) !== 0) {
      throw new BpsecError("malformed", "What decrypts must not be discarded");
    }
    if (
      security.targets.includes(PAYLOAD) &&
      (block.flags & BLOCK_FLAG.replicate) === 0
    ) {
      throw new BpsecError("malformed", "What decrypts must be replicated");
    }
  }
  for (const { security } of integrity) {
    for (const number of security.targets) {
      const target = targetOf(bundle, number);
      if (target && isSecurityBlock(target)) {
        throw new BpsecError("malformed", "A security block is signed");
      }
    }
  }
}

function checkOnce(operations: readonly SecurityOperations[]): void {
  const targets = operations.flatMap(({ security }) => security.targets);
  if (new Set(targets).size < targets.length) {
    throw new BpsecError("malformed", "A target is protected twice");
  }
}

function blocksOf(
  { blocks }: Bundle,
  type: number,
  except: ReadonlySet<number> = new Set(),
): SecurityOperations[] {
  return blocks
    .filter((block) => block.type === type && !except.has(block.number))
    .map((block) => ({ block, security: decodeSecurityBlock(block.data) }));
}
