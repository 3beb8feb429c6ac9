import { type Clock, systemClock } from "../core/async/mod.ts";
import type { Duplex } from "./duplex.ts";
import { closeOnAbort } from "./close_on_abort.ts";

/** Why a splice ended. */
export type SpliceEnd =
  | "finished" // both sides ended
  | "reset" // one side broke, or its bytes could not be passed on
  | "idle" // nothing moved for too long
  | "aborted"; // the signal fired

/** Which way bytes go: `up` from the near side to the far, `down` back. */
export type Direction = "up" | "down";

/** What a splice did. */
export interface SpliceResult {
  /** Bytes written to the far side. */
  readonly up: number;
  /** Bytes written to the near side. */
  readonly down: number;
  /** Why it ended. */
  readonly reason: SpliceEnd;
  /** What broke, for `reset`; the signal's reason, for `aborted`. */
  readonly cause?: unknown;
}

/** Options of {@link splice}. */
export interface SpliceOptions {
  /** Ends the splice when no byte has moved either way for this long; {@link IDLE_TIMEOUT_MS} if not given. */
  readonly idleTimeoutMs?: number;
  /** Ends the splice and closes both sides. */
  readonly signal?: AbortSignal;
  /** Times the idleness; the machine's clock if not given. */
  readonly clock?: Clock;
  /** Told of every piece after it was written. */
  readonly onBytes?: (direction: Direction, byteLength: number) => void;
}

/** Five minutes: longer than the keep-alive of common servers, shorter than a forgotten connection should live. */
export const IDLE_TIMEOUT_MS = 300_000;

/** Buffer of a direction that waits. */
export const SMALL_BUFFER_BYTES = 4096;

/** Buffer of a direction that is busy. */
export const LARGE_BUFFER_BYTES = 262_144;

/**
 * Copies bytes both ways until both sides have ended, passing on each end as it comes, and closes both.
 *
 * Nothing is read before what was read is written, so a slow side holds back the other. If a side breaks, both are
 * closed. Never rejects.
 */
export async function splice(
  near: Duplex,
  far: Duplex,
  options: SpliceOptions = {},
): Promise<SpliceResult> {
  const { clock = systemClock, signal, onBytes } = options;
  const moved = { up: 0, down: 0 };
  let end: Pick<SpliceResult, "reason" | "cause"> | undefined;
  const stop = (reason: SpliceEnd, cause?: unknown) => {
    end ??= { reason, ...(cause !== undefined && { cause }) };
    near.close();
    far.close();
  };
  using idle = new IdleTimer(
    clock,
    options.idleTimeoutMs ?? IDLE_TIMEOUT_MS,
    () => stop("idle"),
  );
  using _abort = closeOnAbort(
    signal,
    { close: () => stop("aborted", signal?.reason) },
  );
  const pass = async (from: Duplex, to: Duplex, direction: Direction) => {
    try {
      await copy(from, to, (byteLength) => {
        idle.touch();
        moved[direction] += byteLength;
        onBytes?.(direction, byteLength);
      });
    } catch (error) {
      stop("reset", error);
    }
  };
  await Promise.all([pass(near, far, "up"), pass(far, near, "down")]);
  stop("finished");
  return { ...moved, ...end! };
}

async function copy(
  from: Duplex,
  to: Duplex,
  onWritten: (byteLength: number) => void,
): Promise<void> {
  const small = new Uint8Array(SMALL_BUFFER_BYTES);
  let large: WeakRef<Uint8Array> | undefined;
  let buffer: Uint8Array = small;
  for (;;) {
    const n = await from.read(buffer);
    if (n === null) return await to.closeWrite();
    await to.write(buffer.subarray(0, n));
    onWritten(n);
    if (n < buffer.length) {
      buffer = small; // nothing more is waiting: wait with little
    } else if (buffer === small) {
      buffer = large?.deref() ?? new Uint8Array(LARGE_BUFFER_BYTES);
      large = new WeakRef(buffer);
    }
  }
}

/** Fires once nothing was touched for a while; a touch only notes the time. */
class IdleTimer implements Disposable {
  readonly #clock: Clock;
  readonly #afterMs: number;
  readonly #onIdle: () => void;
  #touchedAt: number;
  #cancel: () => void;

  constructor(clock: Clock, afterMs: number, onIdle: () => void) {
    this.#clock = clock;
    this.#afterMs = afterMs;
    this.#onIdle = onIdle;
    this.#touchedAt = clock.now();
    this.#cancel = clock.setTimeout(() => this.#check(), afterMs);
  }

  touch(): void {
    this.#touchedAt = this.#clock.now();
  }

  #check(): void {
    const leftMs = this.#touchedAt + this.#afterMs - this.#clock.now();
    if (leftMs <= 0) return this.#onIdle();
    this.#cancel = this.#clock.setTimeout(() => this.#check(), leftMs);
  }

  [Symbol.dispose](): void {
    this.#cancel();
  }
}
