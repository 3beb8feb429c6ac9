import { join } from "./section.ts";

/** Thrown where a text stops being TOML that we read. */
export class TomlError extends Error {
  /** `"TomlError"`. */
  override readonly name = "TomlError";
  /** Line of the fault, from 1. */
  readonly line: number;
  /** Dotted path of the key at fault, or of the table around it; empty if not known. */
  readonly path: string;
  /** Whether the key is one that no schema has. */
  readonly isUnknownKey: boolean;

  /** Says what is wrong at `line`. */
  constructor(line: number, path: string, message: string) {
    super(message);
    this.line = line;
    this.path = path;
    this.isUnknownKey = message === UNKNOWN_KEY;
  }
}

/** Where a key or item stands, and what made it: a value, a dotted key, the path of a header, or headers. */
export interface Place {
  /** Its line, from 1; of a table, its header's or that of its first key. */
  readonly line: number;
  /** Its dotted path, e.g. `peers[1].host`; empty for the whole text. */
  readonly path: string;
  /** What made it, which says who may add to it; a float is told here, as its value may be an integer. */
  by: "value" | "float" | "dots" | "path" | "header" | "headers";
  /** Places by key, or by index from `"0"`. */
  readonly inside: Map<string, Place>;
}

const UNKNOWN_KEY = "unknown key";
const MAX_KEYS = 128;
const MAX_DEPTH = 32;

const SPACES_REGEXP = /[ \t]*/y;
const BLANKS_REGEXP = /[ \t]*(?:#[^\n]*)?/y;
const NEWLINE_REGEXP = /\r?\n/y;
const KEY_REGEXP = /[\w-]+|"[^"\\\n]*"|'[^'\n]*'/y;
const STRING_REGEXP =
  /"(?!"")(?:[^"\\\n]|\\(?:[^Uu\n]|u(?![Dd][89A-Fa-f])[\dA-Fa-f]{4}))*"|'(?!'')[^'\n]*'/y;
const LONG_STRING_REGEXP =
  /"""(?:[^"\\]|""?(?!")|\\(?:[^Uu]|u(?![Dd][89A-Fa-f])[\dA-Fa-f]{4}))*""""{0,2}|'''(?:[^']|''?(?!'))*''''{0,2}/y;
const BARE_REGEXP = /[\w+.:-]+/y;
const INTEGER_REGEXP = /^(?:[+-]?\d[\d_]*|0[box][\da-f_]+)$/i;
const FLOAT_REGEXP = /^[+-]?(?:\d|inf$|nan$)/;
const DATE_REGEXP = /^\d{4}-|^\d\d:/;

/**
 * Where every key and item of a TOML text stands.
 *
 * Leaves the values to `@std/toml`, but refuses what that takes or misreads against TOML: keys defined twice, two on a
 * line, keys of `Object.prototype`, times, `\U` escapes, halves of surrogate pairs; and more than 128 keys in a table,
 * as its time grows with their square.
 *
 * @throws {TomlError} If it finds any of these, or cannot follow the text.
 */
export function scanToml(text: string): Place {
  return new TomlScanner(text).scan();
}

class TomlScanner {
  readonly #text: string;
  #position = 0;
  #line = 1;
  #path = "";

  constructor(text: string) {
    this.#text = text;
  }

