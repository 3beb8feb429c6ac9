import { assertEquals, assertThrows } from "@std/assert";
import { parseToml, type TomlValue } from "../../src/core/config/toml.ts";
import { TomlError } from "../../src/core/config/toml_scanner.ts";
import suite from "../vectors/toml/toml_test.json" with { type: "json" };

Deno.test("parseToml() reads every valid case of toml-test without dates", () => {
  assertEquals(suite.valid.length, 166);
  for (const { name, toml, json } of suite.valid) {
    if (hasWideInteger(json)) {
      assertThrows(() => parseToml(toml), TomlError, "2^53", name);
    } else {
      assertEquals(typedOf(parseToml(toml)), normal(json), name);
    }
  }
});

Deno.test("parseToml() refuses every invalid case of toml-test", () => {
  assertEquals(suite.invalid.length, 361);
  for (const { name, toml } of suite.invalid) {
    assertThrows(() => parseToml(toml), TomlError, undefined, name);
  }
});

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

function hasWideInteger(json: unknown): boolean {
  return JSON.stringify(
    json,
    (_, v) =>
      v?.type === "integer" && !Number.isSafeInteger(Number(v.value))
        ? "wide"
        : v,
  ).includes('"wide"');
}
