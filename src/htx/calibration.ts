import { type Clock, orAbort } from "../core/async/mod.ts";
import type { CryptoProvider } from "../core/crypto/mod.ts";

/** What an origin shows a client that asks for a page over TLS and HTTP/2 (§5.1). */
export interface OriginTraits {
  /** The protocol it chose of those offered; `undefined` if none. */
  readonly alpn: string | undefined;
  /** Whether it resumed a TLS session. */
  readonly resumed: boolean;
  /** Its HTTP/2 SETTINGS, identifier and value, in the order sent; empty without HTTP/2. */
  readonly settings: readonly (readonly [identifier: number, value: number])[];
  /** The increment of its WINDOW_UPDATE for the connection before its first answer; 0 if it sent none. */
  readonly windowUpdate: number;
  /** Lengths in bytes of the session tickets it sent with its first answer, in their order. */
  readonly ticketLengths: readonly number[];
}

/** One difference between what the origin showed and what the HTX connection did. */
export interface Deviation {
  /** What differs, e.g. `alpn`, `settings[4]`. */
  readonly trait: string;
  /** What the origin showed. */
  readonly expected: string;
  /** What the HTX connection showed. */
  readonly got: string;
}

/** How far a connection is: through TLS, at the server's SETTINGS, or at the answer to its first request. */
export type Stage = "established" | "greeted" | "answered";

/** How far a SETTINGS value may lie outside the range that the origin itself varies in (BN11-5.1-6). */
const SETTINGS_TOLERANCE = 0.15;

/** How many pre-flights to one origin are compared with each other. */
export const CALIBRATION_SAMPLES = 4;

/** Options of {@link Calibrations}. */
export interface CalibrationsOptions {
  /** Fetches a page of the origin, as the browser would, and says what was seen. */
  readonly preflight: (
    origin: string,
    options: { readonly signal: AbortSignal },
  ) => Promise<OriginTraits>;
  /**
   * The longest time one pre-flight serves later connections, in milliseconds; each is used for a random 50 to 100 % of it, so that
   * pre-flights are not periodic (G8). Default 0: one before every connection, as BN11-5.1-2 says.
   */
  readonly reuseMs?: number;
  /** Times the reuse. */
  readonly clock: Clock;
  /** Draws the reuse. */
  readonly crypto: CryptoProvider;
  /** Most origins remembered; the one that was calibrated longest ago goes first. Default 64. */
  readonly maxOrigins?: number;
}

interface Known {
  readonly samples: OriginTraits[];
  readonly freshUntilMs: number;
}

/** A pre-flight under way, and how many wait for it. */
interface Asking {
  readonly samples: Promise<readonly OriginTraits[]>;
  readonly end: () => void;
  waiting: number;
}

/** What is known of each origin from pre-flights. */
export class Calibrations {
  readonly #options: CalibrationsOptions;
  readonly #origins = new Map<string, Known>();
  readonly #asking = new Map<string, Asking>();

  /** Knows nothing yet. */
  constructor(options: CalibrationsOptions) {
    this.#options = options;
  }

