import type { Address } from "../../src/core/transport/mod.ts";

/** Whether `address` is that of a node behind HTX: `htx://host:port`. */
export function isHtx(address: Address): boolean {
  return address.startsWith("htx:");
}

/** The address at which HTX has it: TLS over TCP. */
export function carrierAddress(address: Address): Address {
  return address.replace(/^htx:/, "tls:");
}
