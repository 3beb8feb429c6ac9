import { assert, assertEquals, assertRejects } from "@std/assert";
import { CliError } from "../../cli/_error.ts";
import { browserVersion } from "../../cli/utls/browser.ts";
import { captureHellos } from "../../cli/utls/capture_hellos.ts";
import { encodeClientHello } from "../../src/utls/mod.ts";
import { simulateHellos } from "../utls/_simulated_browser.ts";
import { makeFolder } from "./_htx_process.ts";

const FAKE = new URL("./fixtures/fake_browser.ts", import.meta.url).pathname;

Deno.test("captureHellos() leaves out what is no hello, keeps the browser off the network and ends its helpers", async () => {
  await using folder = await makeFolder();
  const log = `${folder.path}/log.json`;
  const [hello] = simulateHellos(1, 1);
  const message = encodeClientHello(hello!);
  const record = [22, 3, 1, message.length >> 8, message.length & 255];
  const captured = await captureHellos({
    executable: await script(
      folder.path,
      `exec '${Deno.execPath()}' run --quiet --allow-all '${FAKE}' "$@"`,
    ),
    wanted: { page: 1 },
    env: {
      HELLO: Uint8Array.from([...record, ...message]).toHex(),
      LOG: log,
    },
    signal: AbortSignal.timeout(20_000),
  });
  assertEquals(captured, {
    hellos: [{ kind: "page", recordVersion: 0x0301, hello: hello! }],
    undecodable: 1,
  });
  const { args, helper } = JSON.parse(await Deno.readTextFile(log));
  const valueOf = (flag: string): string =>
    args.find((arg: string) => arg.startsWith(flag)).slice(flag.length);
  const rules = valueOf("--host-resolver-rules=").split(",");
  assertEquals(rules.slice(-2), ["MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1"]);
  assert(rules.slice(0, -2).every((rule) => rule.includes(" 127.0.0.1:")));
  assert(args.includes("--no-proxy-server"));
  await assertRejects(
    () => Deno.stat(valueOf("--user-data-dir=")),
    Deno.errors.NotFound,
  );
  await ended(helper);
});

Deno.test("browserVersion() ends a browser that does not print its version", async () => {
  await using folder = await makeFolder();
  const executable = await script(folder.path, "sleep 1000");
  const error = await assertRejects(
    () => browserVersion(executable, new AbortController().signal, 20),
    CliError,
  );
  assert(error.message.endsWith("--version does not end"), error.message);
  await assertRejects(
    () => browserVersion(executable, AbortSignal.abort()),
    DOMException,
  );
});

/** Writes a program of one line. */
async function script(folder: string, line: string): Promise<string> {
  const path = `${folder}/browser`;
  await Deno.writeTextFile(path, `#!/bin/sh\n${line}\n`, { mode: 0o700 });
  return path;
}

/** Resolves when a process that was killed is gone, or waits for its parent to notice. */
async function ended(pid: number): Promise<void> {
  for (;;) {
    const { stdout } = await new Deno.Command("ps", {
      args: ["-o", "stat=", "-p", `${pid}`],
    }).output();
    if (/^\s*(Z.*)?$/.test(new TextDecoder().decode(stdout))) return;
  }
}
