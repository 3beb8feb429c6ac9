import { MAX_EXTENSIONS } from "../hello_parts.ts";
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

/** Most columns; browsers' hellos need some 700. */
const MAX_COLUMNS = 4_096;

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
  const columns = new Map<Column, ColumnSums>();
  const cells = [...ours, ...reference].map((observation) => {
    const row: number[] = [];
    for (const [name, value] of cellsOf(observation, keep)) {
      let column = columns.get(name);
      if (!column) {
        column = { index: columns.size, seen: 0, sum: 0, squares: 0 };
        columns.set(name, column);
      }
      column.seen++;
      column.sum += value;
      column.squares += value * value;
      row.push(column.index, value);
    }
    return row;
  });
  return standardised([...columns], cells);
}

/** What is counted of a column. */
interface ColumnSums {
  readonly index: number;
  seen: number;
  sum: number;
  squares: number;
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
  for (const [part, value] of Object.entries(keep.parts && parts || {})) {
    yield [`${part}: ${value}`, 1];
  }
  for (const [name, { bytes }] of Object.entries(keep.random && random || {})) {
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

/** Drops the columns that are the same nearly everywhere, and scales the others; `cells` has a column and its value in turn. */
function standardised(
  columns: readonly [Column, ColumnSums][],
  cells: readonly (readonly number[])[],
): Features {
  const n = cells.length;
  const names: string[] = [];
  const absent: number[] = [];
  const scales: number[] = [];
  const place = new Map<number, number>();
  for (const [column, { index, seen, sum, squares }] of columns) {
    const mean = sum / n;
    const variance = squares / n - mean * mean;
    if (names.length === MAX_COLUMNS) break;
    if (seen < MIN_SEEN || variance < (MIN_SEEN - 1) / n) continue;
    const scale = 1 / Math.sqrt(variance);
    place.set(index, names.length);
    names.push(nameOf(column));
    absent.push(-mean * scale);
    scales.push(scale);
  }
  const rows = cells.map((row) => {
    const scaled = Float64Array.from(absent);
    for (let i = 0; i < row.length; i += 2) {
      const to = place.get(row[i]!);
      if (to !== undefined) scaled[to]! += row[i + 1]! * scales[to]!;
    }
    return scaled;
  });
  return { names, rows };
}
