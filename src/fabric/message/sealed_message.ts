import type { Bytes } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { encrypt0, ENCRYPT0_OVERHEAD, openEncrypt0 } from "../cose/encrypt0.ts";
import { openSign1, sign1, SIGN1_OVERHEAD } from "../cose/sign1.ts";
import { FabricError } from "../error.ts";
import type { Agent } from "../identity/agent.ts";
import { decodeMessage, encodeMessage, type Message } from "./message.ts";

const PURPOSE = "betanet-fabric-message-v1";

/** Bytes that signing and sealing add to an encoded message, at most. */
export const SEALED_OVERHEAD: number = SIGN1_OVERHEAD + ENCRYPT0_OVERHEAD;

/**
 * A message as it travels where nobody vouches for its sender: signed by `agent`, sealed to the recipient's `sealKey`.
 *
 * @throws {RangeError} If it is not from `agent`, or a field is out of range.
 */
export function sealMessage(
  crypto: CryptoProvider,
  agent: Agent,
  sealKey: Uint8Array,
  message: Message,
): Bytes {
  if (!message.from.equals(agent.id)) {
    throw new RangeError("An agent signs its own messages only");
  }
  const signed = sign1(agent, PURPOSE, encodeMessage(message));
  return encrypt0(crypto, sealKey, signed);
}

/**
 * The message that was sealed to `agent`, its sender verified.
 *
 * @throws {DecodeError} If it is malformed.
 * @throws {FabricError} `unauthenticated` if it was changed, is signed by another than its sender, or for another agent.
 */
export function openMessage(
  crypto: CryptoProvider,
  agent: Agent,
  sealed: Uint8Array,
): Message {
  const signed = openEncrypt0(crypto, agent.sealKeyPair, sealed);
  const { signer, payload } = openSign1(crypto, PURPOSE, signed);
  const message = decodeMessage(payload);
  // One who was sent a message could seal it on, signature and all, to somebody else.
  if (!message.from.equals(signer) || !message.to.equals(agent.id)) {
    throw new FabricError(
      "unauthenticated",
      "The message is not from its signer to this agent",
    );
  }
  return message;
}
