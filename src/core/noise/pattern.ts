/**
 * Handshake patterns as data (Noise revision 34 §7.4, §7.5; the `hfs` forms by KEM-based Hybrid Forward Secrecy revision 1 §5).
 *
 * ```text
 * token  bytes on the wire                    after it
 * e      32, never encrypted                  MixHash
 * s      32 (+16 once a key exists)           MixHash
 * e1     1184 (+16 once a key exists)         MixHash
 * ekem1  1088 (+16 once a key exists)         MixHash, MixKey(shared secret)
 * ee es se ss   none                          MixKey(X25519)
 * payload       any (+16 once a key exists)   MixHash
 * ```
 *
 * @module
 */

/** What a message does next, in the words of the Noise specification. */
export type Token = "e" | "s" | "ee" | "es" | "se" | "ss" | "e1" | "ekem1";

/** A handshake pattern; messages alternate and the initiator sends the first. */
export interface Pattern {
  /** Whether the initiator has a static key. */
  readonly initiatorStatic: boolean;
  /** Whether the initiator knows the responder's static key beforehand (pre-message `<- s`). */
  readonly responderKnown: boolean;
  /** The tokens of each message. */
  readonly messages: readonly (readonly Token[])[];
}

/** A pattern as the protocol name writes it. */
export type PatternName =
  | "N"
  | "XK"
  | "XX"
  | "IK"
  | "XKhfs"
  | "XXhfs"
  | "IKhfs";

/** The patterns by name. */
export const PATTERN: Readonly<Record<PatternName, Pattern>> = {
  N: {
    initiatorStatic: false,
    responderKnown: true,
    messages: [["e", "es"]],
  },
  XK: {
    initiatorStatic: true,
    responderKnown: true,
    messages: [["e", "es"], ["e", "ee"], ["s", "se"]],
  },
  XX: {
    initiatorStatic: true,
    responderKnown: false,
    messages: [["e"], ["e", "ee", "s", "es"], ["s", "se"]],
  },
  IK: {
    initiatorStatic: true,
    responderKnown: true,
    messages: [["e", "es", "s", "ss"], ["e", "ee", "se"]],
  },
  XKhfs: {
    initiatorStatic: true,
    responderKnown: true,
    messages: [["e", "es", "e1"], ["e", "ee", "ekem1"], ["s", "se"]],
  },
  XXhfs: {
    initiatorStatic: true,
    responderKnown: false,
    messages: [["e", "e1"], ["e", "ee", "ekem1", "s", "es"], ["s", "se"]],
  },
  IKhfs: {
    initiatorStatic: true,
    responderKnown: true,
    messages: [["e", "es", "e1", "s", "ss"], ["e", "ee", "ekem1", "se"]],
  },
};

/** Longest Noise message in bytes, handshake or transport (Noise §3). */
export const MAX_MESSAGE_LENGTH = 65_535;

/** Bytes an AEAD tag adds. */
export const TAG_LENGTH = 16;

/** Bytes each token that travels puts on the wire, before a tag. */
export const TOKEN_LENGTH = { e: 32, s: 32, e1: 1_184, ekem1: 1_088 } as const;

/**
 * Length in bytes of message `index` (from 0) of `pattern` when it carries `payloadLength` bytes.
 *
 * @throws {RangeError} If the pattern has no such message.
 */
export function messageLength(
  pattern: PatternName,
  index: number,
  payloadLength = 0,
): number {
  const { messages } = PATTERN[pattern];
  if (!messages[index]) {
    throw new RangeError(`${pattern} has no message ${index}`);
  }
  let length = 0;
  let tag = 0;
  for (const tokens of messages.slice(0, index + 1)) {
    length = payloadLength;
    for (const token of tokens) {
      switch (token) {
        case "e":
          length += TOKEN_LENGTH.e;
          break;
        case "s":
        case "e1":
          length += TOKEN_LENGTH[token] + tag;
          break;
        case "ekem1":
          length += TOKEN_LENGTH.ekem1 + tag;
          tag = TAG_LENGTH;
          break;
        default:
          tag = TAG_LENGTH;
      }
    }
    length += tag;
  }
  return length;
}
