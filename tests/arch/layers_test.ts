import { assertEquals, assertMatch } from "@std/assert";
import plugin, { MAY_IMPORT } from "./layers.ts";
import { readModules } from "./_modules.ts";
import { ROOT, unitOf } from "./_unit.ts";

const REFUSED: readonly (readonly [file: string, code: string, why: RegExp])[] =
  [
    [
      "noise/a.ts",
      `import { a } from "../../htx/mod.ts"; a;`,
      /may not import htx/,
    ],
    [
      "bytes/a.ts",
      `export { a } from "../log/mod.ts";`,
      /may not import core\/log/,
    ],
    [
      "bytes/a.ts",
      `export * from "../log/mod.ts";`,
      /may not import core\/log/,
    ],
    [
      "bytes/a.ts",
      `import type { A } from "../log/mod.ts"; let a: A;`,
      /may not/,
    ],
    [
      "bytes/a.ts",
      `await import("../log/mod.ts");`,
      /may not import core\/log/,
    ],
    [
      "bytes/a.ts",
      `let a: import("../log/mod.ts").A;`,
      /may not import core\/log/,
    ],
    [
      "bytes/a.ts",
      `import log = require("../log/mod.ts"); log;`,
      /may not import core\/log/,
    ],
    ["bytes/a.ts", "await import(`../log/${1}.ts`);", /by a literal name/],
    [
      "noise/a.ts",
      `import { a } from "../bytes/hex.ts"; a;`,
      /through its mod.ts/,
    ],
    ["noise/a.ts", `import "../bytes/sub/mod.ts";`, /through its mod.ts/],
    ["noise/a.ts", `import "../../../cli/_main.ts";`, /src may not import/],
    ["noise/a.ts", `import "../../../mod.ts";`, /src may not import/],
    ["noise/a.ts", `import "@aivillage/betanet";`, /by relative paths/],
    ["noise/a.ts", `import "/src/core/bytes/mod.ts";`, /by relative paths/],
    [
      "noise/a.ts",
      `import "file:///src/core/bytes/mod.ts";`,
      /by relative paths/,
    ],
    [
      "nowhere/a.ts",
      `import "../bytes/mod.ts";`,
      /core\/nowhere may not import/,
    ],
  ];

for (const [file, code, why] of REFUSED) {
  Deno.test(`the layers plugin refuses ${code} in core/${file}`, () => {
    const [message, ...more] = messages(`src/core/${file}`, code);
    assertMatch(message ?? "nothing", why);
    assertEquals(more, []);
  });
}

Deno.test("the layers plugin lets through what the table allows", () => {
  const allowed = [
    ["src/core/noise/a.ts", `import { a } from "../bytes/mod.ts"; a;`],
    ["src/core/noise/sub/a.ts", `export { a } from "../../bytes/mod.ts";`],
    ["src/core/noise/a.ts", `import { a } from "./b.ts"; a;`],
    ["src/htx/a.ts", `await import("../core/noise/mod.ts");`],
    ["src/htx/sub/a.ts", `import { a } from "../frame.ts"; a;`],
    ["cli/htx.ts", `import { a } from "../src/htx/frame.ts"; a;`],
    [
      "src/htx/a.ts",
      `// import "../status/mod.ts"\n"import '../status/mod.ts'";`,
    ],
  ] as const;
  for (const [path, code] of allowed) assertEquals(messages(path, code), []);
});

Deno.test("unitOf() is undefined outside of this repository's src", () => {
  assertEquals(unitOf(`${ROOT}src/core/bytes/hex.ts`), "core/bytes");
  assertEquals(unitOf(`${ROOT}src/htx/tunnel/target.ts`), "htx");
  for (const path of ["src/a.ts", "cli/htx.ts", "tests/src/htx/a.ts"]) {
    assertEquals(unitOf(ROOT + path), undefined);
  }
  assertEquals(unitOf("/elsewhere/src/htx/a.ts"), undefined);
});

Deno.test("the table of layers has no cycle and no unknown name", () => {
  const done = new Set<string>();
  const visit = (unit: string, above: readonly string[]) => {
    assertEquals(above.includes(unit), false, `${above.join(" → ")} → ${unit}`);
    const row = MAY_IMPORT[unit];
    if (!row) {
      throw new Error(`No row for ${unit}, which ${above.at(-1)} lists`);
    }
    if (!done.has(unit)) {
      for (const next of row) {
        visit(next, [...above, unit]);
      }
    }
    done.add(unit);
  };
  for (const unit of Object.keys(MAY_IMPORT)) visit(unit, []);
});

Deno.test("every unit has a row, and every entry of a row an import", () => {
  const used = new Map<string, Set<string>>();
  for (const { path, takes } of readModules("src")) {
    const unit = unitOf(ROOT + path);
    if (unit === undefined) throw new Error(`${path} lies in no unit`);
    const others = used.get(unit) ?? new Set();
    for (const { from } of takes) others.add(unitOf(ROOT + from) ?? from);
    others.delete(unit);
    used.set(unit, others);
  }
  const sorted = (rows: Iterable<[string, Iterable<string>]>) =>
    Object.fromEntries(
      [...rows].map(([unit, others]) => [unit, [...others].sort()] as const)
        .sort(),
    );
  assertEquals(sorted(Object.entries(MAY_IMPORT)), sorted(used));
});

function messages(path: string, code: string): string[] {
  return Deno.lint.runPlugin(plugin, ROOT + path, code)
    .filter(({ id }) => id === "layers/imports")
    .map(({ message }) => message);
}
