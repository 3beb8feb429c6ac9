import { assert, assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { executableName, ROLES } from "../../cli/_roles.ts";
import { makeFolder } from "../cli/_htx_process.ts";

Deno.test("deno task build makes every role into a file that runs without Deno", async () => {
  await using folder = await makeFolder();
  const out = `${folder.path}/dist`;
  const { code, stdout, stderr } = await run(Deno.execPath(), [
    ...["task", "--quiet", "build", "--out", out, "--json"],
  ]);
  assertEquals(code, 0, stderr);
  const built = stdout.trim().split("\n").map((line) => JSON.parse(line));
  const names = Object.keys(ROLES);
  assertEquals(built.map(({ role }) => role), names);
  // The first line says so if denort cannot be had.
  assertEquals(
    stderr.trim().split("\n").filter((line) => !NO_DENORT.test(line)),
    names.map((name) => `build: ${out}/${executableName(name)}`),
  );
  assertEquals(
    [...Deno.readDirSync(out)].map(({ name }) => name).sort(),
    names.map(executableName).sort(),
  );
  for (const { role, path, bytes } of built) {
    assertEquals(path, `${out}/${executableName(role)}`);
    assertEquals(bytes, (await Deno.stat(path)).size);
    const alone = {
      clearEnv: true,
      env: { PATH: "", HOME: folder.path, DENO_DIR: "/dev/null" },
    };
    const version = await run(path, ["--version"], alone);
    assertEquals([version.code, version.stderr], [0, ""]);
    assertEquals(
      version.stdout,
      `${executableName(role)} ${config.version}\n`,
    );
    for (const args of HELPS[role as keyof typeof HELPS]) {
      const help = await run(path, [...args.split(" "), "--help"], alone);
      assertEquals([help.code, help.stderr], [0, ""], args);
      assert(help.stdout.startsWith("Usage: betanet"), help.stdout);
    }
  }
});

const NO_DENORT =
  /^build: denort is neither in DENORT_BIN, nor in Deno's cache, nor to be had/;

/** Commands of each role, whose code is loaded only when they are called for. */
const HELPS = {
  htx: ["server", "proxy", "client", "keygen", "ticket", "probe"],
  utls: [
    "generate",
    "fingerprint",
    "inspect",
    "compare",
    "learn",
    "verify",
  ],
  mixnode: [
    "start",
    "stats",
    "client send",
    "keygen",
    "describe",
    "check",
    "directory init",
    "verify-delay",
  ],
  dtn: ["node", "send", "recv", "ping", "query", "inspect"],
  fabric: ["keygen", "node", "send", "request", "listen", "receipts verify"],
  betanet: [
    ...["demo", "htx server", "htx proxy", "mixnode keygen", "dtn node"],
    ...["fabric node"],
  ],
} as const satisfies Record<keyof typeof ROLES, readonly string[]>;

async function run(
  program: string,
  args: readonly string[],
  options: Pick<Deno.CommandOptions, "clearEnv" | "env"> = {},
) {
  const output = await new Deno.Command(program, {
    args: [...args],
    stdin: "null",
    ...options,
    env: { NO_COLOR: "1", ...options.env },
  }).output();
  return {
    code: output.code,
    stdout: new TextDecoder().decode(output.stdout),
    stderr: new TextDecoder().decode(output.stderr),
  };
}
