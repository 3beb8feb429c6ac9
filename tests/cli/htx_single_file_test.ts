import { assert, assertEquals } from "@std/assert";
import { ROLES } from "../../cli/_roles.ts";
import { HELD_TEXT, serveHeld, throughProxy } from "./_held_origin.ts";
import {
  HtxProcess,
  type HtxProcessOptions,
  sha256,
  startTunnel,
} from "./_htx_process.ts";
import { makeBox, type SingleFileBox } from "./_single_file_box.ts";

const BODY = new Uint8Array(16_000_000).map((_, i) => i * 31 + (i >> 8));

Deno.test("betanet-htx in a single file works without PATH, Deno cache and sources", async (t) => {
  await using box = await makeBox({
    name: "betanet-htx",
    ...ROLES.htx,
    runtime: Deno.execPath(),
  });
  const alone = sealedIn(box);
  await t.step("starts", async () => {
    const { size } = await Deno.stat(box.file);
    const unpackingMs = await startMs(box);
    const againMs = await startMs(box);
    // deno-lint-ignore no-console -- a measurement
    console.log(
      `betanet-htx: ${(size / 2 ** 20).toFixed(1)} MiB, ` +
        `${unpackingMs} ms to start the first time, ${againMs} ms after that`,
    );
  });
  await t.step("says how a person runs it", async () => {
    await using server = new HtxProcess(
      ["server", "--port", "0", "--no-tls", "--state", `${box.path}/state`],
      alone,
    );
    await server.stdout.match(/^betanet-htx proxy --server betanet-record:/m);
  });
  for (
    const [carrier, role] of [
      ["tls", "server"],
      ["ws", "proxy"],
      ["quic", "server"],
    ] as const
  ) {
    await t.step(
      `moves 16 MB each way by ${carrier}, and the ${role} drains`,
      async () => {
        await using origin = serveBody();
        await using held = serveHeld();
        await using tunnel = await startTunnel([origin.at, held.at], {
          ...alone,
          proxyArgs: ["--carrier", carrier],
        });
        using client = throughProxy(tunnel.proxy.at);
        await moveBothWays(origin.url, client);
        const response = await fetch(`${held.url}/held`, { client });
        const { process } = tunnel[role];
        process.kill("SIGTERM");
        await process.stderr.match(/^draining/m);
        held.release();
        assertEquals(await response.text(), HELD_TEXT);
        assertEquals(await process.exitCode(), 0);
      },
    );
  }
});

/** Runs `box` with nothing of ours around it. */
function sealedIn({ file, path, cache }: SingleFileBox): HtxProcessOptions {
  return {
    program: [file],
    clearEnv: true,
    env: {
      PATH: "",
      HOME: `${path}/home`,
      DENO_DIR: "/dev/null",
      BETANET_CACHE: cache,
    },
  };
}

async function startMs(box: SingleFileBox): Promise<number> {
  const startedAt = performance.now();
  const { code, stdout, stderr } = await box.start({}, ["--version"]);
  assertEquals([code, stderr], [0, ""]);
  assert(/^betanet-htx \d+\.\d+\.\d+\n$/.test(stdout), stdout);
  return Math.round(performance.now() - startedAt);
}

async function moveBothWays(
  url: string,
  client: Deno.HttpClient,
): Promise<void> {
  const down = await (await fetch(url, { client })).bytes();
  assertEquals(await sha256(down), await sha256(BODY));
  const up = await fetch(url, { client, method: "PUT", body: BODY });
  assertEquals(await up.text(), await sha256(BODY));
}

/** Answers GET with {@link BODY}, PUT with the SHA-256 of what was sent. */
function serveBody(): AsyncDisposable & { readonly at: string; url: string } {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) =>
      request.method === "PUT"
        ? new Response(await sha256(await request.bytes()))
        : new Response(BODY),
  );
  const at = `127.0.0.1:${server.addr.port}`;
  return {
    at,
    url: `http://${at}/`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
