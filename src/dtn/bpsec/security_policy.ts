import type { CryptoProvider } from "../../core/crypto/mod.ts";
import type { Bundle } from "../bundle/bundle.ts";
import { BLOCK_TYPE } from "../bundle/canonical_block.ts";
import type { Eid } from "../bundle/eid.ts";
import { REPORT_REASON } from "../bundle/status_report.ts";
import { decryptBlocks, encryptBlocks } from "./confidentiality.ts";
import { BpsecError, type BpsecErrorCode } from "./error.ts";
import { signBlocks, type SignOptions, verifyIntegrity } from "./integrity.ts";
import { PRIMARY_TARGET, targetOf } from "./scope.ts";
import type { SecurityBlock } from "./security_block.ts";
import type { SecurityKeys } from "./security_keys.ts";
import {
  checkSecurityBlocks,
  confidentialityBlocksOf,
  integrityBlocksOf,
  type SecurityOperations,
} from "./security_operations.ts";
import { withoutBlocks, withoutTargets } from "./without_blocks.ts";

/** What a node has to do with a security operation (RFC 9172 §1.4). */
export type SecurityRole =
  | "source" // adds it
  | "verifier" // checks it and leaves it
  | "acceptor"; // checks it and removes it, so decrypts

/** What is done to which blocks of which bundles. */
export interface SecurityRule {
  /** What this node does. */
  readonly role: SecurityRole;
  /** Signing or encrypting. */
  readonly service: "integrity" | "confidentiality";
  /** Types of the blocks: {@link BLOCK_TYPE}, or 0 for the primary one. */
  readonly targets: readonly number[];
  /**
   * Bundles from where: an endpoint ID, or the beginning of some with `*` behind it.
   *
   * @default {"*"}
   */
  readonly from?: string;
  /**
   * Bundles to where, in the same way.
   *
   * @default {"*"}
   */
  readonly to?: string;
  /**
   * Who is to have signed or encrypted for a verifier or acceptor, in the same way; what others did counts as if it were not there.
   *
   * @default the node that made the bundle
   */
  readonly by?: string | undefined;
  /**
   * Whether a verifier or acceptor lets bundles pass that have not the operation.
   *
   * @default {false}
   */
  readonly optional?: boolean;
  /**
   * Whether a source wraps a fresh key, with the key for `wrapping`.
   *
   * @default {false}
   */
  readonly wrap?: boolean;
}

/** What a policy says of a bundle that came. */
export type SecurityVerdict =
  | {
    readonly kind: "passed";
    /** The bundle without what was accepted. */
    readonly bundle: Bundle;
  }
  /** A fragment, of which nothing can be checked: that is to be done when the bundle is whole again. */
  | { readonly kind: "fragment" }
  | {
    readonly kind: "refused";
    /** {@link REPORT_REASON} of a status report. */
    readonly reason: number;
    /** What failed; `undefined` if an operation is missing. */
    readonly code: BpsecErrorCode | undefined;
  };

/** What a {@link SecurityPolicy} is made of. */
export interface SecurityPolicyOptions {
  /** Cryptography. */
  readonly crypto: CryptoProvider;
  /** This node, as the source of what it adds. */
  readonly node: Eid;
  /** The keys that it shares with others; those of `node` are for what it adds. */
  readonly keys: SecurityKeys;
  /** What it does, in this order. */
  readonly rules: readonly SecurityRule[];
}

const PAYLOAD = 1;
const CHECKING = ["verifier", "acceptor"] as const;

const REASONS: Readonly<Record<BpsecErrorCode, number>> = {
  malformed: REPORT_REASON.failedSecurity,
  unknown_context: REPORT_REASON.unknownSecurity,
  no_target: REPORT_REASON.failedSecurity,
  no_key: REPORT_REASON.failedSecurity,
  failed: REPORT_REASON.failedSecurity,
};

/** Who must sign, encrypt and verify (RFC 9172 §7). */
export class SecurityPolicy {
  readonly #crypto: CryptoProvider;
  readonly #node: Eid;
  readonly #keys: SecurityKeys;
  readonly #rules: readonly SecurityRule[];

  /** Keeps what `options` say. */
  constructor(options: SecurityPolicyOptions) {
    this.#crypto = options.crypto;
    this.#node = options.node;
    this.#keys = options.keys;
    this.#rules = options.rules;
  }

