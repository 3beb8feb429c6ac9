/**
 * TOML 1.0 with the line of every value; dates are refused, as no option takes one.
 *
 * Takes time and memory in proportion to the text.
 *
 * @module
 */
import { readBare, readLineString, readString } from "./toml_scalar.ts";
import { TomlScanner } from "./toml_scanner.ts";

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
  line: TomlLine;
}

/** A string. */
export interface TomlText extends Placed {
  /** Tells the types of value apart. */
  readonly kind: "string";
  /** The characters meant. */
  readonly value: string;
}

/** A number; integers are within ±(2^53 − 1). */
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
  readonly items: TomlValue[];
  /** Whether `[[header]]` lines made it and may add to it. */
  readonly open: boolean;
}

/** A table. */
export interface TomlTable extends Placed {
  /** Tells the types of value apart. */
  readonly kind: "table";
  /** Its values by key. */
  readonly entries: Map<string, TomlValue>;
  /** What made it, which says who may still add to it. */
  made: "implicit" | "header" | "dotted" | "inline";
}

const BARE_KEY_REGEXP = /[A-Za-z0-9_-]+/y;
const MAX_DEPTH = 32;

/**
 * Reads a whole TOML text.
 *
 * @throws {TomlError} If it is not TOML 1.0, has a date, or nests more than 32 deep.
 */
export function parseToml(text: string): TomlTable {
  const scanner = new TomlScanner(text);
  const root = newTable(1, "header");
  let table = root;
  for (scanner.skipLines(); !scanner.done; scanner.skipLines()) {
    if (scanner.take("[[")) table = openArrayTable(scanner, root);
    else if (scanner.take("[")) table = openTable(scanner, root);
    else readPair(scanner, table, MAX_DEPTH);
    scanner.endLine();
  }
  return root;
}

/** An empty table. */
export function newTable(line: TomlLine, made: TomlTable["made"]): TomlTable {
  return { kind: "table", entries: new Map(), line, made };
}

function openTable(scanner: TomlScanner, root: TomlTable): TomlTable {
  const { line } = scanner;
  const { parent, name } = readHeader(scanner, root, "]");
  const found = parent.entries.get(name);
  if (found === undefined) {
    const table = newTable(line, "header");
    parent.entries.set(name, table);
    return table;
  }
  if (found.kind !== "table" || found.made !== "implicit") {
    scanner.fail("table is defined twice");
  }
  found.made = "header";
  found.line = line;
  return found;
}

function openArrayTable(scanner: TomlScanner, root: TomlTable): TomlTable {
  const table = newTable(scanner.line, "header");
  const { parent, name } = readHeader(scanner, root, "]]");
  const found = parent.entries.get(name);
  if (found === undefined) {
    const { line } = table;
    parent.entries.set(name, {
      kind: "array",
      items: [table],
      line,
      open: true,
    });
  } else if (found.kind === "array" && found.open) {
    found.items.push(table);
  } else {
    scanner.fail("key is defined twice");
  }
  return table;
}

/** The last name of a header and the table it belongs to, made if absent. */
function readHeader(scanner: TomlScanner, root: TomlTable, close: string) {
  const keys = readKeys(scanner);
  if (!scanner.take(close)) scanner.fail(`want ${close}`);
  const name = keys.pop()!;
  let parent = root;
  for (const key of keys) {
    let next = parent.entries.get(key);
    if (next === undefined) {
      parent.entries.set(key, next = newTable(scanner.line, "implicit"));
    }
    if (next.kind === "array" && next.open) next = next.items.at(-1)!;
    if (next.kind !== "table" || next.made === "inline") {
      scanner.fail("header goes through a key that is no open table");
    }
    parent = next;
  }
  return { parent, name };
}

function readPair(scanner: TomlScanner, table: TomlTable, depth: number): void {
  const { line } = scanner;
  const keys = readKeys(scanner);
  if (!scanner.take("=")) scanner.fail("want = after the key");
  const name = keys.pop()!;
  for (const key of keys) {
    let next = table.entries.get(key);
    if (next === undefined) {
      table.entries.set(key, next = newTable(line, "dotted"));
    }
    if (next.kind !== "table" || next.made !== "dotted") {
      scanner.fail("key adds to what is defined elsewhere");
    }
    table = next;
  }
  if (table.entries.has(name)) scanner.fail("key is defined twice");
  scanner.skipSpaces();
  table.entries.set(name, readValue(scanner, depth));
}

/** One key or several with dots between, and the spaces around them. */
function readKeys(scanner: TomlScanner): string[] {
  const keys: string[] = [];
  do {
    if (keys.length === MAX_DEPTH) {
      scanner.fail(`want at most ${MAX_DEPTH} keys`);
    }
    scanner.skipSpaces();
    keys.push(
      scanner.match(BARE_KEY_REGEXP) ?? readLineString(scanner) ??
        scanner.fail("want a key"),
    );
    scanner.skipSpaces();
  } while (scanner.take("."));
  return keys;
}

function readValue(scanner: TomlScanner, depth: number): TomlValue {
  const { line } = scanner;
  const text = readString(scanner);
  if (text !== undefined) return { kind: "string", value: text, line };
  if (depth === 0) scanner.fail(`want at most ${MAX_DEPTH} levels of nesting`);
  if (scanner.take("[")) return readArray(scanner, line, depth - 1);
  if (scanner.take("{")) return readInlineTable(scanner, line, depth - 1);
  return readBare(scanner);
}

function readArray(
  scanner: TomlScanner,
  line: number,
  depth: number,
): TomlArray {
  const items: TomlValue[] = [];
  scanner.skipLines();
  while (!scanner.take("]")) {
    items.push(readValue(scanner, depth));
    scanner.skipLines();
    if (scanner.take(",")) scanner.skipLines();
    else if (scanner.take("]")) break;
    else scanner.fail("want , or ] in the array");
  }
  return { kind: "array", items, line, open: false };
}

function readInlineTable(
  scanner: TomlScanner,
  line: number,
  depth: number,
): TomlTable {
  const table = newTable(line, "inline");
  scanner.skipSpaces();
  if (scanner.take("}")) return table;
  do {
    readPair(scanner, table, depth);
    scanner.skipSpaces();
  } while (scanner.take(","));
  if (!scanner.take("}")) scanner.fail("want , or } in the inline table");
  return table;
}
