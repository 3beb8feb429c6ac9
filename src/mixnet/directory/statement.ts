import type { CborDecoded, CborValue } from "../../core/bytes/mod.ts";
import {
  bytesOf,
  integerOf,
  MAX_EPOCH,
  NETWORK_NAME,
  textOf,
} from "./fields.ts";

/** What all that authorities sign for an epoch has in common. */
export interface Statement {
  /** Ed25519 key of the authority: 32 bytes. */
  readonly authority: Uint8Array;
  /** Of which network. */
  readonly network: string;
  /** For which epoch. */
  readonly epoch: number;
}

/** The fields 1 to 3: authority, network, epoch. */
export function statementFields(
  { authority, network, epoch }: Statement,
): CborValue[] {
  return [authority, network, epoch];
}

/** Reads {@link statementFields}. */
export function statementOf(
  [authority, network, epoch]: readonly CborDecoded[],
): Statement {
  return {
    authority: bytesOf(authority, 32),
    network: textOf(network, NETWORK_NAME),
    epoch: integerOf(epoch, 0, MAX_EPOCH),
  };
}
