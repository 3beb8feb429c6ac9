import { assert, assertEquals } from "@std/assert";
import { executableName, type Role, ROLES, taskOf } from "../../cli/_roles.ts";
import config from "../../deno.json" with { type: "json" };

const TASKS: Readonly<Record<string, string>> = config.tasks;
const ENTRIES: [string, Role][] = Object.entries(ROLES);

Deno.test("each role has a task with exactly its flags", () => {
  for (const [name, role] of ENTRIES) assertEquals(TASKS[name], taskOf(role));
  assertEquals(TASKS.demo, `${taskOf(ROLES.betanet)} demo`);
});

Deno.test("no other task runs a role", () => {
  const entries = new Set(ENTRIES.map(([, { entry }]) => entry));
  const running = Object.entries(TASKS).filter(([, task]) =>
    task.split(" ").some((word) => entries.has(word))
  );
  assertEquals(
    running.map(([name]) => name).sort(),
    [...ENTRIES.map(([name]) => name), "demo"].sort(),
  );
});

Deno.test("no role may do everything, load other native code than OpenSSL or ask about the system", () => {
  const allowed =
    /^(--no-prompt|--unstable-net|--allow-(net|read|write|run)|--allow-net=127\.0\.0\.1|--allow-env=[A-Z_,]+\*?|--allow-ffi=(\/[a-z][^,]*\/(libcrypto\.(so\.3|3\.dylib)|libsodium\.(so\.23|23\.dylib)),?)+)$/;
  for (const [name, { flags }] of ENTRIES) {
    for (const flag of flags) assert(allowed.test(flag), `${name}: ${flag}`);
    assert(flags.includes("--no-prompt"), name);
    const mayRun = name === "betanet" || name === "utls";
    assertEquals(flags.includes("--allow-run"), mayRun, name);
  }
});

Deno.test("executableName() is betanet for the umbrella and betanet-<role> else", () => {
  assertEquals(Object.keys(ROLES).map(executableName), [
    "betanet-htx",
    "betanet-utls",
    "betanet-mixnode",
    "betanet-dtn",
    "betanet-fabric",
    "betanet",
  ]);
});
