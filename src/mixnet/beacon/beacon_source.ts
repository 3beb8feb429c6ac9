import { orAbort } from "../../core/async/mod.ts";
import { type Bytes, utf8 } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import type { BeaconComponents } from "./beacon_set.ts";
import { BeaconError } from "./error.ts";

/** Where one component of the BeaconSet comes from. */
export interface BeaconSource {
  /** Name of the component, of `a-z 0-9 _`. */
  readonly name: string;
  /**
   * The component of `epoch`, 32 bytes; `undefined` if it is not out yet, or never will be.
   *
   * @throws {BeaconError} If the source gives no answer, or one that is not to be believed.
   */
  value(epoch: number, signal: AbortSignal): Promise<Bytes | undefined>;
}

/** What {@link gatherBeacon} got. */
export interface GatheredBeacon {
  /** A component, or `undefined`, for each source: what `beaconSet` takes. */
  readonly components: BeaconComponents;
  /** Why sources failed, by name; one whose component is not out did not fail. */
  readonly failures: ReadonlyMap<string, Error>;
}

/**
 * Asks all sources at once for their component of `epoch`. One that failed, or has not answered when `signal` aborts, counts as
 * missing and is reported.
 *
 * @throws {RangeError} If two sources have one name.
 */
export async function gatherBeacon(
  epoch: number,
  sources: readonly BeaconSource[],
  signal: AbortSignal,
): Promise<GatheredBeacon> {
  const components = new Map<string, Bytes | undefined>(
    sources.map(({ name }) => [name, undefined]),
  );
  if (components.size !== sources.length) {
    throw new RangeError("Two sources of the beacon have one name");
  }
  const failures = new Map<string, Error>();
  await Promise.all(sources.map(async (source) => {
    try {
      const value = await orAbort(source.value(epoch, signal), signal);
      if (value !== undefined && value.length !== 32) {
        throw new BeaconError("malformed", "A component has 32 bytes");
      }
      components.set(source.name, value);
    } catch (error) {
      failures.set(source.name, failureOf(error));
    }
  }));
  return { components, failures };
}

/**
 * The time, in seconds since 1970, whose randomness counts for `epoch`: the middle of the epoch before. So Ethereum has
 * finalized its block, and authorities have agreed on a document, before an epoch of an hour begins.
 */
export function beaconSeconds(epoch: number, epochSeconds: number): number {
  return epoch * epochSeconds - Math.floor(epochSeconds / 2);
}

/**
 * The component that `value`, as its source published it, stands for: SHA256("betanet-beacon-" ‖ name ‖ "-v1" ‖ value).
 * So it has 32 bytes, and no source can choose one that cancels another's.
 */
export function componentOf(
  crypto: CryptoProvider,
  name: string,
  value: Uint8Array,
): Bytes {
  return crypto.hash("sha256", utf8(`betanet-beacon-${name}-v1`), value);
}

function failureOf(error: unknown): Error {
  return error instanceof BeaconError
    ? error
    : new BeaconError("unreachable", "No answer", { cause: error });
}
