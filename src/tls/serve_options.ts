import { type Clock, systemClock } from "../core/async/mod.ts";
import type { Bytes } from "../core/bytes/mod.ts";
import { type CryptoProvider, defaultProvider } from "../core/crypto/mod.ts";
import type { TlsServerOptions } from "./server_options.ts";
import { suitesBySpeed } from "./suites_by_speed.ts";

/** What every way to serve TLS takes. */
export interface ServeTlsOptions
  extends Omit<TlsServerOptions, "crypto" | "wallTime"> {
  /** Judges the certificates of clients: it rejects if they are not good. Goes with `clientCertificates`, neither alone. */
  readonly verifyClient?: (chain: readonly Bytes[]) => Promise<void>;
  /**
   * Whether a client that ends without close_notify has just ended, as web servers take it; otherwise reading throws. For
   * protocols that know their own end. Default false.
   */
  readonly takesTruncation?: boolean;
  /** The primitives, default {@link defaultProvider}. */
  readonly crypto?: CryptoProvider;
  /** Default {@link systemClock}. */
  readonly clock?: Clock;
}

/**
 * What a server of `options` is made with; the fastest suites here are preferred if none are.
 *
 * @throws {RangeError} If there is no certificate.
 * @throws {TypeError} If one of `clientCertificates` and `verifyClient` is given alone.
 */
export function serverOptionsOf(options: ServeTlsOptions): TlsServerOptions {
  if (options.certificates.length === 0) {
    throw new RangeError("Want at least one certificate");
  }
  if (!options.clientCertificates !== !options.verifyClient) {
    throw new TypeError("Want clientCertificates and verifyClient, or none");
  }
  const { crypto = defaultProvider(), clock = systemClock } = options;
  return {
    ...options,
    preferences: {
      ...options.preferences,
      suites: options.preferences?.suites ?? suitesBySpeed(crypto, clock),
    },
    crypto,
    wallTime: () => clock.wallTime(),
  };
}
