/**
 * Single-use reply blocks in the form of version 260: whoever holds one can answer once, and learns no more than the first hop.
 *
 * ```text
 * SURB   header 348 ‖ address of the first hop 32 ‖ payload seed of the last hop 16
 * ```
 *
 * The replier puts the last hop's layer on; every hop takes its own off, so that the creator, who alone knows the other
 * seeds, puts them all on again to find the replier's.
 *
 * @module
 */
import { type Bytes, concat } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { SphinxError } from "./error.ts";
import { HEADER_LENGTH, type SphinxGeometry } from "./geometry.ts";
import { ADDRESS_LENGTH, buildHeader, type Route } from "./header.ts";
import { PAYLOAD_SEED_LENGTH, payloadKey } from "./key_expansion.ts";
import { lionessDecrypt, lionessEncrypt } from "./lioness.ts";
import { recoverMessage, sealPayload } from "./payload.ts";

/** Bytes of a SURB. */
export const SURB_LENGTH: number = HEADER_LENGTH + ADDRESS_LENGTH +
  PAYLOAD_SEED_LENGTH;

/** What the creator of a SURB keeps to read the reply: 16 bytes a hop, the first hop's first. */
export type SurbRecovery = readonly Bytes[];

/**
 * A SURB that brings one message along `route` to us.
 *
 * @throws {RangeError} If a length or delay is out of range, or the identifier is zero: by it we find what to recover with.
 * @throws {SphinxError} `weak_point` if a node's key has low order.
 */
export function createSurb(
  crypto: CryptoProvider,
  route: Route,
): { readonly surb: Bytes; readonly recovery: SurbRecovery } {
  if (route.identifier.every((byte) => byte === 0)) {
    throw new RangeError("The identifier of a SURB is not zero");
  }
  const { header, payloadSeeds } = buildHeader(crypto, route);
  const { address } = route.route[0]!;
  return {
    surb: concat(header, address, payloadSeeds.at(-1)!),
    recovery: payloadSeeds,
  };
}

/**
 * The packet that carries `message` back, and the node that it goes to first.
 *
 * @throws {SphinxError} `surb` if `surb` has another length.
 * @throws {RangeError} If the message is too long.
 */
export function replyPacket(
  crypto: CryptoProvider,
  geometry: SphinxGeometry,
  surb: Uint8Array,
  message: Uint8Array,
): { readonly packet: Bytes; readonly firstHop: Bytes } {
  if (surb.length !== SURB_LENGTH) {
    throw new SphinxError(
      "surb",
      `A SURB has ${SURB_LENGTH} bytes: got ${surb.length}`,
    );
  }
  const seed = surb.subarray(HEADER_LENGTH + ADDRESS_LENGTH);
  const payload = sealPayload(crypto, geometry, [seed], message);
  return {
    packet: concat(surb.subarray(0, HEADER_LENGTH), payload),
    firstHop: surb.slice(HEADER_LENGTH, HEADER_LENGTH + ADDRESS_LENGTH),
  };
}

/**
 * The message of a reply, from the payload that the last hop delivered.
 *
 * @throws {SphinxError} `payload` if it was changed on its way, or belongs to another SURB.
 */
export function recoverReply(
  crypto: CryptoProvider,
  recovery: SurbRecovery,
  payload: Uint8Array,
): Bytes {
  const keys = recovery.map((seed) => payloadKey(crypto, seed));
  const block = payload.slice();
  for (const key of keys.toReversed()) lionessEncrypt(crypto, key, block);
  lionessDecrypt(crypto, keys.at(-1)!, block);
  return recoverMessage(block);
}
