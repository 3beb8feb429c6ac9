/**
 * Where a client gets messages.
 *
 * ```text
 * betanet-mix:<base64url of>
 *   gateway id     32   Ed25519 key, the Sphinx address of the exit gateway
 *   client id      32   X25519 link key, the Sphinx destination
 *   seal key       32   X25519 key that fragments are sealed to
 * ```
 *
 * @module
 */
import {
  type Bytes,
  concat,
  decodeBase64Url,
  DecodeError,
  encodeBase64Url,
  Reader,
} from "../../core/bytes/mod.ts";

const PREFIX = "betanet-mix:";
const KEY_LENGTH = 32;

/** Bytes of an encoded {@link MixAddress}. */
export const MIX_ADDRESS_LENGTH = 3 * KEY_LENGTH;

/** Where a client gets messages; every field has 32 bytes. */
export interface MixAddress {
  /** The gateway that keeps its mailbox. */
  readonly gatewayId: Bytes;
  /** Its mailbox there. */
  readonly clientId: Bytes;
  /** What messages to it are sealed to. */
  readonly sealKey: Bytes;
}

/**
 * The 96 bytes of `address`.
 *
 * @throws {RangeError} If a field is not 32 bytes long.
 */
export function encodeMixAddress(address: MixAddress): Bytes {
  const { gatewayId, clientId, sealKey } = address;
  for (const key of [gatewayId, clientId, sealKey]) {
    if (key.length !== KEY_LENGTH) {
      throw new RangeError(
        `Each part of an address has 32 bytes: got ${key.length}`,
      );
    }
  }
  return concat(gatewayId, clientId, sealKey);
}

/**
 * The address whose bytes these are.
 *
 * @throws {DecodeError} If they are not 96.
 */
export function decodeMixAddress(bytes: Uint8Array): MixAddress {
  const r = new Reader(bytes, "mix address");
  const take = () => new Uint8Array(r.take(KEY_LENGTH));
  const address = { gatewayId: take(), clientId: take(), sealKey: take() };
  r.end();
  return address;
}

/** The text of `address`, `betanet-mix:…`. */
export function formatMixAddress(address: MixAddress): string {
  return PREFIX + encodeBase64Url(encodeMixAddress(address));
}

/**
 * The address that `text` writes.
 *
 * @throws {DecodeError} If it does not begin with `betanet-mix:` or is not 96 bytes in base64url.
 */
export function parseMixAddress(text: string): MixAddress {
  if (!text.startsWith(PREFIX)) {
    throw new DecodeError("mix address", `want ${PREFIX}…`);
  }
  return decodeMixAddress(decodeBase64Url(text.slice(PREFIX.length)));
}