  /**
   * `bundle` with what the rules for a source add: what is signed first, then what is encrypted.
   *
   * @throws {BpsecError} If there is no key, the bundle is a fragment, or a block is protected in that way already.
   */
  protect(bundle: Bundle): Bundle {
    let made = bundle;
    const encrypting = this.#rulesFor(bundle, "confidentiality", ["source"]);
    const secret = new Set(encrypting.flatMap(({ targets }) => targets));
    for (const rule of this.#rulesFor(bundle, "integrity", ["source"])) {
      const plain = rule.targets.filter((type) => !secret.has(type));
      const encrypted = rule.targets.filter((type) => secret.has(type));
      for (const targets of [plain, encrypted]) { // who cannot decrypt can verify the rest
        const options = this.#optionsFor(made, { ...rule, targets });
        if (options) made = signBlocks(this.#crypto, made, options);
      }
    }
    for (const rule of encrypting) {
      const options = this.#optionsFor(made, rule);
      if (options) made = encryptBlocks(this.#crypto, made, options);
    }
    return made;
  }

  /**
   * Checks `bundle` by the rules for a verifier or acceptor: what is encrypted first, then what is signed. An acceptor that decrypts
   * decrypts the integrity blocks too for which it has a key. What is for an endpoint of this node is decrypted whole, whatever the rules
   * say (RFC 9172 §5.1.1); of what then cannot be decrypted all but the payload is discarded.
   */
  check(bundle: Bundle): SecurityVerdict {
    if (bundle.primary.fragment) return { kind: "fragment" };
    try {
      checkSecurityBlocks(bundle);
      const decrypted = this.#decrypt(bundle);
      const opened = decrypted && this.#open(decrypted);
      const verified = opened && this.#verify(opened);
      return verified
        ? { kind: "passed", bundle: verified }
        : refused(REPORT_REASON.missingSecurity, undefined);
    } catch (error) {
      if (!(error instanceof BpsecError)) throw error;
      return refused(REASONS[error.code], error.code);
    }
  }

  /** `bundle` with what the rules accept decrypted; `undefined` if something should be encrypted and is not. */
  #decrypt(bundle: Bundle): Bundle | undefined {
    let passed = bundle;
    for (const rule of this.#rulesFor(bundle, "confidentiality", CHECKING)) {
      const wanted = targetsIn(bundle, rule.targets);
      const ownIn = (each: Bundle) =>
        confidentialityBlocksOf(each).filter(({ security }) =>
          isBy(rule, security, bundle)
        );
      const encrypted = ownIn(bundle).flatMap(({ security }) =>
        security.targets
      );
      if (!rule.optional && wanted.some((each) => !encrypted.includes(each))) {
        return undefined;
      }
      for (const { block, security } of ownIn(passed)) {
        const isWanted = security.targets.some((each) => wanted.includes(each));
        if (!isWanted && !this.#hidesSignature(passed, security)) continue;
        const opened = decryptBlocks(this.#crypto, passed, block, this.#keys);
        if (rule.role === "acceptor") passed = opened;
      }
    }
    return passed;
  }

  /** `bundle` without what is still encrypted, if it is for this node. */
  #open(bundle: Bundle): Bundle {
    if (!bundle.primary.destination.nodeId().equals(this.#node)) return bundle;
    let passed = bundle;
    for (const found of confidentialityBlocksOf(bundle)) {
      try {
        passed = decryptBlocks(this.#crypto, passed, found.block, this.#keys);
      } catch (error) {
        const { targets } = found.security;
        if (!(error instanceof BpsecError) || targets.includes(PAYLOAD)) {
          throw error;
        }
        passed = withoutBlocks(passed, [found.block.number, ...targets]);
      }
    }
    return passed;
  }

  /** `bundle` without the signatures that the rules accept; `undefined` if something should be signed and is not. */
  #verify(bundle: Bundle): Bundle | undefined {
    let passed = bundle;
    for (const rule of this.#rulesFor(bundle, "integrity", CHECKING)) {
      for (const target of targetsIn(bundle, rule.targets)) {
        const found = integrityBlocksOf(passed).find(({ security }) =>
          security.targets.includes(target) && isBy(rule, security, bundle)
        );
        if (found === undefined) {
          if (rule.optional) continue;
          return undefined;
        }
        verifyIntegrity(this.#crypto, passed, found.block, this.#keys);
        if (rule.role === "acceptor") {
          passed = withoutSignature(passed, found, target);
        }
      }
    }
    return passed;
  }

  #hidesSignature(bundle: Bundle, { targets, source }: SecurityBlock): boolean {
    const isSignature = targets.some((target) =>
      targetOf(bundle, target)?.type === BLOCK_TYPE.integrity
    );
    const uses = ["confidentiality", "wrapping"] as const;
    return isSignature && uses.some((use) => this.#keys.keyFor(use, source));
  }

  #optionsFor(bundle: Bundle, rule: SecurityRule): SignOptions | undefined {
    const targets = targetsIn(bundle, rule.targets);
    if (targets.length === 0) return undefined;
    const wrap = rule.wrap ?? false;
    const key = this.#keys.keyFor(wrap ? "wrapping" : rule.service, this.#node);
    if (key) return { source: this.#node, targets, key, wrap };
    throw new BpsecError("no_key", `No key of our own for ${rule.service}`);
  }

  #rulesFor(
    { primary }: Bundle,
    service: SecurityRule["service"],
    roles: readonly SecurityRole[],
  ): SecurityRule[] {
    return this.#rules.filter((rule) =>
      rule.service === service && roles.includes(rule.role) &&
      matches(rule.from ?? "*", primary.source) &&
      matches(rule.to ?? "*", primary.destination)
    );
  }
}

function refused(
  reason: number,
  code: BpsecErrorCode | undefined,
): SecurityVerdict {
  return { kind: "refused", reason, code };
}

/** Numbers of the blocks of `bundle` that have one of `types`. */
function targetsIn(bundle: Bundle, types: readonly number[]): number[] {
  const targets = types.includes(PRIMARY_TARGET) ? [PRIMARY_TARGET] : [];
  for (const { type, number } of bundle.blocks) {
    if (types.includes(type)) targets.push(number);
  }
  return targets;
}

function matches(pattern: string, eid: Eid): boolean {
  return pattern.endsWith("*")
    ? `${eid}`.startsWith(pattern.slice(0, -1))
    : `${eid}` === pattern;
}

function isBy(
  { by }: SecurityRule,
  { source }: SecurityBlock,
  { primary }: Bundle,
): boolean {
  return by === undefined
    ? source.nodeId().equals(primary.source.nodeId())
    : matches(by, source);
}

/** `bundle` without what the integrity block of `operations` says of `target`. */
function withoutSignature(
  { primary, blocks }: Bundle,
  operations: SecurityOperations,
  target: number,
): Bundle {
  const { number } = operations.block;
  const left = withoutTargets(operations, [target]);
  return {
    primary,
    blocks: blocks.flatMap((each) => each.number === number ? left : [each]),
  };
}
