import { assert, assertEquals } from "@std/assert";
import { startTunnel } from "../cli/_htx_process.ts";
import { curl, WAYS } from "./_curl.ts";
import { type Nginx, startNginx } from "./_nginx.ts";
import { randomBytes } from "./_origin.ts";
import { isAvailable } from "./_peers.ts";

const ignore = !isAvailable("curl", ["--version"], "proxy_nginx_test") ||
  !isAvailable("nginx", ["-v"], "proxy_nginx_test");

/** Requests whose answers nginx always gives alike, as arguments of curl before the path. */
const REQUESTS: readonly (readonly [path: string, args: readonly string[]])[] =
  [
    ["/", []],
    ["/", ["-I"]],
    ["/style.css", []],
    ["/style.css", ["-H", "Accept-Encoding: gzip"]],
    ["/empty.html", []],
    ["/none", []],
    ["/image.png", ["-r", "0-0"]],
    ["/image.png", ["-r", "100-70000"]],
    ["/image.png", ["-r", "-1"]],
    ["/image.png", ["-r", "0-9,500-600"]],
    ["/image.png", ["-r", "900000000-"]],
    ["/image.png", ["--http1.0"]],
    ["/upload", []],
    ["/", ["-X", "OPTIONS"]],
    ["/", ["-d", "a=b"]],
  ];

Deno.test({
  name: "curl sees of nginx through betanet-htx what it sees directly",
  ignore,
  async fn(t) {
    await using nginx = await startNginx();
    await fill(nginx);
    await using tunnel = await startTunnel([nginx.at]);
    const url = `http://${nginx.at}`;
    for (const [name, way] of Object.entries(WAYS)) {
      const through = way(tunnel.proxy.at);
      for (const [path, args] of REQUESTS) {
        await t.step(`${name}: ${[...args, path].join(" ")}`, async () => {
          const [direct, proxied] = await Promise.all(
            [[], through].map((way) => fetched([...way, ...args, url + path])),
          );
          // Of a request that it forwards itself, the proxy ends the connection after the answer (RFC 9110 §7.6.1).
          const hop = name === "HTTP" ? /^Connection: .*\r\n/m : /$^/;
          assertEquals(proxied!.replace(hop, ""), direct!.replace(hop, ""));
        });
      }
      await t.step(`${name}: several requests`, async () => {
        const each = ["-o", "/dev/null", "-o", "/dev/null", "-o", "/dev/null"];
        const { text } = await curl(
          ...through,
          ...each,
          ...["-w", "%{http_code} %{num_connects} ", `${url}/`, `${url}/none`],
          `${url}/image.png`,
        );
        const again = name === "HTTP" ? 1 : 0;
        assertEquals(text, `200 1 404 ${again} 200 ${again} `);
      });
      await t.step(`${name}: uploads, whole and chunked`, async () => {
        const image = `${nginx.root}/image.png`;
        for (const how of [[], ["-H", "Transfer-Encoding: chunked"]]) {
          const to = `${url}/upload/copy`;
          const put = await curl(...through, ...how, "-f", "-T", image, to);
          assertEquals([put.code, put.stderr], [0, ""]);
          assertEquals(
            await Deno.readFile(`${nginx.root}/upload/copy`),
            await Deno.readFile(image),
          );
          const gone = await curl(...through, "-f", "-X", "DELETE", to);
          assertEquals([gone.code, gone.stderr], [0, ""]);
        }
      });
    }
  },
});

Deno.test({
  name: "curl cannot tell betanet-htx server from the nginx behind it",
  ignore,
  async fn(t) {
    await using nginx = await startNginx();
    await fill(nginx);
    const options = { serverArgs: ["--decoy-origin", nginx.at] };
    await using tunnel = await startTunnel([], options);
    const { server } = tunnel;
    for (const [path, args] of REQUESTS) {
      await t.step([...args, path].join(" "), async () => {
        const host = ["-H", "Host: example.org"];
        const [direct, decoy] = await Promise.all(
          [nginx.at, server.at].map((at) =>
            fetched([...args, ...host, `http://${at}${path}`])
          ),
        );
        assertEquals(decoy, direct);
      });
    }
    const served = await server.count('htx_decoy_total{result="served"}');
    assertEquals(served, REQUESTS.length);
  },
});

async function fill({ root }: Nginx): Promise<void> {
  await Deno.writeTextFile(`${root}/index.html`, "<p>home</p>");
  await Deno.writeTextFile(`${root}/empty.html`, "");
  await Deno.writeTextFile(
    `${root}/style.css`,
    "p { color: #123456 }\n".repeat(20_000),
  );
  await Deno.writeFile(`${root}/image.png`, randomBytes(3_000_000));
}

/** The bytes of a whole answer, the chunks of its body included, as Latin-1 and without the time. */
async function fetched(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await curl("-i", "--raw", ...args);
  assertEquals([code, stderr], [0, ""]);
  const text = new TextDecoder("latin1").decode(stdout);
  // The proxy's own answer to CONNECT comes first.
  const answer = text.replace(/^HTTP\/1\.1 200 [^\r]*\r\n\r\n(?=HTTP)/, "");
  assert(answer.startsWith("HTTP/1.1 "), answer.slice(0, 200));
  return answer
    .replace(/^Date: .*\r\n/m, "")
    .replaceAll(/(?<=boundary=|--)0\d{19}/g, "boundary");
}
