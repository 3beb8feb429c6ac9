/**
 * Token buckets per network: IPv4 /24 and IPv6 /56 (Betanet 1.1 §5.2, profile G18).
 *
 * @module
 */
import type { Address } from "../core/transport/mod.ts";

/** Limits of {@link TokenBuckets}. */
export interface TokenBucketOptions {
  /** Tokens that a network can use at once; 60 by default. */
  readonly capacity?: number;
  /** Tokens that come back each second; 1 by default. */
  readonly refillPerSecond?: number;
  /** Most networks with a bucket of their own; 65,536 by default, about 8 MB. */
  readonly maxPrefixes?: number;
}

/** How many buckets one call looks at to find room. */
const SCAN = 16;
const ROUNDING_MS = 0.001;
const OVERFLOW = "";

/**
 * One token bucket per network prefix, in bounded memory.
 *
 * A bucket that has filled up again says nothing and is dropped; no other one ever is, so that using many networks does not reset
 * the bucket of any. While every place is taken, networks without a bucket share a single one.
 */
export class TokenBuckets {
  /** By prefix, the monotonic time at which the bucket is full again. */
  readonly #fullAtMs = new Map<string, number>();
  readonly #tokenMs: number;
  readonly #spanMs: number;
  readonly #maxPrefixes: number;

  /**
   * Starts with every bucket full.
   *
   * @throws {RangeError} If a limit is not above 0.
   */
  constructor(
    { capacity = 60, refillPerSecond = 1, maxPrefixes = 65_536 }:
      TokenBucketOptions = {},
  ) {
    for (const limit of [capacity, refillPerSecond, maxPrefixes]) {
      if (!(limit > 0)) throw new RangeError(`Want a limit above 0: ${limit}`);
    }
    this.#tokenMs = 1000 / refillPerSecond;
    this.#spanMs = capacity * this.#tokenMs + ROUNDING_MS;
    this.#maxPrefixes = maxPrefixes;
  }

  /** Number of networks with a bucket of their own. */
  get size(): number {
    return this.#fullAtMs.size - (this.#fullAtMs.has(OVERFLOW) ? 1 : 0);
  }

  /**
   * Takes one token of the network of `address`; `false` if it has none.
   *
   * @param nowMs Monotonic time in milliseconds.
   */
  take(address: Address, nowMs: number): boolean {
    const prefix = this.#bucket(addressPrefix(address), nowMs);
    const fullAtMs = Math.max(this.#fullAtMs.get(prefix) ?? 0, nowMs) +
      this.#tokenMs;
    if (fullAtMs - nowMs > this.#spanMs) return false;
    this.#fullAtMs.set(prefix, fullAtMs);
    return true;
  }

  /** `prefix`, or the shared bucket if there is no room for one more. */
  #bucket(prefix: string, nowMs: number): string {
    if (this.#fullAtMs.has(prefix) || this.size < this.#maxPrefixes) {
      return prefix;
    }
    let scanned = 0;
    for (const [old, fullAtMs] of this.#fullAtMs) {
      this.#fullAtMs.delete(old);
      if (fullAtMs > nowMs) this.#fullAtMs.set(old, fullAtMs);
      else if (old !== OVERFLOW) return prefix;
      if (++scanned === SCAN) break;
    }
    return OVERFLOW;
  }
}

/** The network of `address`: `192.0.2.0/24`, `20010db800000000/56`, or the host name where it is no IP address. */
export function addressPrefix(address: Address): string {
  const host = URL.parse(address.replace(/%[^\]]*\]/, "]"))?.hostname ?? "?";
  if (!host.startsWith("[")) {
    const v4 = host.match(/^(\d+\.\d+\.\d+)\.\d+$/);
    return v4 ? `${v4[1]}.0/24` : host;
  }
  const groups = expand(host.slice(1, -1));
  if (groups.slice(0, 6).join(":") === "0:0:0:0:0:65535") {
    return `${groups[6]! >> 8}.${groups[6]! & 0xff}.${groups[7]! >> 8}.0/24`;
  }
  const network = [...groups.slice(0, 3), groups[3]! & 0xff00];
  return network.map((n) => n.toString(16).padStart(4, "0")).join("") + "/56";
}

/** The eight groups of an IPv6 address in the form that `URL` gives it. */
function expand(text: string): number[] {
  const [before, after] = text.split("::").map((part) =>
    part.split(":").filter((group) => group !== "").map((group) =>
      parseInt(group, 16)
    )
  );
  if (!after) return before!;
  const zeros = new Array(8 - before!.length - after.length).fill(0);
  return [...before!, ...zeros, ...after];
}
