import type { Clock } from "./clock.ts";

/** Options of functions that wait. */
export interface WaitOptions {
  /** Ends the wait; the promise rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Resolves after `ms` milliseconds of `clock`.
 *
 * @throws The reason of `signal`, if it aborts first.
 */
export function delay(
  clock: Clock,
  ms: number,
  { signal }: WaitOptions = {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      cancel();
      reject(signal!.reason);
    };
    const cancel = clock.setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
