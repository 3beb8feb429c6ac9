import {
  type Clock,
  Deadline,
  delay,
  systemClock,
  type WaitOptions,
} from "../core/async/mod.ts";
import type { CryptoProvider } from "../core/crypto/mod.ts";
import { TransportError } from "../core/transport/mod.ts";
import { HtxError } from "./error.ts";

/** The figures of §5.6. */
export const FALLBACK = {
  /** The pause before TCP is tried. */
  retryMs: [200, 1_200],
  /** When each cover connection opens, from the retry on. */
  coverOpenMs: [0, 1_000],
  /** When HTX starts on the new connection, from the retry on. */
  startMs: [100, 700],
  /** How long a cover connection stays. */
  coverStayMs: [3_000, 15_000],
  /** Cover connections of one fall-back. */
  covers: [2, 3],
  /** Fall-backs in any minute; a further one waits. */
  perMinute: 2,
} as const satisfies Record<string, number | readonly [number, number]>;

/** When what happens in one fall-back; every time is drawn on its own, uniformly. */
export interface FallbackPlan {
  /** Milliseconds from the failure to the retry over TCP. */
  readonly retryAfterMs: number;
  /** Milliseconds from the retry to the first byte of HTX. */
  readonly startAfterMs: number;
  /** The cover connections. */
  readonly covers: readonly {
    /** Where to; no two are the same. */
    readonly origin: string;
    /** Milliseconds from the retry. */
    readonly openAfterMs: number;
    /** Milliseconds from the opening. */
    readonly closeAfterMs: number;
  }[];
}

/** A connection to an origin that has nothing to do with HTX. */
export interface Cover {
  /** Whether somebody uses it for traffic of their own; then it is left alone. */
  readonly inUse?: boolean;
  /** Ends it. */
  close(): void;
}

/** What happened, for logs and tests. */
export interface FallbackEvent {
  /** What. */
  readonly type:
    | "failed" // the first way
    | "retry"
    | "start"
    | "cover_opening"
    | "cover_failed"
    | "cover_closed"
    | "cover_kept"; // it is in use
  /** When, by the clock. */
  readonly atMs: number;
  /** Which cover connection. */
  readonly origin?: string;
}

/** Options of {@link Fallback}. */
export interface FallbackOptions {
  /** Origins that have nothing to do with HTX, e.g. `https://example.org`: two or more. */
  readonly origins: readonly string[];
  /** Opens a cover connection, as a browser would. */
  readonly openCover: (
    origin: string,
    options: { readonly signal: AbortSignal },
  ) => Promise<Cover>;
  /** Draws the times. */
  readonly crypto: CryptoProvider;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Told of everything that happens; what it throws is dropped. */
  readonly onEvent?: (event: FallbackEvent) => void;
}

/** How {@link Fallback.dial} tries TCP: it connects at once, without resumption, and starts HTX when `start` resolves. */
export type Retry<T> = (
  options: { readonly start: Promise<void>; readonly signal: AbortSignal },
) => Promise<T>;

const MINUTE_MS = 60_000;

/**
 * Draws the times of one fall-back.
 *
 * @throws {RangeError} If there are fewer than two different `origins`.
 */
export function planFallback(
  crypto: CryptoProvider,
  origins: readonly string[],
): FallbackPlan {
  const left = [...new Set(origins)];
  const [fewest, most] = FALLBACK.covers;
  if (left.length < fewest) {
    throw new RangeError(
      `A fall-back needs ${fewest} cover origins: got ${left.length}`,
    );
  }
  const draw = (range: readonly [number, number]) => uniform(crypto, range);
  const count = Math.min(left.length, Math.floor(draw([fewest, most + 1])));
  const covers = Array.from({ length: count }, () => ({
    origin: left.splice(Math.floor(draw([0, left.length])), 1)[0]!,
    openAfterMs: draw(FALLBACK.coverOpenMs),
    closeAfterMs: draw(FALLBACK.coverStayMs),
  }));
  return {
    retryAfterMs: draw(FALLBACK.retryMs),
    startAfterMs: draw(FALLBACK.startMs),
    covers,
  };
}

