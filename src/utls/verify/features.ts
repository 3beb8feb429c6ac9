import { MAX_EXTENSIONS } from "../client_hello.ts";
import type { Observation } from "./observation.ts";

/** One row of numbers a hello. */
export interface Features {
  /** What each column holds. */
  readonly names: readonly string[];
  /** The columns of each hello, those of `ours` first; every column has mean 0 and variance 1. */
  readonly rows: readonly Float64Array[];
}

/** What fewer hellos have, or lack, gets no column: it could not be learned. */
const MIN_SEEN = 10;

/**
 * Writes hellos as numbers for a classifier: one column for each position of each extension, each pair's order, each GREASE
 * value and each two places that agree in it, each ECH length, each bit of config_id, each masked part, each bit of the
 * first and the last byte of random fields, and how many bits they have set. Only what both samples kept is written.
 */
export function featuresOf(
  ours: readonly Observation[],
  reference: readonly Observation[],
): Features {
  const known = (pick: (o: Observation) => unknown) =>
    pick(ours[0]!) !== undefined && pick(reference[0]!) !== undefined;
  const keep = {
    parts: known(({ parts }) => parts),
    random: known(({ random }) => random),
    length: known(({ length }) => length),
    places: new Set(reference.flatMap(({ grease }) => Object.keys(grease))),
  };
  const columns = new Map<Column, { readonly index: number; seen: number }>();
  const cells = [...ours, ...reference].map((observation) => {
    const row: [number, number][] = [];
    for (const [name, value] of cellsOf(observation, keep)) {
      let column = columns.get(name);
      if (!column) {
        columns.set(name, column = { index: columns.size, seen: 0 });
      }
      column.seen++;
      row.push([column.index, value]);
    }
    return row;
  });
  return standardised([...columns], cells);
}

interface Keep {
  readonly parts: boolean;
  readonly random: boolean;
  readonly length: boolean;
  readonly places: ReadonlySet<string>;
}

/** By name, or, where there are many, by number: {@link before} and {@link at}. */
type Column = string | number;

/** The column of one extension before another. */
function before(first: number, second: number): Column {
  return first * 0x1_0000 + second;
}

const FIRST_AT = 2 ** 32;

/** The column of an extension at a place. */
function at(type: number, place: number): Column {
  return FIRST_AT + type * MAX_EXTENSIONS + place;
}

function nameOf(column: Column): string {
  if (typeof column === "string") return column;
  const rest = column - FIRST_AT;
  return rest < 0
    ? `${Math.floor(column / 0x1_0000)} before ${column % 0x1_0000}`
    : `${Math.floor(rest / MAX_EXTENSIONS)} at ${rest % MAX_EXTENSIONS}`;
}

/** The columns that are not 0. */
function* cellsOf(
  { order, grease, ech, parts, random, length }: Observation,
  keep: Keep,
): Iterable<[column: Column, value: number]> {
  for (let i = 0; i < order.length; i++) {
    yield [at(order[i]!, i), 1];
    for (let j = 0; j < i; j++) {
      if (order[j]! < order[i]!) yield [before(order[j]!, order[i]!), 1];
    }
  }
  const places = Object.entries(grease)
    .filter(([place]) => keep.places.has(place));
  for (let i = 0; i < places.length; i++) {
    const [place, value] = places[i]!;
    yield [`GREASE ${place} ${value}`, 1];
    for (const [other, same] of places.slice(0, i)) {
      if (same === value) yield [`GREASE ${other} = ${place}`, 1];
    }
  }
  if (ech) {
    yield [`ECH payload ${ech.payloadLength}`, 1];
    yield* bits("config_id", Uint8Array.of(ech.configId));
  }
  if (keep.length) yield [`length ${length}`, 1];
  for (const [part, value] of Object.entries(keep.parts ? parts! : {})) {
    yield [`${part}: ${value}`, 1];
  }
  for (const [name, { bytes }] of Object.entries(keep.random ? random! : {})) {
    yield* bits(`${name} start`, bytes.subarray(0, 1));
    yield* bits(`${name} end`, bytes.subarray(-1));
    yield [`${name} ones`, onesOf(bytes)];
  }
}

function* bits(name: string, bytes: Uint8Array): Iterable<[Column, number]> {
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    if (bytes[bit >> 3]! >> (7 - bit % 8) & 1) yield [`${name} bit ${bit}`, 1];
  }
}

function onesOf(bytes: Uint8Array): number {
  let ones = 0;
  for (let byte of bytes) for (; byte; byte &= byte - 1) ones++;
  return ones;
}

/** Drops the columns that are the same nearly everywhere, and scales the others. */
function standardised(
  columns: readonly [Column, { readonly seen: number }][],
  cells: readonly (readonly [number, number][])[],
): Features {
  const sums = new Float64Array(columns.length);
  const squares = new Float64Array(columns.length);
  for (const row of cells) {
    for (const [i, value] of row) {
      sums[i]! += value;
      squares[i]! += value * value;
    }
  }
  const n = cells.length;
  const kept: { column: Column; from: number; mean: number; scale: number }[] =
    [];
  columns.forEach(([column, { seen }], from) => {
    const mean = sums[from]! / n;
    const variance = squares[from]! / n - mean * mean;
    if (seen < MIN_SEEN || variance < (MIN_SEEN - 1) / n) return;
    kept.push({ column, from, mean, scale: 1 / Math.sqrt(variance) });
  });
  const place = new Map(kept.map((column, to) => [column.from, to]));
  const absent = Float64Array.from(kept, ({ mean, scale }) => -mean * scale);
  const rows = cells.map((row) => {
    const scaled = absent.slice();
    for (const [from, value] of row) {
      const to = place.get(from);
      if (to !== undefined) scaled[to]! += value * kept[to]!.scale;
    }
    return scaled;
  });
  return { names: kept.map(({ column }) => nameOf(column)), rows };
}
