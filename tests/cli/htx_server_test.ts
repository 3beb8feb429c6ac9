import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { dirname } from "node:path";
import {
  HtxProcess,
  makeFolder,
  startRole,
  startTunnel,
} from "./_htx_process.ts";
import { HELD_TEXT, serveHeld, throughProxy } from "./_held_origin.ts";
import { runHtx } from "./_run_htx.ts";

Deno.test("betanet-htx server makes keys and prints a command that works", async (t) => {
  await using folder = await makeFolder();
  await using origin = serveHeld();
  const state = `${folder.path}/betanet/htx`;
  const options = { env: { XDG_STATE_HOME: folder.path } };
  const args = ["server", ...PORTS, "--allow", origin.at];
  let keys = "";
  await t.step("the first time", async () => {
    await using server = new HtxProcess(args, options);
    const [line] = await server.stdout.match(/^deno task htx proxy .+$/m);
    assertStringIncludes(server.stderr.text, `new keys in ${state}`);
    assertStringIncludes(server.stderr.text, `may reach ${origin.at}`);
    await assertProxyWorks(line, origin.url);
    keys = await Deno.readTextFile(`${state}/server.json`);
    for (const [path, mode] of MODES) {
      const info = await Deno.stat(state + path);
      assertEquals(info.mode! & 0o777, mode, path);
    }
  });
  await t.step("and with the same keys the second time", async () => {
    await using server = new HtxProcess(args, options);
    const [line] = await server.stdout.match(/^deno task htx proxy .+$/m);
    assertStringIncludes(server.stderr.text, `keys from ${state}`);
    assertEquals(await Deno.readTextFile(`${state}/server.json`), keys);
    assertStringIncludes(
      line,
      (await Deno.readTextFile(`${state}/server.record`)).trim(),
    );
  });
});

const PORTS = ["--port", "0", "--tls-port", "0"];
const MODES = [
  ["", 0o700],
  ["/server.json", 0o600],
  ["/server.record", 0o600],
] as const;

for (const role of ["server", "proxy"] as const) {
  Deno.test(`betanet-htx ${role} lets a download end after SIGTERM`, async () => {
    await using origin = serveHeld();
    await using tunnel = await startTunnel([origin.at]);
    using client = throughProxy(tunnel.proxy.at);
    const response = await fetch(`${origin.url}/held`, { client });
    const { process, at } = tunnel[role];
    process.kill("SIGTERM");
    await process.stderr.match(/^draining for up to 10 s$/m);
    await refusing(at);
    origin.release();
    assertEquals(await response.text(), HELD_TEXT);
    assertEquals(await process.exitCode(), 0);
  });

  Deno.test(`betanet-htx ${role} ends at --drain, and at once at a second SIGTERM`, async () => {
    for (const [drain, signals, code] of [["300ms", 1, 0], ["1h", 2, 143]]) {
      await using origin = serveHeld();
      const args = ["--drain", `${drain}`];
      const name = `${role}Args` as const;
      await using tunnel = await startTunnel([origin.at], { [name]: args });
      using client = throughProxy(tunnel.proxy.at);
      const response = await fetch(`${origin.url}/held`, { client });
      const { process } = tunnel[role];
      for (let sent = 0; sent < Number(signals); sent++) {
        process.kill("SIGTERM");
        await process.stderr.match(/^draining/m);
      }
      assertEquals(await process.exitCode(), code);
      await assertRejects(() => response.text());
    }
  });
}

