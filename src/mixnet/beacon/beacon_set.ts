import { type Bytes, utf8, Writer } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";

/** Public randomness of one epoch (Betanet 1.1 §7.2). */
export interface BeaconSet {
  /** Hours since 1970, or what the network counts as epochs. */
  readonly epoch: number;
  /** The components that were to be had, 32 bytes each, by name. */
  readonly components: ReadonlyMap<string, Uint8Array>;
  /** Names of those that were not. */
  readonly missing: readonly string[];
  /** All components XORed, or the fallback's hash: 32 bytes. */
  readonly value: Bytes;
}

const LENGTH = 32;
const FALLBACK = utf8("bn-fallback");

/** What came of each component of an epoch: 32 bytes, or nothing. */
export type BeaconComponents = ReadonlyMap<string, Uint8Array | undefined>;

/**
 * The XOR of the components that are there (BN11-7.2-1); which are missing is part of the result, as the last to reveal
 * a component chooses among the outcomes.
 *
 * @throws {RangeError} If a component is not 32 bytes long, or none is there: then {@link fallbackBeaconSet} is to be used.
 */
export function beaconSet(
  epoch: number,
  components: BeaconComponents,
): BeaconSet {
  const value = new Uint8Array(LENGTH);
  const there = new Map<string, Uint8Array>();
  const missing: string[] = [];
  for (const [name, component] of components) {
    if (!component) {
      missing.push(name);
      continue;
    }
    if (component.length !== LENGTH) {
      throw new RangeError(
        `A component has ${LENGTH} bytes: got ${component.length} of ${name}`,
      );
    }
    for (let i = 0; i < LENGTH; i++) value[i]! ^= component[i]!;
    there.set(name, component);
  }
  if (there.size === 0) {
    throw new RangeError(`No component of epoch ${epoch} is there`);
  }
  return { epoch, components: there, missing, value };
}

/**
 * What stands for the beacon where no component is there: SHA256("bn-fallback" ‖ K0c ‖ epoch) (BN11-7.2-2). Only the two
 * ends of the session that `key` comes from can know it; the caller logs that it was used.
 *
 * @param key K0c of an HTX session, 32 bytes.
 * @param missing Names of the components that were not there.
 */
export function fallbackBeaconSet(
  crypto: CryptoProvider,
  epoch: number,
  key: Uint8Array,
  missing: readonly string[],
): BeaconSet {
  const number = new Writer().u64(BigInt(epoch)).finish();
  const value = crypto.hash("sha256", FALLBACK, key, number);
  return { epoch, components: new Map(), missing, value };
}
