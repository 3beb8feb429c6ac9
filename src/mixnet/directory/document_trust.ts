import { equal } from "../../core/bytes/mod.ts";

/** Who signs documents. */
export interface DocumentTrust {
  /** Name of the network. */
  readonly network: string;
  /** Ed25519 keys of the authorities: 1 to 64, 32 bytes each. */
  readonly authorities: readonly Uint8Array[];
  /** How many of them must have signed: more than half, so that two documents of an epoch have a signer in common. */
  readonly threshold: number;
}

const MAX_AUTHORITIES = 64;

/**
 * Wants different authorities, and a threshold that two documents of one epoch cannot reach unless somebody signs both.
 *
 * @throws {RangeError}
 */
export function checkTrust({ authorities, threshold }: DocumentTrust): void {
  const count = authorities.length;
  if (count > MAX_AUTHORITIES) {
    throw new RangeError(`Want at most ${MAX_AUTHORITIES} authorities`);
  }
  if (
    authorities.some((key, i) =>
      authorities.slice(0, i).some((other) => equal(key, other))
    )
  ) throw new RangeError("Want each authority once");
  if (!(threshold > count / 2)) {
    throw new RangeError("Want a threshold of more than half");
  }
  if (threshold > count) {
    throw new RangeError("Want a threshold of at most all");
  }
}
