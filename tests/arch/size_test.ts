import { assert } from "@std/assert";
import { readModules } from "./_modules.ts";

const modules = ["src", "cli", "tests", "bench"].flatMap(readModules);

Deno.test("no source file is longer than 600 lines", () => {
  for (const { path, text } of modules) assertLines(path, text, 600);
});

Deno.test("no mod.ts is longer than 180 lines, most of which are names", () => {
  for (const { path, text } of modules) {
    if (path.endsWith("/mod.ts")) assertLines(path, text, 180);
  }
});

Deno.test("no program in cli is longer than 200 lines", () => {
  for (const { path, text } of modules) {
    if (/^cli\/[^_]/.test(path)) assertLines(path, text, 200);
  }
});

Deno.test("no file is a catch-all", () => {
  const names = /\/_?(utils?|helpers?|common|shared|types|constants|misc)\.ts$/;
  for (const { path } of modules) assert(!names.test(path), path);
});

Deno.test("no file silences the linter or the compiler for all of itself", () => {
  for (const { path, text } of modules) {
    const silenced = text.match(/deno-lint-ignore-file|@ts-(ignore|nocheck)/);
    assert(!silenced || path === "tests/arch/size_test.ts", path);
  }
});

function assertLines(path: string, text: string, limit: number): void {
  const lines = text.split("\n").length - 1;
  assert(lines <= limit, `${path} has ${lines} lines, more than ${limit}`);
}
