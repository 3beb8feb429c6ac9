import { assertEquals, assertStringIncludes } from "@std/assert";
import { lookup } from "node:dns/promises";
import { tcp } from "../../src/core/transport/mod.ts";
import { AllowList, Forwarder, LocalProxy } from "../../src/htx/tunnel/mod.ts";

const available = await run("curl", "--version").then(
  ({ code }) => code === 0,
  () => false,
);
if (!available) {
  // deno-lint-ignore no-console -- says why the tests are skipped
  console.warn("tunnel_curl_test: skipped, curl not found");
}

async function run(command: string, ...args: string[]) {
  const { code, stdout } = await new Deno.Command(command, {
    args,
    stdout: "piped",
    stderr: "null",
  }).output();
  return { code, text: new TextDecoder().decode(stdout) };
}

/** What curl prints through the proxy, without its configuration file and environment. */
function curl(...args: string[]) {
  return run("curl", "-q", "-sS", "--max-time", "20", "--noproxy", "", ...args);
}

/** An HTTP origin; `/hash` answers the length and SHA-256 of what it was sent. */
function serveOrigin(size: number) {
  const body = new Uint8Array(size).map((_, i) => i * 31 + (i >> 8));
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/big") return new Response(body);
      if (pathname === "/hash") {
        const sent = await request.bytes();
        return new Response(`${sent.length} ${await sha256(sent)}`);
      }
      return new Response(`${request.method} ${pathname}`);
    },
  );
  return server;
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** A proxy and a server's end on loopback, with plain TCP connections as their streams. */
async function tunnel(rules: string[]) {
  const streams = await tcp.listen("tcp://127.0.0.1:0");
  const forwarder = new Forwarder({
    allow: new AllowList(rules),
    dial: tcp.dial,
    resolve: async (name) =>
      (await lookup(name, { all: true })).map(({ address }) => address),
  });
  const proxy = new LocalProxy({
    open: (options) => tcp.dial(streams.address, options),
  });
  const listener = await tcp.listen("tcp://127.0.0.1:0");
  const served = Promise.all([
    forwarder.serve(streams),
    proxy.serve(listener),
  ]);
  return {
    address: listener.address.slice("tcp://".length),
    proxy,
    async [Symbol.asyncDispose]() {
      listener.close();
      streams.close();
      await served;
    },
  };
}

const WAYS: Record<string, (address: string) => string[]> = {
  "SOCKS5 with names": (address) => ["--socks5-hostname", address],
  "SOCKS5 with addresses": (address) => ["-4", "--socks5", address],
  "HTTP requests": (address) => ["-x", `http://${address}`],
  "HTTP CONNECT": (address) => ["-p", "-x", `http://${address}`],
};

for (const [name, way] of Object.entries(WAYS)) {
  Deno.test({
    name: `curl reaches an origin by ${name}`,
    ignore: !available,
    async fn() {
      await using origin = serveOrigin(5_000_003);
      const { port } = origin.addr;
      await using t = await tunnel([`localhost:${port}`, `127.0.0.1:${port}`]);
      const args = way(t.address);
      const file = await Deno.makeTempFile();
      try {
        const url = `http://localhost:${port}`;
        // Three requests of one curl, to two names of the origin.
        const { text } = await curl(
          ...args,
          `${url}/a`,
          `http://127.0.0.1:${port}/b`,
          `${url}/c`,
        );
        assertEquals(text, "GET /aGET /bGET /c");

        const big = await curl(
          ...args,
          "-o",
          file,
          "-w",
          "%{http_code}",
          `${url}/big`,
        );
        assertEquals(big.text, "200");
        const bytes = await Deno.readFile(file);
        const want = `${bytes.length} ${await sha256(bytes)}`;
        assertEquals(bytes.length, 5_000_003);

        const put = await curl(...args, "-T", file, `${url}/hash`);
        assertEquals(put.text, want);
        const chunked = await curl(
          ...args,
          "-H",
          "Transfer-Encoding: chunked",
          "-H",
          "Content-Length:",
          "--data-binary",
          `@${file}`,
          `${url}/hash`,
        );
        assertEquals(chunked.text, want);
      } finally {
        await Deno.remove(file);
      }
    },
  });
}

Deno.test({
  name: "curl sees refusals as each protocol has them",
  ignore: !available,
  async fn() {
    const closed = await tcp.listen("tcp://127.0.0.1:0");
    const port = Number(closed.address.split(":").at(-1));
    closed.close();
    await using t = await tunnel([`127.0.0.1:${port}`]);
    const socks = ["--socks5-hostname", t.address];
    const http = ["-x", `http://${t.address}`];
    const status = ["-o", "/dev/null", "-w", "%{http_code} %{http_connect}"];
    // 97: the proxy handshake failed.
    assertEquals((await curl(...socks, `http://127.0.0.1:${port}/`)).code, 97);
    assertEquals((await curl(...socks, "http://127.0.0.1:1/")).code, 97);
    const denied = await curl(...http, ...status, "http://127.0.0.1:1/");
    assertStringIncludes(denied.text, "403");
    const dead = await curl(...http, ...status, `http://127.0.0.1:${port}/`);
    assertStringIncludes(dead.text, "502");
    const tunnelled = await curl(
      "-p",
      ...http,
      ...status,
      "http://127.0.0.1:1/",
    );
    assertStringIncludes(tunnelled.text, "403");
    const { refused } = t.proxy.stats();
    assertEquals([refused.not_allowed, refused.refused], [3, 2]);
  },
});
