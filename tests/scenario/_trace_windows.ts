import { meanOf, varianceOf } from "../statistics/_point_process.ts";
import type { LinkWrite } from "./_link_trace.ts";

/** A time in which links were watched. */
export interface Span {
  /** Its start, in milliseconds. */
  readonly fromMs: number;
  /** Its end. */
  readonly untilMs: number;
}

/** What a classifier gets to see: a row for each window, a column for each feature. */
export interface Features {
  /** Of the columns. */
  readonly names: readonly string[];
  /** Of the windows. */
  readonly rows: readonly Float64Array[];
}

const NIBBLES = 16;
const EDGE_BYTES = 4;
const PARTS = 3;

/** The directions of one link, by name. */
export type Directions = Readonly<Record<string, readonly LinkWrite[]>>;

/** Everything of the windows of `links` that may tell, each link cut into windows of `windowMs`. */
export function windowsOf(
  links: readonly Directions[],
  { fromMs, untilMs }: Span,
  windowMs: number,
): Features {
  const rows: Float64Array[] = [];
  let names: readonly string[] = [];
  for (const link of links) {
    const streams = Object.entries(link)
      .map(([name, writes]) => [name, new Stream(writes)] as const);
    for (let at = fromMs; at + windowMs <= untilMs; at += windowMs) {
      const features = streams.flatMap(([name, stream]) =>
        Object.entries(stream.window(at, at + windowMs))
          .map(([feature, value]) => [`${name} ${feature}`, value] as const)
      );
      if (streams.length === 2) {
        const [first, second] = streams.map(([, { current }]) => current);
        features.push(["the echo", echoMs(first!, second!, windowMs)]);
      }
      names = features.map(([name]) => name);
      rows.push(Float64Array.from(features, ([, value]) => value));
    }
  }
  return { names, rows };
}

/** How soon a write of one direction follows one of the other, at the soonest. */
function echoMs(
  to: readonly LinkWrite[],
  of: readonly LinkWrite[],
  most: number,
): number {
  let least = most;
  for (const { atMs } of to) {
    for (const { atMs: earlier } of of) {
      if (earlier <= atMs) least = Math.min(least, atMs - earlier);
    }
  }
  return least;
}

class Stream {
  readonly #writes: readonly LinkWrite[];
  /** In how many places a write equals the one before. */
  readonly #repeats: Float64Array;
  #next = 0;
  current: readonly LinkWrite[] = [];

  constructor(writes: readonly LinkWrite[]) {
    this.#writes = writes;
    this.#repeats = Float64Array.from(
      writes,
      ({ bytes }, i) => i === 0 ? 0 : repeats(bytes, writes[i - 1]!.bytes),
    );
  }

  window(fromMs: number, untilMs: number): Record<string, number> {
    const writes = this.#writes;
    while (this.#next < writes.length && writes[this.#next]!.atMs < fromMs) {
      this.#next++;
    }
    const start = this.#next;
    while (this.#next < writes.length && writes[this.#next]!.atMs < untilMs) {
      this.#next++;
    }
    const own = writes.slice(start, this.#next);
    this.current = own;
    const times = own.map(({ atMs }) => atMs - fromMs);
    const before = (writes[start - 1]?.atMs ?? fromMs) - fromMs;
    const gaps = times.map((at, i) => at - (times[i - 1] ?? before));
    const inner = gaps.slice(1);
    const lengths = own.map(({ bytes }) => bytes.length);
    return {
      count: own.length,
      ...parts(times, untilMs - fromMs),
      age: -before,
      first: times[0] ?? untilMs - fromMs,
      last: times.at(-1) ?? 0,
      "mean gap": gaps.length > 0 ? meanOf(gaps) : 0,
      "least gap": Math.min(untilMs - fromMs, ...gaps),
      "longest gap": Math.max(0, ...gaps),
      "gap spread": inner.length > 1
        ? Math.sqrt(varianceOf(inner)) / meanOf(inner)
        : -1,
      "gap change": inner.length > 1
        ? meanOf(inner.slice(1).map((gap, i) => Math.abs(gap - inner[i]!)))
        : -1,
      "least length": own.length > 0 ? Math.min(...lengths) : -1,
      "most length": Math.max(-1, ...lengths),
      repeats: this.#repeats.slice(start, this.#next)
        .reduce((sum, count) => sum + count, 0) / Math.max(1, own.length),
      ...bytesOf(own),
    };
  }
}

function parts(times: readonly number[], windowMs: number) {
  const counts = new Array<number>(PARTS).fill(0);
  for (const at of times) counts[Math.floor(at / windowMs * PARTS)]!++;
  return Object.fromEntries(counts.map((count, i) => [`part ${i}`, count]));
}

function bytesOf(writes: readonly LinkWrite[]): Record<string, number> {
  const nibbles = new Float64Array(NIBBLES);
  let total = 0;
  for (const { bytes } of writes) {
    total += bytes.length;
    for (const byte of bytes) nibbles[byte >> 4]!++;
  }
  const [first] = writes;
  const edges = Array.from({ length: 2 * EDGE_BYTES }, (_, i) => {
    const at = i < EDGE_BYTES ? i : i - 2 * EDGE_BYTES;
    return [`byte ${at}`, first?.bytes.at(at) ?? -1] as const;
  });
  return {
    ...Object.fromEntries(edges),
    ...Object.fromEntries(
      Array.from(
        nibbles,
        (count, i) => [`nibble ${i}`, total > 0 ? count / total : -1],
      ),
    ),
  };
}

function repeats(a: Uint8Array, b: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < a.length; i++) {
    if (a[i] === b[i]) count++;
  }
  return count;
}
