/** What may have been agreed on in TLS, and a name for nothing. */
export const PROTOCOLS = ["h2", "http/1.1", "none"] as const;

/** One of {@link PROTOCOLS}. */
export type Protocol = typeof PROTOCOLS[number];

/** Counts connections by protocol. */
export class ProtocolTally {
  readonly #counts: Record<Protocol, number> = {
    h2: 0,
    "http/1.1": 0,
    none: 0,
  };

  /** Counts one with `alpn`; what is none of {@link PROTOCOLS} counts as nothing. */
  add(alpn: string | undefined): void {
    this.#counts[PROTOCOLS.find((name) => name === alpn) ?? "none"]++;
  }

  /** The counts so far. */
  get counts(): Readonly<Record<Protocol, number>> {
    return { ...this.#counts };
  }
}
