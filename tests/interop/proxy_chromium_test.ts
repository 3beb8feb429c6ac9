import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { makeFolder, sha256, startTunnel } from "../cli/_htx_process.ts";
import { randomBytes } from "./_origin.ts";
import { isAvailable } from "./_peers.ts";

const ignore = !isAvailable("chromium", ["--version"], "proxy_chromium_test");

/** How many of each kind the page has. */
const COUNTS = { image: 20, style: 10, script: 10, data: 10 } as const;

/** What each of the data holds, at least as much as several windows of a stream. */
const DATA = randomBytes(300_000);

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // The page is printed when nothing has been under way for long; waiting for the network does not count.
  "--virtual-time-budget=30000",
  "--dump-dom",
];

for (const carrier of ["tls", "quic"]) {
  Deno.test({
    name: `Chromium loads a page of 50 resources through ${carrier}`,
    ignore,
    async fn() {
      const requests: string[] = [];
      await using origin = Deno.serve(
        { hostname: "127.0.0.1", port: 0, onListen: () => {} },
        async (request) => {
          const { pathname } = new URL(request.url);
          requests.push(pathname);
          return await answer(pathname);
        },
      );
      const at = `127.0.0.1:${origin.addr.port}`;
      const options = { proxyArgs: ["--carrier", carrier] };
      await using tunnel = await startTunnel([at], options);
      const { proxy, server } = tunnel;
      const page = await load(
        `http://${at}/`,
        `--proxy-server=socks5://${proxy.at}`,
        "--proxy-bypass-list=<-loopback>",
      );
      assertStringIncludes(page, "<title>50 right of 50</title>");
      const resources = requests.filter((path) => /^\/\w+\/\d+$/.test(path));
      assertEquals(resources.length, 50);
      assertEquals(new Set(resources).size, 50);

      const [up, down] = await Promise.all(
        ["up", "down"].map((way) =>
          server.count(`htx_tunnel_bytes_total{direction="${way}"}`)
        ),
      );
      assert(up! > 50 * "GET /data/0 HTTP/1.1".length, `${up}`);
      assert(down! > COUNTS.data * DATA.length, `${down}`);
      assertEquals(
        await proxy.count('htx_tunnel_bytes_total{direction="down"}'),
        down,
      );
      assertEquals(await server.count("htx_sessions"), 1);
    },
  });
}

Deno.test({
  name: "Chromium sees a web site where there is a server",
  ignore,
  async fn() {
    await using tunnel = await startTunnel([]);
    const { server } = tunnel;
    const url = `http://${server.at}/`;
    const title = (await (await fetch(url)).text()).match(/<title>.+<\/title>/);
    assertStringIncludes(await load(url), title![0]);
    const served = 'htx_decoy_total{result="served"}';
    assert(await server.count(served) >= 2);
    assertEquals(await server.count("htx_sessions"), 0);
  },
});

/** The page at `url` as Chromium has it in the end. */
async function load(url: string, ...flags: readonly string[]): Promise<string> {
  await using profile = await makeFolder();
  const { success, stdout } = await new Deno.Command("chromium", {
    args: [...FLAGS, `--user-data-dir=${profile.path}`, ...flags, url],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
    signal: AbortSignal.timeout(60_000),
  }).output();
  assert(success, "Chromium failed or took longer than 60 s");
  return new TextDecoder().decode(stdout);
}

async function answer(path: string): Promise<Response> {
  const [, kind, number] = path.split("/");
  const as = (type: string, body: BodyInit) =>
    new Response(body, { headers: { "content-type": type } });
  switch (kind) {
    case "":
      return as("text/html", await html());
    case "image":
      return as("image/svg+xml", svg(Number(number) + 1));
    case "style":
      return as("text/css", `#style${number} { width: 1${number}px }`);
    case "script":
      return as("text/javascript", `ran.push(${number})`);
    case "data":
      return as("application/octet-stream", DATA);
    default:
      return new Response(null, { status: 404 });
  }
}

function svg(width: number): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="1"/>`;
}

/** A page that checks every resource and counts the right ones in its title. */
async function html(): Promise<string> {
  const each = (count: number, text: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => text(i)).join("\n");
  return `<!doctype html>
<title>loading</title>
${each(COUNTS.style, (i) => `<link rel="stylesheet" href="/style/${i}">`)}
${each(COUNTS.style, (i) => `<div id="style${i}"></div>`)}
${each(COUNTS.image, (i) => `<img src="/image/${i}">`)}
<script>const ran = [];</script>
${each(COUNTS.script, (i) => `<script src="/script/${i}"></script>`)}
<script>
const sha256 = async (bytes) =>
  Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)), (byte) =>
    byte.toString(16).padStart(2, "0")).join("");
addEventListener("load", async () => {
  const right = [
    ...Array.from(document.images, (image, i) => image.naturalWidth === i + 1),
    ...Array.from(document.querySelectorAll("div"), (div, i) => div.clientWidth === 10 + i),
    ...ran.map((number, i) => number === i),
    ...await Promise.all(Array.from({ length: ${COUNTS.data} }, async (_, i) => {
      const answer = await fetch("/data/" + i);
      return await sha256(await answer.arrayBuffer()) === "${await sha256(
    DATA,
  )}";
    })),
  ];
  document.title = right.filter((is) => is).length + " right of " + right.length;
});
</script>
`;
}