  get #next(): string {
    return this.#text[this.#position] ?? "";
  }

  scan(): Place {
    const inside = new Map<string, Place>();
    const root: Place = { line: 1, path: "", by: "header", inside };
    if (!this.#text.isWellFormed()) this.#fail("want well-formed Unicode");
    let table = root;
    for (this.#skipLines(); this.#next !== ""; this.#skipLines()) {
      this.#path = "";
      if (this.#next === "[") table = this.#header(root);
      else this.#pair(table, MAX_DEPTH);
      this.#match(BLANKS_REGEXP);
      if (!"\r\n".includes(this.#next)) this.#fail("want the end of the line");
    }
    return root;
  }

  #header(root: Place): Place {
    const close = this.#take("[[") ? "]]" : this.#take("[") ? "]" : "";
    const { path, name } = this.#keys();
    if (!this.#take(close)) this.#fail(`want ${close}`);
    let parent = root;
    for (const key of path) parent = this.#enter(parent, key, "path");
    const found = parent.inside.get(name);
    if (close === "]") {
      if (found?.by === "path") {
        this.#path = found.path;
        this.#fail("want tables before those in them");
      }
      return this.#add(parent, name, "header");
    }
    const tables = found ?? this.#add(parent, name, "headers");
    this.#path = tables.path;
    if (tables.by !== "headers") this.#fail("key is defined twice");
    return this.#addItem(tables, "header");
  }

  #pair(table: Place, depth: number): void {
    this.#path = table.path;
    const { path, name } = this.#keys();
    if (!this.#take("=")) this.#fail("want = after the key");
    for (const key of path) table = this.#enter(table, key, "dots");
    this.#match(SPACES_REGEXP);
    this.#value(this.#add(table, name, "value"), depth);
  }

  #keys(): { path: string[]; name: string } {
    const path: string[] = [];
    do {
      this.#match(SPACES_REGEXP);
      const key = this.#match(KEY_REGEXP) ??
        this.#fail("want a key, without escapes");
      path.push(/^["']/.test(key) ? key.slice(1, -1) : key);
      this.#match(SPACES_REGEXP);
    } while (this.#take("."));
    if (path.length > MAX_DEPTH) this.#fail(`want at most ${MAX_DEPTH} keys`);
    return { path, name: path.pop()! };
  }

  #enter(table: Place, key: string, by: "path" | "dots"): Place {
    const found = table.inside.get(key) ?? this.#add(table, key, by);
    this.#path = found.path;
    const isOpen = by === "dots"
      ? found.by === "dots"
      : found.by !== "value" && found.by !== "float";
    if (!isOpen) this.#fail("key is defined twice");
    const { inside } = found;
    return found.by === "headers" ? inside.get(`${inside.size - 1}`)! : found;
  }

  #add(table: Place, key: string, by: Place["by"]): Place {
    const { inside } = table;
    this.#path = join(table.path, key);
    if (isReserved(key)) this.#fail(UNKNOWN_KEY);
    if (inside.has(key)) {
      this.#fail(`${by === "header" ? "table" : "key"} is defined twice`);
    }
    if (inside.size === MAX_KEYS) {
      this.#fail(`want at most ${MAX_KEYS} keys in a table`);
    }
    return this.#put(inside, by, key);
  }

  #addItem({ inside, path }: Place, by: Place["by"]): Place {
    this.#path = `${path}[${inside.size}]`;
    return this.#put(inside, by, `${inside.size}`);
  }

  #put(inside: Map<string, Place>, by: Place["by"], key: string): Place {
    const [line, path] = [this.#line, this.#path];
    const place: Place = { line, path, by, inside: new Map() };
    inside.set(key, place);
    return place;
  }

  #value(place: Place, depth: number): void {
    if (depth === 0) this.#fail(`want at most ${MAX_DEPTH} levels of nesting`);
    if (this.#take("[")) {
      const item = () => this.#value(this.#addItem(place, "value"), depth - 1);
      this.#items("]", item);
    } else if (this.#take("{")) {
      this.#items("}", () => this.#pair(place, depth - 1));
    } else if (!this.#string() && this.#isFloat()) place.by = "float";
  }

  #items(close: string, readItem: () => void): void {
    for (this.#skipLines(); !this.#take(close); this.#skipLines()) {
      readItem();
      this.#skipLines();
      if (this.#take(close)) return;
      if (!this.#take(",")) this.#fail(`want , or ${close}`);
    }
  }

  #string(): boolean {
    if (!/^["']$/.test(this.#next)) return false;
    const text = this.#match(STRING_REGEXP) ?? this.#match(LONG_STRING_REGEXP);
    return text !== undefined ||
      this.#fail("string is not closed, or has an escape that is not read");
  }

  #isFloat(): boolean {
    const text = this.#match(BARE_REGEXP) ?? this.#fail("want a value");
    if (text === "true" || text === "false") return false;
    if (INTEGER_REGEXP.test(text)) return false;
    if (DATE_REGEXP.test(text)) {
      this.#fail("dates are not used here: write a string");
    }
    return FLOAT_REGEXP.test(text) ||
      this.#fail("want a value: strings must be quoted");
  }

  #skipLines(): void {
    do this.#match(BLANKS_REGEXP); while (this.#match(NEWLINE_REGEXP));
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#position;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) return undefined;
    this.#position += found.length;
    for (let at = -1; (at = found.indexOf("\n", at + 1)) >= 0;) this.#line++;
    return found;
  }

  #take(token: string): boolean {
    if (!this.#text.startsWith(token, this.#position)) return false;
    this.#position += token.length;
    return true;
  }

  #fail(message: string): never {
    throw new TomlError(this.#line, this.#path, message);
  }
}

/** Whether `key` is one that `@std/toml` cannot look up, or drops. */
function isReserved(key: string): boolean {
  return key === "" || key === "__proto__" || key in Object.prototype;
}
