import { assert, assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { type Module, readModules } from "./_modules.ts";
import { ROOT } from "./_unit.ts";

const source = readModules("src");
/** A program is run rather than imported, and declarations of a package's types are imported by its name. */
const IS_SEAM = /^cli\/([^_].*: program|parse_args\.d\.ts: parseArgs)$/;

const parts = [...Deno.readDirSync(`${ROOT}src`)]
  .filter(({ name }) => name !== "core")
  .map(({ name }) => name)
  .filter((name) => source.some(({ path }) => path === `src/${name}/mod.ts`))
  .sort();

Deno.test("deno.json exports every part, and nothing of core", () => {
  const expected = parts.map((part) => [`./${part}`, `./src/${part}/mod.ts`]);
  assertEquals(
    Object.fromEntries(Object.entries(config.exports).sort()),
    Object.fromEntries([[".", "./mod.ts"], ...expected]),
  );
});

Deno.test("the root module exports each part as a namespace, and nothing else", () => {
  const text = Deno.readTextFileSync(`${ROOT}mod.ts`);
  const code = text.replace(/\/\*[\s\S]*?\*\//g, "").trim().split("\n");
  assertEquals(
    code.sort(),
    parts.map((part) =>
      `export * as ${camelCase(part)} from "./src/${part}/mod.ts";`
    ),
  );
});

Deno.test("no module re-exports all of another", () => {
  for (const { path, exportsAll } of source) assert(!exportsAll, path);
});

Deno.test("every mod.ts says what its unit is for and declares nothing itself", () => {
  for (const { path, text, declares } of source) {
    if (!path.endsWith("/mod.ts")) continue;
    assert(text.startsWith("/**") && text.includes("@module"), path);
    assertEquals(own(declares, path), [], path);
  }
});

Deno.test("every value that a file of src or cli exports is taken by another file", () => {
  const cli = readModules("cli");
  const others = ["tests", "bench"].flatMap(readModules);
  const taken = takenNames([...source, ...cli, ...others]);
  const unused = [...source, ...cli].flatMap(({ path, declares }) => {
    const names = taken.get(path);
    if (names?.has("*") || path.endsWith("/mod.ts")) return [];
    return declares.filter((name) => !names?.has(name))
      .map((name) => `${path}: ${name}`);
  });
  assertEquals(unused.filter((each) => !IS_SEAM.test(each)), []);
});

function camelCase(name: string): string {
  return name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
}

function takenNames(modules: readonly Module[]): Map<string, Set<string>> {
  const taken = new Map<string, Set<string>>();
  for (const { takes } of modules) {
    for (const { from, names } of takes) {
      taken.set(from, new Set([...taken.get(from) ?? [], ...names]));
    }
  }
  return taken;
}

/** Names that a mod.ts exports without taking them from a file of its unit. */
function own(declares: readonly string[], path: string): readonly string[] {
  const module = source.find((each) => each.path === path)!;
  const imported = new Set(module.takes.flatMap(({ names }) => names));
  return declares.filter((name) => !imported.has(name));
}
