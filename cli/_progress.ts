import type { Clock } from "../src/core/async/mod.ts";
import type { Terminal } from "./_terminal.ts";

/** Between two redraws on a terminal, and between two lines elsewhere. */
const REDRAW_MS = 100;
const LINE_MS = 5_000;

const BAR_COLUMNS = 10;

/** What a {@link Progress} shows and where. */
export interface ProgressOptions {
  /** What is being done, e.g. `download`. */
  readonly label: string;
  /** Bytes in all; without it no share and no remaining time are shown. */
  readonly totalBytes?: number | undefined;
  /** Shows nothing. */
  readonly quiet: boolean;
  /** Where to show it. */
  readonly terminal: Pick<
    Terminal,
    "interactive" | "columns" | "note" | "status"
  >;
  /** Time for rate and redraws. */
  readonly clock: Clock;
}

/** Bytes done, rate and remaining time of a long transfer; disposing it leaves a last line. */
export class Progress implements Disposable {
  readonly #options: ProgressOptions;
  readonly #startedAt: number;
  #shownAt: number;
  #doneBytes = 0;

  /** Starts now, at zero bytes. */
  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#startedAt = this.#shownAt = options.clock.now();
  }

  /** Adds `bytes` to what is done. */
  advance(bytes: number): void {
    this.#doneBytes += bytes;
    const { quiet, terminal, clock } = this.#options;
    const now = clock.now();
    const waitMs = terminal.interactive ? REDRAW_MS : LINE_MS;
    if (quiet || now - this.#shownAt < waitMs) return;
    this.#shownAt = now;
    if (terminal.interactive) {
      terminal.status(
        this.#line(now, this.#bar()).slice(0, terminal.columns - 1),
      );
    } else terminal.note(this.#line(now));
  }

  /** Replaces the redrawn line by a last one. */
  [Symbol.dispose](): void {
    const { quiet, terminal, clock } = this.#options;
    if (quiet) return;
    if (terminal.interactive) terminal.status("");
    terminal.note(this.#line(clock.now()));
  }

  #bar(): string[] {
    const { totalBytes } = this.#options;
    if (!totalBytes) return [];
    const share = Math.min(this.#doneBytes / totalBytes, 1);
    const done = Math.floor(share * BAR_COLUMNS);
    return [`[${"#".repeat(done)}`.padEnd(BAR_COLUMNS + 1, "-") + "]"];
  }

  #line(now: number, bar: readonly string[] = []): string {
    const { label, totalBytes } = this.#options;
    const seconds = Math.max(now - this.#startedAt, 1) / 1000;
    const rate = this.#doneBytes / seconds;
    const parts = [label, ...bar];
    if (totalBytes === undefined) parts.push(formatBytes(this.#doneBytes));
    else {
      const share = totalBytes === 0 ? 1 : this.#doneBytes / totalBytes;
      parts.push(`${Math.floor(share * 100)}%`.padStart(4));
      parts.push(
        `${formatBytes(this.#doneBytes)} of ${formatBytes(totalBytes)}`,
      );
    }
    parts.push(`${formatBytes(rate)}/s`);
    const left = (totalBytes ?? 0) - this.#doneBytes;
    if (left > 0 && rate > 0) parts.push(`${formatSeconds(left / rate)} left`);
    else parts.push(`in ${formatSeconds(seconds)}`);
    return parts.join("  ");
  }
}

/** `1.5 MiB` for 1572864. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (value < 1024) {
      return `${unit === "B" ? Math.round(value) : value.toFixed(1)} ${unit}`;
    }
    value /= 1024;
  }
  return `${value.toFixed(1)} TiB`;
}

/** `0.4 s` below ten seconds, then `1:05` and `2:03:04`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const two = (n: number) => String(n).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0
    ? `${hours}:${two(minutes)}:${two(whole % 60)}`
    : `${minutes}:${two(whole % 60)}`;
}
