import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  makeFolder,
  sha256,
  startRole,
  startTunnel,
  type Tunnel,
} from "../cli/_htx_process.ts";
import { curl, WAYS } from "./_curl.ts";
import { type Origin, randomBytes, serveOrigin } from "./_origin.ts";
import { isAvailable } from "./_peers.ts";

const ignore = !isAvailable("curl", ["--version"], "proxy_curl_test");

const BODY_BYTES = 100_000_000;

Deno.test({
  name: "curl moves 100 MB each way through betanet-htx, over every carrier",
  ignore,
  async fn(t) {
    await using folder = await makeFolder();
    const file = `${folder.path}/body`;
    const body = randomBytes(BODY_BYTES);
    await Deno.writeFile(file, body);
    await using origin = serveOrigin(body);
    const transfer = { origin, file, digest: await sha256(body) };
    for (const carrier of ["tls", "wss", "tcp", "ws", "quic"]) {
      const options = { proxyArgs: ["--carrier", carrier] };
      await using tunnel = await startTunnel([origin.at], options);
      const ways = carrier === "tcp" ? Object.keys(WAYS) : ["SOCKS5"];
      for (const way of ways) {
        await t.step(`${carrier}, ${way}`, () =>
          moveBothWays(tunnel, {
            ...transfer,
            carrier,
            way,
          }));
      }
      assertEquals(await tunnel.proxy.stop(), 0);
      assertEquals(await tunnel.server.stop(), 0);
    }
  },
});

Deno.test({
  name: "curl fetches 500 pages through betanet-htx, 50 at once",
  ignore,
  async fn() {
    await using origin = serveOrigin(new Uint8Array());
    await using tunnel = await startTunnel([origin.at]);
    await using folder = await makeFolder();
    const { code } = await curl(
      ...WAYS.SOCKS5!(tunnel.proxy.at),
      ...["--parallel", "--parallel-immediate", "--parallel-max", "50"],
      ...["-o", `${folder.path}/#1`, `${origin.url}/page/[1-500]`],
    );
    assertEquals(code, 0);
    for (let page = 1; page <= 500; page++) {
      assertEquals(
        await Deno.readTextFile(`${folder.path}/${page}`),
        `${page}`,
      );
    }
    assertEquals(origin.requests.length, 500);
    assertEquals(await tunnel.server.count("htx_sessions"), 1);
    const ended = 'htx_tunnels_ended_total{reason="finished"}';
    assert(await tunnel.server.count(ended) >= 50);
  },
});

Deno.test({
  name: "curl is told when a target may not be reached",
  ignore,
  async fn() {
    await using origin = serveOrigin(new Uint8Array());
    await using tunnel = await startTunnel(["example.org:443"]);
    const { proxy, server } = tunnel;
    // 97: the SOCKS5 handshake failed; 56: the answer to CONNECT was not 2xx.
    const socks = await curl(...WAYS.SOCKS5!(proxy.at), origin.url);
    assertEquals(socks.code, 97);
    assertEquals((await curl(...WAYS.CONNECT!(proxy.at), origin.url)).code, 56);
    const status = ["-o", "/dev/null", "-w", "%{http_code}"];
    const http = await curl(...WAYS.HTTP!(proxy.at), ...status, origin.url);
    assertEquals([http.code, http.text], [0, "403"]);
    const refused = 'htx_tunnels_refused_total{reason="not_allowed"}';
    assertEquals(await server.count(refused), 3);
    assertEquals(await proxy.count(refused), 3);
    assertEquals(origin.requests, []);
  },
});

Deno.test({
  name: "curl fails soon after the server is killed, and works once it is back",
  ignore,
  async fn() {
    await using origin = serveOrigin(new Uint8Array());
    await using tunnel = await startTunnel([origin.at]);
    const { server, proxy } = tunnel;
    const way = WAYS.SOCKS5!(proxy.at);
    const transfer = curl(...way, "-o", "/dev/null", `${origin.url}/endless`);
    await growing(() => bytesDown(proxy));
    server.process.kill("SIGKILL");
    const killedAt = performance.now();
    assertNotEquals((await transfer).code, 0);
    assert(performance.now() - killedAt < 10_000);
    assertEquals((await curl(...way, origin.url)).code, 97);

    await using _again = await startRole([
      "server",
      ...["--port", "0", "--allow", origin.at],
      ...["--tls-port", server.addresses[0]!.split(":")[2]!],
      ...["--state", folderOf(server.recordFile)],
    ]);
    const { code, text } = await curl(...way, `${origin.url}/page/7`);
    assertEquals([code, text], [0, "7"]);
    assertEquals(await proxy.count("htx_sessions"), 1);
  },
});

Deno.test({
  name: "curl sees a web site where there is a server",
  ignore,
  async fn() {
    await using site = await makeFolder();
    const page = randomBytes(100_000);
    await Deno.writeTextFile(`${site.path}/index.html`, "<h1>Bread</h1>");
    await Deno.writeFile(`${site.path}/oven.jpg`, page);
    const options = { serverArgs: ["--decoy-dir", site.path] };
    await using tunnel = await startTunnel([], options);
    const { server } = tunnel;
    const url = `http://${server.at}`;
    assertEquals((await curl(`${url}/`)).text, "<h1>Bread</h1>");
    const image = await curl("-D", "/dev/stderr", `${url}/oven.jpg`);
    assertEquals(image.stdout, page);
    assert(/^content-type: image\/jpeg\r$/im.test(image.stderr), image.stderr);
    const status = ["-o", "/dev/null", "-w", "%{http_code}"];
    assertEquals((await curl(...status, `${url}/none`)).text, "404");
    const sent = ["--data-binary", "a=b", "-b", "__Host-sid=AAAA"];
    assertEquals((await curl(...status, ...sent, `${url}/`)).text, "405");
    assertEquals(await server.count('htx_decoy_total{result="served"}'), 4);
    assertEquals(await server.count("htx_sessions"), 0);
  },
});

async function moveBothWays(
  { proxy }: Tunnel,
  { origin, file, digest, carrier, way }: {
    readonly origin: Origin;
    readonly file: string;
    readonly digest: string;
    readonly carrier: string;
    readonly way: string;
  },
): Promise<void> {
  const through = WAYS[way]!(proxy.at);
  const got = `${file}.got`;
  const down = await curl(
    ...through,
    ...["-o", got, "-w", "%{speed_download}", `${origin.url}/bytes`],
  );
  assertEquals([down.code, down.stderr], [0, ""]);
  const bytes = await Deno.readFile(got);
  assertEquals([bytes.length, await sha256(bytes)], [BODY_BYTES, digest]);
  const up = await curl(
    ...through,
    ...["-T", file, "-w", "\n%{speed_upload}", `${origin.url}/hash`],
  );
  assertEquals([up.code, up.stderr], [0, ""]);
  const [seen, speed] = up.text.split("\n");
  assertEquals(seen, `${BODY_BYTES} ${digest}`);
  const [downMb, upMb] = [down.text, speed].map((n) => Math.round(+n! / 1e6));
  // deno-lint-ignore no-console -- a measurement
  console.log(`${carrier}, ${way}: ${downMb} MB/s down, ${upMb} MB/s up`);
}

function bytesDown(proxy: Tunnel["proxy"]): Promise<number> {
  return proxy.count('htx_tunnel_bytes_total{direction="down"}');
}

/** Waits until a number is above zero. */
async function growing(read: () => Promise<number>): Promise<void> {
  while (await read() === 0) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
