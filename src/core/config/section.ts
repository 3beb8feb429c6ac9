import {
  type ConfigOf,
  type Fields,
  type IssueList,
  Option,
  type OptionKind,
  quote,
} from "./option.ts";
import type { TomlTable } from "./parse_toml.ts";

/** The values of a section by key. */
export type SectionOf<F extends Fields> = {
  readonly [Key in keyof F]: ConfigOf<F[Key]>;
};

/** A table with these keys and no others. If absent, its keys take their defaults. */
export function section<F extends Fields>(
  fields: F,
  settings: { readonly doc?: string } = {},
): Option<SectionOf<F>> {
  const kind: OptionKind<SectionOf<F>> = {
    want: "a table",
    fields,
    read(node, path, issues) {
      if (node.kind !== "table") {
        return issues.addInvalid(path, node, kind.want);
      }
      return readTable(node, path, fields, issues) as SectionOf<F>;
    },
    fromText: (text) => ({ kind: "string", value: text, line: "override" }),
    format(values) {
      const pairs = Object.entries(fields).filter(([key]) =>
        values[key] !== undefined
      ).map(([key, option]) => `${key} = ${option.kind.format(values[key])}`);
      return `{ ${pairs.join(", ")} }`;
    },
  };
  return new Option<SectionOf<F>>(kind as OptionKind<unknown>, settings);
}

function readTable(
  table: TomlTable,
  path: string,
  fields: Fields,
  issues: IssueList,
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [key, option] of Object.entries(fields)) {
    const child = join(path, key);
    const node = table.entries.get(key);
    if (node) {
      values[key] = option.kind.read(node, child, issues);
    } else if (option.default !== undefined || option.isOptional) {
      values[key] = option.default;
    } else if (option.kind.fields) {
      const absent = { ...table, entries: new Map() };
      values[key] = readTable(absent, child, option.kind.fields, issues);
    } else {
      const place = path === "" ? undefined : table.line;
      issues.add(
        "missing",
        child,
        place,
        `want ${option.kind.want}, got nothing`,
      );
    }
  }
  for (const [key, node] of table.entries) {
    if (!Object.hasOwn(fields, key)) {
      issues.add(
        "unknown_key",
        join(path, key),
        node.line,
        issues.hasRoom ? unknownKey(key, fields) : "",
      );
    }
  }
  return values;
}

/** `a.b`, with quotes where the key needs them. */
export function join(path: string, key: string): string {
  const name = /^[A-Za-z0-9_-]{1,64}$/.test(key) ? key : quote(key);
  return path === "" ? name : `${path}.${name}`;
}

/** `unknown key, did you mean idle_timeout?` */
export function unknownKey(key: string, fields: Fields): string {
  const [nearest] = Object.keys(fields)
    .map((name) => ({ name, edits: editDistance(key, name) }))
    .filter(({ name, edits }) => edits <= Math.ceil(name.length / 3))
    .sort((a, b) => a.edits - b.edits);
  return nearest ? `unknown key, did you mean ${nearest.name}?` : "unknown key";
}

/** Least number of inserted, deleted or replaced characters (Levenshtein); far for long keys. */
function editDistance(a: string, b: string): number {
  if (a.length > 64) return Infinity;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
