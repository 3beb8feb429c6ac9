// @ts-types="../../src/core/config/toml.d.ts"
import { parse } from "@std/toml";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseToml, type TomlValue } from "../../src/core/config/parse_toml.ts";
import { scanToml, TomlError } from "../../src/core/config/scan_toml.ts";
import suite from "../vectors/toml/toml_test.json" with { type: "json" };

/** Cases of TOML 1.0 that `@std/toml` does not read, or that `scanToml` refuses. */
const REFUSED: Readonly<Record<string, readonly string[]>> = {
  "as @std/toml reads it": [
    "comment/tricky",
    "inline-table/array-values",
    "string/ends-in-whitespace-escape",
    "string/multiline",
    "string/multiline-empty",
    "string/multiline-quotes",
    "string/raw-multiline",
  ],
  "has an escape that is not read": [
    "string/quoted-unicode",
    "string/unicode-escape",
  ],
  "unknown key": [
    "key/dotted-empty",
    "key/empty-1",
    "key/empty-2",
    "key/empty-3",
    "table/empty-name",
  ],
  "want a key, without escapes": [
    "key/escapes",
    "key/quoted-unicode",
    "key/space",
  ],
  "want tables before those in them": [
    "array/open-parent-table",
    "implicit-and-explicit-after",
    "spec/table-4",
    "table/array-implicit-and-explicit-after",
    "table/without-super",
    "table/without-super-with-values",
  ],
};
const refusals = new Map(
  Object.entries(REFUSED).flatMap(([message, names]) =>
    names.map((name) => [`valid/${name}`, message])
  ),
);

Deno.test("parse() of @std/toml is typed", () => {
  // @ts-expect-error: it gives a table, not any
  const count: number = parse("a = 1");
  assertEquals(count as unknown, { a: 1 });
});

Deno.test("parseToml() reads a valid case of toml-test right, or refuses it for a known reason", () => {
  assertEquals(suite.valid.length, 166);
  for (const { name, toml, json } of suite.valid) {
    const message = refusals.get(name);
    if (message !== undefined) {
      assertThrows(() => parseToml(toml), TomlError, message, name);
    } else {
      assertEquals(typedOf(parseToml(toml)), normal(json), name);
    }
  }
});

Deno.test("parseToml() refuses every invalid case of toml-test about tables, keys and times", () => {
  assertEquals(suite.invalid.length, 178);
  for (const { name, toml } of suite.invalid) {
    assertThrows(() => parseToml(toml), TomlError, undefined, name);
  }
});

Deno.test("scanToml() gives a line to every value that @std/toml reads", () => {
  for (const { name, toml } of suite.valid) {
    if (refusals.has(name)) continue;
    assertSamePaths(parse(toml), scanToml(toml), name);
  }
});

function assertSamePaths(
  value: unknown,
  place: ReturnType<typeof scanToml>,
  name: string,
): void {
  const isContainer = typeof value === "object" && value !== null;
  const inside = Object.entries(isContainer ? value : {});
  assertEquals([...place.inside.keys()].sort(), inside.map(([k]) => k).sort());
  assert(place.line >= 1, name);
  for (const [key, child] of inside) {
    assertSamePaths(child, place.inside.get(key)!, name);
  }
}

/** The form of toml-test: tables as objects, scalars as their type and text. */
function typedOf(node: TomlValue): unknown {
  switch (node.kind) {
    case "table":
      return new Map([...node.entries].map(([k, v]) => [k, typedOf(v)]));
    case "array":
      return node.items.map(typedOf);
    case "boolean":
      return `bool ${node.value}`;
    default:
      return `${node.kind} ${node.value}`;
  }
}

function normal(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(normal);
  const table = json as Record<string, unknown>;
  const { type, value } = table;
  if (typeof type !== "string" || typeof value !== "string") {
    return new Map(Object.entries(table).map(([k, v]) => [k, normal(v)]));
  }
  if (type === "string" || type === "bool") return `${type} ${value}`;
  const number = Number(value.replace(/^([+-]?)inf$/, "$1Infinity"));
  return `${type} ${number}`;
}
