import { assertEquals, assertRejects } from "@std/assert";
import { openMixCrypto } from "../../cli/mixnode/open_mix_crypto.ts";
import { work } from "../../cli/_worker.ts";
import { silentLogger } from "../../src/core/log/mod.ts";
import { makeBox } from "./_single_file_box.ts";

const PROGRAM =
  new URL("./fixtures/unwrap_program.ts", import.meta.url).pathname;
const FLAGS = ["--no-prompt", "--allow-read"];

Deno.test("a program starts its own threads from its sources", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--frozen", ...FLAGS, PROGRAM, "one", "--crypto", "noble"],
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assertEquals([code, text(stdout)], [0, "noble forward 5\n"], text(stderr));
});

Deno.test("a program in a single file starts its own threads from that file", async () => {
  await using box = await makeBox({
    name: "unwrap",
    entry: PROGRAM,
    flags: FLAGS,
    runtime: Deno.execPath(),
  });
  const { code, stdout, stderr } = await box.start({}, [
    "one",
    "--crypto",
    "node",
  ]);
  assertEquals([code, stdout], [0, "node forward 5\n"], stderr);
});

Deno.test("work() does the task that its thread is named after, and no other", async () => {
  const done: string[] = [];
  const scope = { name: "add 7", onmessage: null, postMessage() {} };
  const tasks = {
    add: (_: unknown, argument: string) => void done.push(argument),
  };
  await work(tasks, scope);
  assertEquals(done, ["7"]);
  for (const name of ["", "toString", "sub 7"]) {
    await assertRejects(
      () => work(tasks, { ...scope, name }),
      Error,
      "No worker task",
    );
  }
});

Deno.test("openMixCrypto() measures providers at unwrapping packets", () => {
  const measured: unknown[] = [];
  const log = {
    ...silentLogger,
    debug: (event: string, fields?: Readonly<Record<string, unknown>>) => {
      if (event === "crypto.measured") measured.push(fields?.roundMs);
    },
  };
  const { name } = openMixCrypto("auto", log);
  assertEquals(measured.length >= 1, true, name);
  assertEquals(measured.every((ms) => Number(ms) > 0), true);
});
