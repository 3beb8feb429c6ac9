const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const UNITS: readonly (readonly [RegExp, number])[] = [
  [/^(nsec|ns)$/, 1e-6],
  [/^(usec|us)$/, 1e-3],
  [/^(millis|msec|ms)$/, 1],
  [/^(seconds?|secs?|s)$/, SECOND],
  [/^(minutes?|mins?|m)$/, MINUTE],
  [/^(hours?|hrs?|h)$/, HOUR],
  [/^(days?|d)$/, DAY],
  [/^(weeks?|w)$/, 7 * DAY],
  [/^(months?|M)$/, 30.44 * DAY],
  [/^(years?|y)$/, 365.25 * DAY],
];
const MAX_LIFETIME_MS = 2 ** 40;
const MAX_TEXT_LENGTH = 64;

/**
 * A lifetime in milliseconds: a plain number of them, or as dtn7-rs takes it, such as `1h`, `90s` or `1day 12h`.
 *
 * @throws {RangeError} If it is neither, below a millisecond or above 2^40.
 */
export function lifetimeOf(text: string): number {
  const ms = /^[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : spansOf(text);
  if (ms >= 1 && ms <= MAX_LIFETIME_MS) return Math.floor(ms);
  throw new RangeError("Want a lifetime in milliseconds, or such as 1h 30m");
}

function spansOf(text: string): number {
  if (text.length > MAX_TEXT_LENGTH) return NaN;
  if (!/^\s*([0-9]+\s*[a-zA-Z]+\s*)+$/.test(text)) return NaN;
  let ms = 0;
  for (const [, count, name] of text.matchAll(/([0-9]+)\s*([a-zA-Z]+)/g)) {
    const unit = UNITS.find(([names]) => names.test(name!))?.[1] ?? NaN;
    ms += Number(count) * unit;
  }
  return ms;
}
