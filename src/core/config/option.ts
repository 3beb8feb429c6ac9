import type { ConfigErrorCode, ConfigIssue } from "./error.ts";
import type { TomlLine, TomlValue } from "./parse_toml.ts";

/** How values of one kind are read, written and explained. */
export interface OptionKind<T> {
  /** What is allowed, after "want", e.g. `an integer in 1..65535`. */
  readonly want: string;
  /** The value of a TOML value, or `undefined` after reporting what is wrong. */
  read(node: TomlValue, path: string, issues: IssueList): T | undefined;
  /** The TOML value that an override writes as `text`. */
  fromText(text: string): TomlValue;
  /** `value` as TOML. */
  format(value: T): string;
  /** Options by key, for a table. */
  readonly fields?: Fields;
  /** Kind of each item, for a list. */
  readonly element?: OptionKind<unknown>;
}

/** Options by key. */
export type Fields = { readonly [key: string]: Option<unknown> };

/** What every option may state. */
export interface OptionSettings<T> {
  /** Value if the key is absent; without one the key is required. */
  readonly default?: T;
  /** What it is for, in a line. */
  readonly doc?: string;
}

/** One key of a configuration: its kind, default and meaning. */
export class Option<out T> {
  /** How its values are read and written. */
  readonly kind: OptionKind<unknown>;
  /** Value if the key is absent; `undefined` without one. */
  readonly default: T | undefined;
  /** What it is for, in a line; may be empty. */
  readonly doc: string;
  /** Whether the key may be absent without a default. */
  readonly isOptional: boolean;

  /** Makes an option of `kind`, required unless it has a default or `isOptional`. */
  constructor(
    kind: OptionKind<unknown>,
    settings: OptionSettings<T> = {},
    isOptional = false,
  ) {
    this.kind = kind;
    this.default = settings.default;
    this.doc = settings.doc ?? "";
    this.isOptional = isOptional;
  }

  /** The same option, `undefined` if the key is absent. */
  optional(): Option<T | undefined> {
    return new Option<T | undefined>(this.kind, { doc: this.doc }, true);
  }
}

/** The type of the values of an option: `ConfigOf<typeof schema>`. */
export type ConfigOf<O> = O extends Option<infer T> ? T : never;

const MAX_ISSUES = 20;
const MAX_GOT_CHARS = 40;

/** The faults found so far: the first 20, and the number of the others. */
export class IssueList {
  /** Faults in the order found. */
  readonly kept: ConfigIssue[] = [];
  /** Number of faults beyond those kept. */
  more = 0;
  readonly #source: string;

  /** Starts empty; messages name `source` as the file. */
  constructor(source: string) {
    this.#source = source;
  }

  /** Whether another fault would be kept. */
  get hasRoom(): boolean {
    return this.kept.length < MAX_ISSUES;
  }

  /** Adds a fault at `path`. */
  add(
    code: ConfigErrorCode,
    path: string,
    place: TomlLine | undefined,
    text: string,
  ): void {
    if (!this.hasRoom) {
      this.more++;
      return;
    }
    const line = typeof place === "number" ? place : undefined;
    const where = place === "override"
      ? "override"
      : line === undefined
      ? this.#source
      : `${this.#source}:${line}`;
    const message = [where, path, text].filter(Boolean).join(": ");
    this.kept.push({ code, path, line, message });
  }

  /** Adds that the value at `path` is not what `want` says. */
  addInvalid(
    path: string,
    node: TomlValue,
    want: string,
    got = gotOf(node),
  ): undefined {
    this.add("invalid", path, node.line, `want ${want}, got ${got}`);
  }
}

function gotOf(node: TomlValue): string {
  switch (node.kind) {
    case "table":
      return "a table";
    case "array":
      return "an array";
    case "string":
      return quote(node.value);
    case "float":
      return Number.isInteger(node.value) ? `${node.value}.0` : `${node.value}`;
    case "integer":
      return Number.isSafeInteger(node.value)
        ? `${node.value}`
        : "an integer beyond ±(2^53 - 1)";
    default:
      return `${node.value}`;
  }
}

/** `text` in quotes on one line, cut to 40 characters. */
export function quote(text: string): string {
  return text.length > MAX_GOT_CHARS
    ? `${JSON.stringify(text.slice(0, MAX_GOT_CHARS))}…`
    : JSON.stringify(text);
}