Deno.test("betanet-htx server with a list of clients refuses strangers", async () => {
  await using folder = await makeFolder();
  const friend = `${folder.path}/friend`;
  const made = await runHtx("keygen", "--state", friend, "--json");
  const { publicKey } = JSON.parse(made.stdout);
  await using server = await startRole([
    "server",
    ...["--port", "0", "--state", folder.path, `--client=${publicKey}`],
  ]);
  const probe = ["probe", "--server", server.recordFile, "--count", "1"];
  assertEquals((await runHtx(...probe, "--state", friend)).code, 0);
  const stranger = await runHtx(...probe);
  assertEquals([stranger.code, stranger.stdout], [1, ""]);
  assertStringIncludes(stranger.stderr, "betanet-htx: error: ");
  assertEquals(
    await server.count('htx_handshakes_total{result="refused"}'),
    1,
  );
  assertEquals(
    await server.count('htx_handshakes_total{result="established"}'),
    1,
  );
});

Deno.test("betanet-htx server refuses keys that others can read, or that are none", async () => {
  await using folder = await makeFolder();
  const server = ["server", ...PORTS, "--state", folder.path];
  const path = `${folder.path}/server.json`;
  await runHtx("keygen", "--server", "--state", folder.path);
  await Deno.chmod(path, 0o644);
  assertEquals(await runHtx(...server), {
    code: 1,
    stdout: "",
    stderr: `betanet-htx: error: Cannot read the keys in ${path}
betanet-htx: cause: Secret file "${path}" must have mode 600, got 644
betanet-htx: hint: chmod 600 ${path}
`,
  });
  await Deno.chmod(path, 0o600);
  await Deno.writeTextFile(path, "{}");
  const { code, stderr } = await runHtx(...server);
  assertEquals(code, 1);
  assertStringIncludes(stderr, `error: ${path} does not hold keys`);
});

Deno.test("betanet-htx says which port is taken", async () => {
  await using folder = await makeFolder();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const server = ["server", "--state", folder.path];
  const runs = [
    [...server, "--port", `${port}`],
    [...server, "--port", "0", "--tls-port", `${port}`],
    [...server, ...PORTS, "--status-port", `${port}`],
    ["proxy", "--listen", `127.0.0.1:${port}`],
    ["proxy", "--listen", "127.0.0.1:0", "-L", `${port}:example.org:80`],
  ];
  await runHtx("keygen", "--server", "--state", folder.path);
  const record = await recordOf(folder.path);
  for (const args of runs) {
    const more = args[0] === "proxy" ? ["--server", record] : [];
    const { code, stdout, stderr } = await runHtx(...args, ...more);
    assertEquals([code, stdout], [1, ""], stderr);
    assert(
      /^betanet-htx: error: Cannot listen at \w+:\/\/127\.0\.0\.1:\d+$/m
        .test(stderr),
      stderr,
    );
    assertStringIncludes(stderr, `:${port}`);
    assertStringIncludes(stderr, "betanet-htx: cause: Address already in use");
  }
});

/** The record of a server that has run. */
async function recordOf(state: string): Promise<string> {
  await using server = await startRole([
    ...["server", "--port", "0", "--state", state],
  ]);
  return await Deno.readTextFile(server.recordFile);
}

/** Waits until nobody listens at `host:port`. */
async function refusing(at: string): Promise<void> {
  const [hostname, port] = at.split(":");
  const to = { hostname: hostname!, port: Number(port) };
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      (await Deno.connect(to)).close();
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionRefused) return;
    }
  }
  throw new Error(`Somebody still listens at ${at}`);
}

/** Runs `line` as a person would, but on a free port, and fetches `url` through it. */
async function assertProxyWorks(line: string, url: string): Promise<void> {
  const PATH = `${dirname(Deno.execPath())}:${Deno.env.get("PATH")}`;
  await using shell = new HtxProcess([], {
    program: ["/bin/sh", "-c", `exec ${line} --listen 127.0.0.1:0`],
    env: { PATH },
  });
  const [, at] = await shell.stdout.match(/proxy at tcp:\/\/(\S+)$/m);
  using client = throughProxy(at!);
  assertEquals(await (await fetch(url, { client })).text(), "origin");
  shell.kill("SIGTERM");
  assertEquals(await shell.exitCode(), 0);
}
