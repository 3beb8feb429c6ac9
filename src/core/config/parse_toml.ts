// @ts-types="./toml.d.ts"
import { parse } from "@std/toml";
import { type Place, scanToml, TomlError } from "./scan_toml.ts";

/** Where a value stands: a line from 1, or an override of the command line. */
export type TomlLine = number | "override";

/** A value and where it stands. */
export type TomlValue =
  | TomlText
  | TomlNumber
  | TomlBoolean
  | TomlArray
  | TomlTable;

/** What every value has. */
export interface Placed {
  /** Where the value starts; of a table, its header or first key. */
  readonly line: TomlLine;
}

/** A string. */
export interface TomlText extends Placed {
  /** Tells the types of value apart. */
  readonly kind: "string";
  /** The characters meant. */
  readonly value: string;
}

/** A number; an integer beyond ±(2^53 − 1) may be rounded. */
export interface TomlNumber extends Placed {
  /** How it is written. */
  readonly kind: "integer" | "float";
  /** The number. */
  readonly value: number;
}

/** A boolean. */
export interface TomlBoolean extends Placed {
  /** Tells the types of value apart. */
  readonly kind: "boolean";
  /** The truth. */
  readonly value: boolean;
}

/** An array. */
export interface TomlArray extends Placed {
  /** Tells the types of value apart. */
  readonly kind: "array";
  /** Its values in order. */
  readonly items: readonly TomlValue[];
}

/** A table. */
export interface TomlTable extends Placed {
  /** Tells the types of value apart. */
  readonly kind: "table";
  /** Its values by key. */
  readonly entries: Map<string, TomlValue>;
}

/**
 * The values that `@std/toml` reads in a TOML text, with the line of each; dates are refused, as no option takes one. A
 * byte order mark is skipped.
 *
 * @throws {TomlError} If it is no TOML that `@std/toml` and `scanToml` read.
 */
export function parseToml(text: string): TomlTable {
  text = text.replace(/^\ufeff/, "");
  const places = scanToml(text);
  return placedTable(readValues(text), places);
}

/** The error of `@std/toml` is not kept as the cause: it quotes the text, which may hold secrets. */
function readValues(text: string): Record<string, unknown> {
  try {
    return parse(text);
  } catch (error) {
    const [, line] = /\bline (\d+)/.exec(String(error)) ?? [];
    throw new TomlError(
      Number(line ?? 1),
      "",
      "not TOML 1.0 as @std/toml reads it",
    );
  }
}

function placedTable(values: Record<string, unknown>, place: Place): TomlTable {
  const entries = new Map<string, TomlValue>();
  for (const [key, value] of Object.entries(values)) {
    entries.set(key, placed(value, place.inside.get(key) ?? place));
  }
  return { kind: "table", entries, line: place.line };
}

function placed(value: unknown, place: Place): TomlValue {
  const { line } = place;
  if (typeof value === "string") return { kind: "string", value, line };
  if (typeof value === "boolean") return { kind: "boolean", value, line };
  if (typeof value === "number") {
    return { kind: place.by === "float" ? "float" : "integer", value, line };
  }
  if (!Array.isArray(value)) {
    return placedTable(value as Record<string, unknown>, place);
  }
  const items = value.map((item, i) =>
    placed(item, place.inside.get(`${i}`) ?? place)
  );
  return { kind: "array", items, line };
}