  /**
   * What `origin` showed of late, the newest last; asks it first unless that was done within the reuse time. Who comes while it is
   * being asked shares the answer; once nobody waits, the pre-flight is aborted.
   *
   * @throws What the pre-flight does: without one there is no HTX connection.
   * @throws The reason of the signal.
   */
  async of(
    origin: string,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<readonly OriginTraits[]> {
    const known = this.#origins.get(origin);
    if (known && this.#options.clock.now() < known.freshUntilMs) {
      return known.samples;
    }
    const asking = this.#asking.get(origin) ?? this.#ask(origin);
    asking.waiting++;
    try {
      return await orAbort(asking.samples, signal);
    } finally {
      if (--asking.waiting === 0) asking.end();
    }
  }

  /** Forgets `origin`, so that it is asked before the next connection. */
  forget(origin: string): void {
    this.#origins.delete(origin);
  }

  #ask(origin: string): Asking {
    const controller = new AbortController();
    const { signal } = controller;
    const preflight = this.#options.preflight(origin, { signal });
    const asking: Asking = {
      samples: preflight.then((traits) => this.#keep(origin, traits)),
      waiting: 0,
      end: () => {
        if (this.#asking.get(origin) === asking) this.#asking.delete(origin);
        controller.abort();
      },
    };
    this.#asking.set(origin, asking);
    return asking;
  }

  #keep(origin: string, traits: OriginTraits): readonly OriginTraits[] {
    const { clock, crypto, reuseMs = 0, maxOrigins = 64 } = this.#options;
    const [word] = new Uint32Array(crypto.random(4).buffer);
    const freshMs = reuseMs * (0.5 + word! / 2 ** 33);
    const before = this.#origins.get(origin)?.samples ?? [];
    const samples = [...before, traits].slice(-CALIBRATION_SAMPLES);
    this.#origins.delete(origin);
    this.#origins.set(origin, { samples, freshUntilMs: clock.now() + freshMs });
    for (const oldest of this.#origins.keys()) {
      if (this.#origins.size <= maxOrigins) break;
      this.#origins.delete(oldest);
    }
    return samples;
  }
}

/**
 * Where `seen` is not what the origin showed in `samples`; empty if an observer could not tell them apart by these traits.
 *
 * ALPN and the order of SETTINGS are those of one sample exactly; a SETTINGS value is exact too, unless the origin's own samples
 * vary: then it may lie up to 15 % outside their range. Tickets are those of a sample that was resumed if `seen` was, and of one that
 * was not if not; without such a sample, resumption itself differs.
 *
 * @param samples At least one.
 * @param stage How far the connection is that `seen` is of: what is yet to come is no deviation. Default `answered`.
 */
export function deviations(
  samples: readonly OriginTraits[],
  seen: OriginTraits,
  stage: Stage = "answered",
): Deviation[] {
  const found: Deviation[] = [];
  const compare = (
    trait: string,
    of: (traits: OriginTraits) => string,
    among = samples,
  ) => {
    const expected = [...new Set(among.map(of))];
    if (!expected.includes(of(seen))) {
      found.push({ trait, expected: expected.join(" or "), got: of(seen) });
    }
  };
  compare("alpn", ({ alpn }) => alpn ?? "none");
  compare("resumed", ({ resumed }) => String(resumed));
  if (stage === "established") return found;
  const answered = stage === "answered";
  compare(
    "settings",
    ({ settings }) => settings.map(([identifier]) => identifier).join(","),
  );
  for (const [identifier, value] of seen.settings) {
    const values = samples.flatMap(({ settings }) =>
      settings.filter(([id]) => id === identifier).map(([, v]) => v)
    );
    const fault = outside(value, values);
    if (fault) found.push({ trait: `settings[${identifier}]`, ...fault });
  }
  if (answered || seen.windowUpdate > 0) {
    compare("windowUpdate", ({ windowUpdate }) => String(windowUpdate));
  }
  const ticketsSeen = seen.ticketLengths.length;
  const alike = samples.filter(({ resumed }) => resumed === seen.resumed);
  if (alike.length > 0) {
    compare(
      "ticketLengths",
      ({ ticketLengths }) =>
        ticketLengths.slice(0, answered ? Infinity : ticketsSeen).join(","),
      alike,
    );
  }
  return found;
}

function outside(
  value: number,
  values: readonly number[],
): Omit<Deviation, "trait"> | undefined {
  if (values.length === 0) return undefined; // its absence is reported with the order
  const [min, max] = [Math.min(...values), Math.max(...values)];
  const slack = min === max ? 0 : SETTINGS_TOLERANCE;
  if (value >= min * (1 - slack) && value <= max * (1 + slack)) {
    return undefined;
  }
  const expected = min === max ? `${min}` : `${min}..${max}`;
  return { expected, got: `${value}` };
}
