import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ROLES } from "../../cli/_roles.ts";
import {
  FAKE_DENO,
  makeBox as makeBoxFor,
  type SingleFileBox,
  text,
} from "./_single_file_box.ts";

const FLAGS = ["--no-prompt", "--allow-env=HOME"];

Deno.test("writeSingleFile() makes the same file from the same inputs", async () => {
  await using box = await makeBox();
  await using again = await makeBox();
  assertEquals(await Deno.readFile(again.file), await Deno.readFile(box.file));
});

Deno.test("writeSingleFile() puts no path of this machine into the program", async () => {
  await using box = await makeBox();
  await box.start();
  const program = (await box.entries()).find((name) => name.endsWith(".js"));
  const text = await Deno.readTextFile(`${box.cache}/${program}`);
  for (const path of [Deno.cwd(), Deno.env.get("HOME")!, ".cache/deno"]) {
    assert(!text.includes(path), path);
  }
});

Deno.test("a single file starts Deno with the role's flags and the arguments as they are", async () => {
  await using box = await makeBox();
  const args = ["a b", "'\"`$(id)\\", "two\nlines\n", "", "--help", "*"];
  const { stdout } = await box.start({}, args);
  const got = stdout.split("\0").slice(0, -1);
  const program = got.findIndex((arg) => arg.endsWith(".js"));
  assertEquals(got.slice(0, program), [
    "run",
    "--no-config",
    "--no-lock",
    "--no-remote",
    "--no-npm",
    "--cached-only",
    ...FLAGS,
  ]);
  assertEquals(got.slice(program + 1), args);
});

Deno.test("a single file unpacks into a directory of its user alone", async () => {
  await using box = await makeBox();
  assertEquals((await box.start()).code, 0);
  const names = await box.entries();
  assertEquals(names.length, 3);
  assertEquals((await Deno.stat(box.cache)).mode! & 0o777, 0o700);
  for (const name of names) {
    const { mode } = await Deno.stat(`${box.cache}/${name}`);
    assertEquals(mode! & 0o077, 0, name);
  }
});

Deno.test("a single file finds its cache by BETANET_CACHE, XDG_CACHE_HOME, HOME, TMPDIR", async () => {
  await using box = await makeBox();
  const { path } = box;
  const all = {
    BETANET_CACHE: `${path}/1`,
    XDG_CACHE_HOME: `${path}/2`,
    HOME: `${path}/3`,
    TMPDIR: `${path}/4`,
  };
  await Deno.mkdir(all.TMPDIR);
  await box.start(all);
  await box.start({ ...all, BETANET_CACHE: "" });
  await box.start({ ...all, BETANET_CACHE: "", XDG_CACHE_HOME: "relative" });
  await box.start({ TMPDIR: all.TMPDIR, BETANET_CACHE: "", HOME: "" });
  for (
    const directory of [
      "1",
      "2/betanet",
      "3/.cache/betanet",
      `4/betanet-${Deno.uid()}`,
    ]
  ) {
    assertEquals([...Deno.readDirSync(`${path}/${directory}`)].length, 3);
  }
});

Deno.test("a single file started several times at once unpacks once for all", async () => {
  await using box = await makeBox();
  const all = await Promise.all(Array.from({ length: 8 }, () => box.start()));
  for (const { code, stderr } of all) assertEquals([code, stderr], [0, ""]);
  assertEquals((await box.entries()).length, 3);
});

Deno.test("a single file replaces what was changed in its cache", async () => {
  await using box = await makeBox();
  const { stdout } = await box.start();
  for (const name of await box.entries()) {
    const path = `${box.cache}/${name}`;
    const bytes = await Deno.readFile(path);
    await Deno.chmod(path, 0o700);
    for (const changed of [flipped(bytes), bytes.subarray(1)]) {
      await Deno.writeFile(path, changed);
      assertEquals(await box.start(), { code: 0, stdout, stderr: "" });
      if (bytes.length > 0) assertEquals(await Deno.readFile(path), bytes);
    }
  }
});

Deno.test("a single file that is damaged says so and leaves nothing behind", async () => {
  await using box = await makeBox();
  const bytes = await Deno.readFile(box.file);
  for (const damaged of [flipped(bytes, 9_000), bytes.subarray(0, -20)]) {
    await Deno.writeFile(box.file, damaged);
    const { code, stdout, stderr } = await box.start();
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, "betanet-probe: error: ");
    assertEquals((await box.entries()).filter((name) => name[0] === "."), []);
    assert(!(await box.entries()).some((name) => name.startsWith("deno")));
  }
});

Deno.test("a single file refuses a cache that others can write to", async () => {
  for (const mode of [0o777, 0o770, 0o707, 0o1777, 0o720, 0o702]) {
    await using box = await makeBox();
    await Deno.mkdir(box.cache);
    await Deno.chmod(box.cache, mode);
    await assertRefused(box, "others may write");
  }
});

Deno.test("a single file refuses a cache below a directory that others can write to", async () => {
  await using box = await makeBox();
  const above = `${box.path}/above`;
  await Deno.mkdir(above);
  await Deno.chmod(above, 0o777);
  await assertRefused(box, "others may write", `${above}/cache`);
  await Deno.chmod(above, 0o1777);
  assertEquals((await box.start({ BETANET_CACHE: `${above}/cache` })).code, 0);
});

