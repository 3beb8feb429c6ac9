import { ConfigError } from "./error.ts";
import { type ConfigOf, IssueList, type Option } from "./option.ts";
import { join, unknownKey } from "./section.ts";
import { parseToml, type TomlTable } from "./parse_toml.ts";
import { TomlError } from "./scan_toml.ts";

/**
 * `@std/toml` takes time that grows with the square of the keys in a table. At this length it reads 1700 `[[tables]]`
 * in 30 ms and the worst text we know, tables of 128 keys, in 0.5 s; one table of 7300 keys would take 13 s. A file of
 * 3.6 kB takes 15 ms the first time and 1 ms again. (Deno 2.9.6, two shared cores.)
 */
const MAX_CHARS = 2 ** 16;

/** Where a configuration comes from. */
export interface ParseConfigOptions {
  /**
   * Name of the file, for error messages.
   *
   * @default {"config"}
   */
  readonly source?: string;
  /** Texts by dotted key that replace what the file says, e.g. `{ "server.port": "9001" }`. */
  readonly overrides?: Readonly<Record<string, string>>;
}

/**
 * The values that a TOML 1.0 text, which has no dates, gives the keys of `schema`.
 *
 * ```ts
 * import { integer, parseConfig, section } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const schema = section({ server: section({ port: integer({ min: 1, max: 65535 }) }) });
 * assertEquals(parseConfig("[server]\nport = 9000", schema), { server: { port: 9000 } });
 * ```
 *
 * A byte order mark is skipped. Besides dates, what is not read: `\U` escapes, escapes in keys, a `[table]` after the tables inside it, and more than
 * 128 keys in a table.
 *
 * @throws {ConfigError} If the text is beyond 2^16 characters, is no TOML, or anything in it is not as `schema` says.
 */
export function parseConfig<S extends Option<unknown>>(
  text: string,
  schema: S,
  options: ParseConfigOptions = {},
): ConfigOf<S> {
  const issues = new IssueList(options.source ?? "config");
  const root = readToml(text, issues);
  for (const [path, value] of Object.entries(options.overrides ?? {})) {
    override(root, schema, path, value, issues);
  }
  const values = schema.kind.read(root, "", issues);
  throwIfAny(issues);
  return values as ConfigOf<S>;
}

function readToml(text: string, issues: IssueList): TomlTable {
  try {
    if (text.length <= MAX_CHARS) return parseToml(text);
    const got = `${text.length}`;
    issues.add(
      "too_large",
      "",
      undefined,
      `want at most ${MAX_CHARS} characters, got ${got}`,
    );
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const { line, path, message } = error;
    const code = error.isUnknownKey ? "unknown_key" : "syntax";
    issues.add(code, path, line, message);
  }
  throw new ConfigError(issues.kept);
}

/** Puts the value that `text` writes in place of the one at `path`. */
function override(
  root: TomlTable,
  schema: Option<unknown>,
  path: string,
  text: string,
  issues: IssueList,
): void {
  const keys = path.split(".");
  const option = findOption(schema, keys, issues);
  if (option === undefined) return;
  const name = keys.pop()!;
  let table = root;
  for (const key of keys) {
    let next = table.entries.get(key);
    if (next === undefined) {
      next = { kind: "table", entries: new Map(), line: "override" };
      table.entries.set(key, next);
    }
    if (next.kind !== "table") return; // reading the file reports it
    table = next;
  }
  table.entries.set(name, option.kind.fromText(text));
}

function findOption(
  schema: Option<unknown>,
  keys: readonly string[],
  issues: IssueList,
): Option<unknown> | undefined {
  let option = schema;
  let path = "";
  for (const key of keys) {
    const { fields = {} } = option.kind;
    path = join(path, key);
    if (!Object.hasOwn(fields, key)) {
      issues.add("unknown_key", path, "override", unknownKey(key, fields));
      return undefined;
    }
    option = fields[key]!;
  }
  return option;
}

function throwIfAny({ kept, more }: IssueList): void {
  if (kept.length > 0) throw new ConfigError(kept, more);
}
