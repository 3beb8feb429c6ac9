import { assert, assertEquals } from "@std/assert";
import { connect, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { concat } from "../../src/core/bytes/mod.ts";
import {
  type HeaderField,
  Http2Connection,
  type Http2Event,
} from "../../src/http2/mod.ts";
import { makeFolder } from "../cli/_htx_process.ts";
import { curl } from "./_curl.ts";
import { startNginx } from "./_nginx.ts";
import { isAvailable } from "./_peers.ts";

const PIECE = new Uint8Array(300_000).map((_, i) => i % 251);
const hasCurl = isAvailable("curl", ["--version"], "http2_test");
const hasNginx = isAvailable("nginx", ["-v"], "http2_test");
/** Where pip puts Python's h2, at the first run. */
const PYTHON_PATH = `${import.meta.dirname!}/.cache/python-h2`;
const hasPython = installH2();

Deno.test({
  name: "http2: curl gets and posts over h2c",
  ignore: !hasCurl,
  fn: async () => {
    await using server = echoServer();
    await using folder = await makeFolder();
    const file = `${folder.path}/piece`;
    await Deno.writeFile(file, PIECE);
    const url = `http://127.0.0.1:${server.port}`;
    const args = ["--http2-prior-knowledge", "-H", "Expect:"];
    const posted = await curl(...args, "--data-binary", `@${file}`, `${url}/a`);
    assertEquals(posted.code, 0, posted.stderr);
    assertEquals(posted.stdout, PIECE);
    const got = await curl(...args, url);
    assertEquals(got.text, "GET", got.stderr);
  },
});

Deno.test("http2: Node's client gets and posts", async () => {
  await using server = echoServer();
  const session = connect(`http://127.0.0.1:${server.port}`);
  const stream = session.request({ ":method": "POST", ":path": "/" });
  stream.end(PIECE);
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  assertEquals(concat(...parts), PIECE);
  const closed = new Promise((resolve) => session.once("close", resolve));
  session.close();
  await closed;
});

Deno.test("http2: our client posts to Node's server", async () => {
  const server = createServer();
  server.on("stream", (stream) => {
    stream.respond({ ":status": 200, "x-long": "x".repeat(3_000) });
    stream.pipe(stream);
  });
  await new Promise<void>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve())
  );
  const { port } = server.address() as AddressInfo;
  const { fields, content } = await fetchOnce(port, "POST", "/", PIECE);
  assertEquals(fields[0], [":status", "200"]);
  assertEquals(new Map(fields).get("x-long")?.length, 3_000);
  assertEquals(content, PIECE);
  await new Promise((resolve) => server.close(resolve));
});

Deno.test("http2: our client posts to Deno's server", async () => {
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) => new Response(await request.bytes()),
  );
  const { port } = server.addr;
  const { content } = await fetchOnce(port, "POST", "/", PIECE);
  assertEquals(content, PIECE);
});

Deno.test({
  name: "http2: our client gets a file from nginx",
  ignore: !hasNginx,
  fn: async () => {
    await using nginx = await startNginx({ http2: true });
    await Deno.writeFile(`${nginx.root}/piece`, PIECE);
    const port = Number(nginx.at.split(":")[1]);
    const { fields, content } = await fetchOnce(port, "GET", "/piece");
    assertEquals(fields[0], [":status", "200"]);
    assertEquals(content, PIECE);
    const missing = await fetchOnce(port, "GET", "/missing");
    assertEquals(missing.fields[0], [":status", "404"]);
  },
});