Deno.test("a single file refuses a cache that is a symbolic link or has no absolute path", async () => {
  await using box = await makeBox();
  await Deno.mkdir(`${box.path}/real`, { mode: 0o700 });
  await Deno.symlink(`${box.path}/real`, box.cache);
  await assertRefused(box, "symbolic link");
  await assertRefused(box, "absolute path", "cache");
});

Deno.test("a single file refuses a cache of somebody else", async () => {
  if (Deno.uid() !== 0) {
    // deno-lint-ignore no-console -- a skipped check says why
    return console.warn("skipped: only root can give a directory away");
  }
  await using box = await makeBox();
  await Deno.mkdir(box.cache, { mode: 0o700 });
  await Deno.chown(box.cache, 65534, 65534);
  await assertRefused(box, "somebody else");
});

Deno.test("a single file works in every shell at hand", async () => {
  await using box = await makeBox();
  const { stdout } = await box.start();
  for (const shell of ["/bin/sh", "/bin/dash", "/bin/bash", "/bin/busybox"]) {
    if (!await isFile(shell)) continue;
    await Deno.remove(box.cache, { recursive: true });
    const sh = shell.endsWith("busybox") ? [shell, "sh"] : [shell];
    const result = await box.start({}, [], sh);
    assertEquals(result, { code: 0, stdout, stderr: "" });
  }
});

Deno.test("a single file runs without PATH and Deno cache, and only as its flags permit", async (t) => {
  await using box = await makeBox(Deno.execPath());
  const run = (...args: string[]) => box.start({}, args);
  await t.step("starts several at once on an empty cache", async () => {
    const all = await Promise.all([run("--version"), run("--version")]);
    for (const { code, stdout, stderr } of all) {
      assertEquals([code, stderr], [0, ""]);
      assert(stdout.startsWith("betanet-probe "));
    }
  });
  await t.step("passes arguments", async () => {
    const words = ["a b", "'\"$x", "two\nlines", "", "--help"];
    const { stdout } = await run("args", "--json", "--", ...words);
    assertEquals(JSON.parse(stdout), words);
  });
  await t.step("permits what the flags permit", async () => {
    assertEquals(
      (await run("env", "HOME", "--json")).stdout,
      `${JSON.stringify(`${box.path}/home`)}\n`,
    );
  });
  await t.step("permits nothing else", async () => {
    assertEquals((await run("env", "PATH", "--json")).stdout, "null\n");
    for (const args of [["read", box.file], ["listen"], ["run"]]) {
      const { code, stderr } = await run(...args);
      assertEquals(code, 1);
      assertStringIncludes(stderr, `error: Requires `);
    }
  });
  await t.step("knows how to start itself again", async () => {
    const { stdout } = await run("self", "--json");
    const { command, args } = JSON.parse(stdout);
    const names = await box.entries();
    assert(
      command === `${box.cache}/${names.find((n) => /^deno-\w+$/.test(n))}`,
    );
    assertEquals(args.slice(0, 2), ["run", "--quiet"]);
    assertEquals(args.slice(2, -3), ROLES.htx.flags);
    const program = names.find((name) => name.endsWith(".js"));
    assertEquals(args.slice(-3), [`${box.cache}/${program}`, "htx", "a b"]);
  });
  await t.step("hands over stdin and stdout", async () => {
    const bytes = crypto.getRandomValues(new Uint8Array(60_000));
    assertEquals(await box.pipe(["echo"], bytes), bytes);
  });
  await t.step("keeps its process id and gets signals", async () => {
    await using child = box.spawn({}, ["drain"]);
    const lines = child.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    assertEquals((await lines.read()).value, "ready\n");
    child.kill("SIGTERM");
    assertEquals((await lines.read()).value, "drained\n");
    await lines.cancel();
    assertStringIncludes(await text(child.stderr), "SIGTERM: finishing");
    assertEquals((await child.status).code, 0);
    await using other = box.spawn({}, ["pid", "--json"]);
    assertEquals(Number(await text(other.stdout)), other.pid);
    assertEquals(await text(other.stderr), "");
    assertEquals((await other.status).code, 0);
  });
});

function makeBox(runtime = FAKE_DENO): Promise<SingleFileBox> {
  return makeBoxFor({
    name: "betanet-probe",
    entry: "tests/cli/fixtures/probe.ts",
    flags: FLAGS,
    runtime,
  });
}

async function assertRefused(
  box: SingleFileBox,
  why: string,
  cache = box.cache,
) {
  const { code, stdout, stderr } = await box.start({ BETANET_CACHE: cache });
  assertEquals([code, stdout], [1, ""]);
  assertStringIncludes(stderr, why);
}

function flipped(bytes: Uint8Array, at = bytes.length >> 1) {
  const copy = bytes.slice();
  if (copy.length > 0) copy[at]! ^= 1;
  return copy;
}

Deno.test("deno task build refuses a role that it does not know", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "build", "htxx"],
    env: { NO_COLOR: "1" },
  }).output();
  assertEquals(code, 2);
  assertEquals(
    new TextDecoder().decode(stderr),
    "build: error: Unknown role htxx\nbuild: hint: Did you mean htx?\n",
  );
});

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}
