import { DecodeError } from "../core/bytes/mod.ts";
import type { Address } from "../core/transport/mod.ts";
import { ContactError } from "../dtn/mod.ts";
import {
  formatMixAddress,
  type MixAddress,
  parseMixAddress,
} from "../mixnet/mod.ts";

const SCHEME = "mix:";

/** The address of a node behind a mix address: `mix:betanet-mix:…`. */
export function formatMixNode(address: MixAddress): Address {
  return SCHEME + formatMixAddress(address);
}

/**
 * The mix address that `address` names.
 *
 * @throws {ContactError} `unreachable` if it names none.
 */
export function parseMixNode(address: Address): MixAddress {
  try {
    if (address.startsWith(SCHEME)) {
      return parseMixAddress(address.slice(SCHEME.length));
    }
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
  }
  throw new ContactError("unreachable", "Want mix: and a mix address");
}