Deno.test({
  name: "http2: Python's h2 posts, and sees no fault",
  ignore: !hasPython,
  fn: async () => {
    await using server = echoServer();
    const { code, stdout, stderr } = await new Deno.Command("python3", {
      args: [
        new URL("_h2_client.py", import.meta.url).pathname,
        `${server.port}`,
      ],
      env: { PYTHONPATH: PYTHON_PATH },
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    assertEquals(new TextDecoder().decode(stdout), "200 300000\n");
  },
});

function installH2(): boolean {
  const pip = ["-m", "pip", "install", "--quiet", "--target", PYTHON_PATH];
  return exists(`${PYTHON_PATH}/h2`) ||
    isAvailable("python3", [...pip, "h2==4.4.1"], "http2_test");
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Echoes content, or names the method where there is none. */
function echoServer(): AsyncDisposable & { port: number } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Promise<void>>();
  const accept = async () => {
    for await (const connection of listener) {
      const task = serve(connection).catch(() => {});
      open.add(task);
      void task.finally(() => open.delete(task));
    }
  };
  const accepting = accept();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      await Promise.all(open);
    },
  };
}

async function serve(connection: Deno.Conn): Promise<void> {
  using _ = connection;
  const http2 = new Http2Connection({
    role: "server",
    settings: [[3, 100], [4, 100_000], [5, 32_768]],
    windowIncrement: 100_000,
  });
  const waiting = new Map<number, { bytes: Uint8Array; ended: boolean }>();
  const take = (event: Http2Event) => {
    if (event.type === "headers" && !waiting.has(event.streamId)) {
      const { streamId, fields, endStream } = event;
      http2.respond(streamId, [[":status", "200"], ["x-echo", "yes"]]);
      const method = new Map(fields).get(":method")!;
      const bytes = new TextEncoder().encode(endStream ? method : "");
      waiting.set(streamId, { bytes, ended: endStream });
    } else if (event.type === "data") {
      const echo = waiting.get(event.streamId)!;
      echo.bytes = concat(echo.bytes, event.data);
      echo.ended = event.endStream;
      http2.consume(event.streamId, event.data.length);
    } else if (event.type === "failed") throw event.error;
  };
  const answer = () => {
    for (const [id, { bytes, ended }] of waiting) {
      const sent = http2.send(id, bytes, { endStream: ended });
      if (sent === bytes.length && ended) waiting.delete(id);
      else waiting.set(id, { bytes: bytes.slice(sent), ended });
    }
  };
  await run(connection, http2, (event) => {
    take(event);
    return true;
  }, answer);
}

async function fetchOnce(
  port: number,
  method: string,
  path: string,
  body: Uint8Array = new Uint8Array(0),
): Promise<{ fields: readonly HeaderField[]; content: Uint8Array }> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const http2 = new Http2Connection({
    role: "client",
    settings: [[1, 65_536], [2, 0], [4, 6_291_456], [6, 262_144]],
    windowIncrement: 15_663_105,
  });
  const id = http2.request([
    [":method", method],
    [":authority", `127.0.0.1:${port}`],
    [":scheme", "http"],
    [":path", path],
    ["user-agent", "betanet"],
  ], { endStream: body.length === 0 });
  let left = body;
  let fields: readonly HeaderField[] = [];
  const parts: Uint8Array[] = [];
  await run(connection, http2, (event) => {
    if (event.type === "failed") throw event.error;
    assert(event.type !== "reset");
    if (event.type === "headers") fields = event.fields;
    if (event.type === "data") {
      parts.push(event.data.slice());
      http2.consume(id, event.data.length);
    }
    return !("endStream" in event && event.endStream);
  }, () => {
    if (left.length === 0) return;
    left = left.subarray(http2.send(id, left, { endStream: true }));
  });
  return { fields, content: concat(...parts) };
}

/** Moves bytes between `connection` and `http2` until `onEvent` says `false` or the peer ends. */
async function run(
  connection: Deno.Conn,
  http2: Http2Connection,
  onEvent: (event: Http2Event) => boolean,
  send: () => void,
): Promise<void> {
  const buffer = new Uint8Array(65_536);
  const flush = async () => {
    send();
    const bytes = http2.takeOutgoing() ?? new Uint8Array(0);
    for (let at = 0; at < bytes.length;) {
      at += await connection.write(bytes.subarray(at));
    }
  };
  await flush();
  for (;;) {
    const length = await connection.read(buffer);
    if (length === null) return;
    const received = buffer.subarray(0, length);
    for (const event of http2.receive(received, performance.now())) {
      if (!onEvent(event)) return;
    }
    await flush();
  }
}