/**
 * Goes from UDP to TCP as Betanet 1.1 §5.6 asks: after a pause, with cover connections about it, and with a late start of HTX.
 *
 * So whoever watches sees a browser whose QUIC failed and that opens several sites, not one connection that follows another. Cover
 * connections outlive {@link dial}; dispose ends them.
 */
export class Fallback implements Disposable {
  readonly #options: FallbackOptions;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  /** When the retries of the last minute were, and those to come will be, in their order. */
  #retries: number[] = [];

  /**
   * Opens nothing yet.
   *
   * @throws {RangeError} If there are fewer than two different origins.
   */
  constructor(options: FallbackOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    planFallback(options.crypto, options.origins);
  }

  /**
   * The outcome of `first`, or if the network fails it, that of `retry`.
   *
   * @throws What `first` does if the server refused us, for then TCP would be refused too; else what `retry` does.
   * @throws The reason of the signal.
   */
  async dial<T>(
    first: (options: { readonly signal: AbortSignal }) => Promise<T>,
    retry: Retry<T>,
    { signal }: WaitOptions = {},
  ): Promise<T> {
    const either = AbortSignal.any(
      signal ? [signal, this.#closing.signal] : [this.#closing.signal],
    );
    try {
      return await first({ signal: either });
    } catch (error) {
      either.throwIfAborted();
      if (!isNetworkFault(error)) throw error;
      this.#tell("failed");
    }
    const plan = planFallback(this.#options.crypto, this.#options.origins);
    await this.#untilRetry(plan, { signal: either });
    this.#tell("retry");
    for (const cover of plan.covers) void this.#cover(cover);
    const start = delay(this.#clock, plan.startAfterMs, { signal: either })
      .then(() => this.#tell("start"));
    start.catch(() => {}); // `retry` may fail before it looks
    return await retry({ start, signal: either });
  }

  /** Ends the attempts under way and every cover connection. */
  [Symbol.dispose](): void {
    this.#closing.abort(new HtxError("closed", "Dialler is closing"));
  }

  /** Waits for the retry, which counts towards {@link FALLBACK.perMinute} unless it is aborted before. */
  async #untilRetry(
    { retryAfterMs }: FallbackPlan,
    options: WaitOptions,
  ): Promise<void> {
    const now = this.#clock.now();
    this.#retries = this.#retries.filter((at) => at > now - MINUTE_MS);
    const before = this.#retries.at(-FALLBACK.perMinute) ?? -Infinity;
    const at = Math.max(now + retryAfterMs, before + MINUTE_MS);
    this.#retries = [...this.#retries, at].sort((a, b) => a - b);
    try {
      await delay(this.#clock, at - now, options);
    } catch (error) {
      this.#retries.splice(this.#retries.indexOf(at), 1);
      throw error;
    }
  }

  async #cover(
    { origin, openAfterMs, closeAfterMs }: FallbackPlan["covers"][number],
  ): Promise<void> {
    const { signal } = this.#closing;
    try {
      await delay(this.#clock, openAfterMs, { signal });
      this.#tell("cover_opening", origin);
      using stay = new Deadline(this.#clock, closeAfterMs, { signal });
      const { signal: staying } = stay;
      const cover = await this.#options.openCover(origin, { signal: staying });
      await aborted(staying);
      if (cover.inUse && !signal.aborted) {
        return this.#tell("cover_kept", origin);
      }
      cover.close();
      this.#tell("cover_closed", origin);
    } catch {
      if (!signal.aborted) this.#tell("cover_failed", origin);
    }
  }

  #tell(type: FallbackEvent["type"], origin?: string): void {
    const atMs = this.#clock.now();
    try {
      this.#options.onEvent?.({ type, atMs, ...(origin && { origin }) });
    } catch { // it has no say in what is dialled
    }
  }
}

/** Whether another way may work: nobody answered, or the connection broke or took too long. */
function isNetworkFault(error: unknown): boolean {
  return error instanceof TransportError ||
    error instanceof HtxError && error.code === "timeout";
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function uniform(
  crypto: CryptoProvider,
  [min, max]: readonly [number, number],
): number {
  const [word] = new Uint32Array(crypto.random(4).buffer);
  return min + word! / 2 ** 32 * (max - min);
}
