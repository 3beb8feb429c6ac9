import { assert, assertEquals } from "@std/assert";
import { ROOT } from "./_unit.ts";

Deno.test("the package holds code, profiles, README and licences only", async () => {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["publish", "--dry-run", "--allow-dirty", "--no-check"],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const report = new TextDecoder().decode(stderr);
  assert(success, report);
  const paths = [...report.matchAll(/^ +file:\/\/(\S+) \(.+B\)$/gm)]
    .map(([, path]) => decodeURIComponent(path!).slice(ROOT.length));
  for (const path of ["mod.ts", "deno.json", "LICENSE", "src/htx/mod.ts"]) {
    assert(paths.includes(path), `${path} is missing`);
  }
  const allowed =
    /^(mod\.ts|deno\.json|README\.md|LICENSE(-MIT|-APACHE)?|src\/[\w/]+(\.d)?\.ts|src\/utls\/profiles\/\w+\.json)$/;
  assertEquals(paths.filter((path) => !allowed.test(path)), []);
});

Deno.test("deno.json refuses the build script of every package that has one, so that no program warns of it", async () => {
  const { npm } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.lock`));
  const scripted = Object.entries<{ scripts?: boolean }>(npm)
    .filter(([, { scripts }]) => scripts)
    .map(([name]) => `npm:${name.replace(/@[^@]+$/, "")}`);
  const { allowScripts } = JSON.parse(
    await Deno.readTextFile(`${ROOT}deno.json`),
  );
  assertEquals(allowScripts, { deny: scripted });
});

Deno.test("the package loads without a permission, as programs with few of them load it whole", async () => {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--frozen", "--no-prompt", "--no-check", `${ROOT}mod.ts`],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  assert(success, new TextDecoder().decode(stderr));
});
