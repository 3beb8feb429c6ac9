import { delay, systemClock } from "../../src/core/async/mod.ts";
import { CliError } from "../_error.ts";

const POLL_MS = 50;
const MAX_WAIT_MS = 60_000;

/**
 * Asks again and again until the answer is as wanted.
 *
 * @param what - What is waited for, as `Bob is no member`.
 * @throws {CliError} `failed` if it is not so after a minute.
 */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  isWanted: (value: T) => boolean,
  signal: AbortSignal,
): Promise<T> {
  const startMs = systemClock.now();
  for (;;) {
    const value = await ask();
    if (isWanted(value)) return value;
    if (systemClock.now() - startMs > MAX_WAIT_MS) {
      throw new CliError("failed", `In vain was waited for this: ${what}`);
    }
    await delay(systemClock, POLL_MS, { signal });
  }
}
