import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import type { Command, Program } from "../../cli/_main.ts";
import { executableName, ROLES } from "../../cli/_roles.ts";

/** Every program, and the fixture, by its executable's name. */
const PROGRAMS: readonly (readonly [name: string, entry: string])[] = [
  ...Object.entries(ROLES).map(([name, { entry }]) =>
    [executableName(name), entry] as const
  ),
  ["betanet-probe", "tests/cli/fixtures/probe.ts"],
];

for (const [name, entry] of PROGRAMS) {
  Deno.test(`${name} answers --help, --version and bad usage without permissions`, async () => {
    const help = await run(entry, ["--help"]);
    assertEquals([help.code, help.stderr], [0, ""]);
    assertStringIncludes(help.stdout, `Usage: ${name}`);
    assertStringIncludes(help.stdout, "Exit codes: 0");
    const version = await run(entry, ["--version"]);
    assertEquals([version.code, version.stderr], [0, ""]);
    assert(version.stdout.startsWith(`${name} `));
    const { code, stdout, stderr } = await run(entry, ["--no-such-flag"]);
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, `${name}: error: Unknown flag`);
  });

  Deno.test(`${name} says in its usage every command and every flag`, async () => {
    const { program } = await import(`../../${entry}`);
    await assertUsage(program);
  });
}

for (const [name, { entry }] of Object.entries(ROLES)) {
  Deno.test(`${executableName(name)} has an example in every usage that it prints`, async () => {
    const { program } = await import(`../../${entry}`);
    await assertExamples(program);
  });
}

async function assertExamples(part: Command | Program): Promise<void> {
  assertMatch(part.usage, /^Examples?:\n {2}/m);
  if (!("commands" in part)) return;
  for (const entry of Object.values(part.commands)) {
    await assertExamples(typeof entry === "function" ? await entry() : entry);
  }
}

async function assertUsage(program: Program): Promise<void> {
  for (const [name, entry] of Object.entries(program.commands)) {
    assertStringIncludes(program.usage, name);
    const found = typeof entry === "function" ? await entry() : entry;
    if ("commands" in found) await assertUsage(found);
    else assertFlags(`${program.name} ${name}`, found);
  }
}

function assertFlags(name: string, { usage, flags, aliases }: Command): void {
  assertStringIncludes(usage, name);
  for (const flag of Object.keys(flags)) {
    assertStringIncludes(usage, `--${flag}`);
  }
  for (const letter of Object.keys(aliases ?? {})) {
    assertStringIncludes(usage, `-${letter}`);
  }
}

async function run(entry: string, args: readonly string[]) {
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--unstable-net", entry, ...args],
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
  }).output();
  return {
    code: output.code,
    stdout: new TextDecoder().decode(output.stdout),
    stderr: new TextDecoder().decode(output.stderr),
  };
}
