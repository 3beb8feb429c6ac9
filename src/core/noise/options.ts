import type { CryptoProvider, X25519KeyPair } from "../crypto/mod.ts";
import { PATTERN, type PatternName } from "./pattern.ts";
import type { NoiseHash } from "./symmetric_state.ts";

const KEY_LENGTH = 32;

/** Everything both sides must agree on, and this side's keys. */
export interface HandshakeOptions {
  /** Where primitives and randomness come from; all randomness is taken through its `random`. */
  readonly crypto: CryptoProvider;
  /** Which keys are sent, and when; N is one message from someone who has no key of its own. */
  readonly pattern: "N" | "XK" | "XX" | "IK";
  /** The hash of the protocol name. */
  readonly hash: NoiseHash;
  /** Whether to add ML-KEM-768, so that recorded traffic also withstands a quantum computer; N has no such form. */
  readonly hybrid: boolean;
  /** Who we are; the initiator sends the first message. */
  readonly role: "initiator" | "responder";
  /** Data both sides must have in common; empty by default. */
  readonly prologue?: Uint8Array;
  /** Our X25519 key pair, borrowed until the handshake ends; the initiator of N has none. */
  readonly staticKeyPair?: X25519KeyPair;
  /** The responder's 32-byte public key; required of the initiator in N, XK and IK, and not taken elsewhere. */
  readonly remoteStaticKey?: Uint8Array;
}

/**
 * The pattern that `pattern` and `hybrid` name together.
 *
 * @throws {TypeError} If there is none: one message cannot carry `ekem1`, which answers.
 */
export function patternName(
  { pattern, hybrid }: Pick<HandshakeOptions, "pattern" | "hybrid">,
): PatternName {
  if (!hybrid) return pattern;
  if (pattern === "N") throw new TypeError("Pattern N has no hybrid form");
  return `${pattern}hfs`;
}

/** The protocol name (Noise §8), e.g. `"Noise_XK_25519_ChaChaPoly_SHA256"`. */
export function protocolName(options: HandshakeOptions): string {
  const kem = options.hybrid ? "+MLKEM768" : "";
  const pattern = patternName(options);
  return `Noise_${pattern}_25519${kem}_ChaChaPoly_${options.hash}`;
}

/**
 * Checks that the keys the pattern wants are there and of the right length.
 *
 * @throws {TypeError} If a key is missing, or given where the pattern does not take it.
 * @throws {RangeError} If a key is not 32 bytes.
 */
export function checkKeys(options: HandshakeOptions): void {
  const { initiatorStatic, responderKnown } = PATTERN[patternName(options)];
  const isInitiator = options.role === "initiator";
  const wanted = responderKnown && isInitiator;
  const { staticKeyPair, remoteStaticKey } = options;
  if (wanted !== (remoteStaticKey !== undefined)) {
    throw new TypeError(
      wanted
        ? "Want remoteStaticKey: this pattern's initiator must know it"
        : "Want no remoteStaticKey: the handshake brings it",
    );
  }
  const ours = initiatorStatic || !isInitiator;
  if (ours !== (staticKeyPair !== undefined)) {
    throw new TypeError(
      ours
        ? "Want staticKeyPair: this pattern's side has a key"
        : "Want no staticKeyPair: this pattern's initiator has none",
    );
  }
  const keys = [
    staticKeyPair?.privateKey.expose(),
    staticKeyPair?.publicKey,
    remoteStaticKey,
  ];
  for (const key of keys) {
    if (key && key.length !== KEY_LENGTH) {
      throw new RangeError(`An X25519 key must be 32 bytes: got ${key.length}`);
    }
  }
}
