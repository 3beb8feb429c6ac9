import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { Metrics } from "../../src/core/metrics/mod.ts";
import { serveHttp } from "../../src/core/transport/mod.ts";
import { htx } from "../../mod.ts";
import { run } from "../../cli/_main.ts";
import { Progress } from "../../cli/_progress.ts";
import { program } from "../../cli/betanet.ts";
import { checkBody } from "../../cli/demo/check.ts";
import {
  digestOf,
  digestsOf,
  MAX_RESOURCE_BYTES,
  parsePath,
  pathOf,
  PIECE_BYTES,
  piecesOf,
} from "../../cli/demo/content.ts";
import { download, planDownloads } from "../../cli/demo/downloads.ts";
import {
  percentile,
  requirePassage,
  sampleOf,
} from "../../cli/demo/figures.ts";
import { httpGet } from "../../cli/_http_get.ts";
import { originHandler } from "../../cli/demo/origin.ts";
import { DemoBox, outcome } from "./_demo_box.ts";
import { FakeTerminal } from "./_fake_terminal.ts";

const SEED = new Uint8Array(32).fill(7);
const { signal } = new AbortController();

Deno.test("demo moves every byte over each carrier and leaves nothing behind", async () => {
  await using box = await DemoBox.make();
  const { code, stdout, stderr } = await box.run(
    [
      ...["--stage", "tunnel", "--carrier", "all"],
      ...["--size", "4MiB", "--pages", "20"],
    ],
  );
  assertEquals(code, 0, stderr);
  const [head, ...rows] = stdout.trimEnd().split("\n");
  assertEquals(
    head?.split(/ {2,}/),
    [
      ...["carrier", "bytes", "MB/s", "pages", "handshake ms", "rekeys"],
      ...["RTT p50 ms", "p95 ms"],
    ],
  );
  assertEquals(rows.map((row) => row.split(/ +/)[0]), [
    ...["tls", "wss", "tcp", "ws", "quic"],
  ]);
  for (const row of rows) {
    const [, bytes, rate, pages, handshakeMs, rekeys, p50, p95] = row
      .split(/ +/).map(Number);
    assertEquals([bytes, pages, rekeys], [4_845_566, 20, 0]);
    assert(rate! > 0 && handshakeMs! > 0);
    assert(0 < p50! && p50! <= p95!);
  }
  assertEquals(
    stderr.match(/4845566 bytes in 21 downloads, 24 SHA-256/g)?.length,
    5,
  );
  await box.assertEmpty(stderr, 3 * 5);
});

Deno.test("demo --json prints figures for a script, whatever the environment says of proxies", async () => {
  await using box = await DemoBox.make();
  const { code, stdout, stderr } = await box.run(
    [
      ...["--stage", "tunnel", "--size", "100kB", "--pages", "1"],
      ...["--json", "--quiet"],
    ],
    { NO_PROXY: "127.0.0.1", HTTP_PROXY: "http://127.0.0.1:1" },
  );
  assertEquals([code, stderr], [0, ""]);
  const { carriers: [figures, ...more] } = JSON.parse(stdout);
  assertEquals(more, []);
  assertEquals(figures.carrier, "tls");
  assertEquals([figures.bytes, figures.pages], [108_943, 1]);
  assert(figures.serverBytesOut >= figures.bytes);
  assert(figures.proxyBytesIn >= figures.bytes);
  assertEquals(figures.decoy.status, 200);
});

Deno.test("demo ends its processes and removes its state on SIGINT", async () => {
  await using box = await DemoBox.make();
  const child = box.spawn(["--size", "128MiB"]);
  let isKilled = false;
  const { code, stderr } = await outcome(child, (text) => {
    if (isKilled || !text.includes("first  100%")) return;
    isKilled = true;
    child.kill("SIGINT");
  });
  assertEquals(code, 130, stderr);
  await box.assertEmpty(stderr, 3);
});

for (
  const [flag, ...values] of [
    ["--stage", "htx", "tunnel,mixnet"],
    ["--carrier", "udp", "tcp,ws"],
    ["--size", "0B", "17GiB", "much", "-1B"],
    ["--pages", "0", "10001", "1e3", "x"],
    ["--origin", "ff", "F".repeat(64)],
  ] as const
) {
  Deno.test(`demo refuses a wrong ${flag}`, async () => {
    for (const value of values) {
      const terminal = new FakeTerminal(["demo", `${flag}=${value}`]);
      assertEquals(await run(program, terminal), 2);
      assertStringIncludes(terminal.err, `betanet: error: Flag ${flag} wants`);
    }
  });
}

Deno.test("piecesOf() makes one stretch of key stream, whose start is as long as asked", () => {
  const long = [...piecesOf(SEED, { number: 3, sizeBytes: PIECE_BYTES + 100 })];
  assertEquals(long.map((piece) => piece.length), [PIECE_BYTES, 100]);
  const [short] = piecesOf(SEED, { number: 3, sizeBytes: 100 });
  assertEquals(short, long[0]?.subarray(0, 100));
  const [other] = piecesOf(SEED, { number: 4, sizeBytes: 100 });
  assert(digestOf(other!) !== digestOf(short!));
  assert(digestOf(long[1]!) !== digestOf(short!));
  // RFC 8439 §2.3.1 with a key of zeros and counter 0, as in its appendix A.1
  const [zeros] = piecesOf(new Uint8Array(32), { number: 0, sizeBytes: 8 });
  assertEquals(zeros?.toHex(), "76b8e0ada0f13d90");
});

Deno.test("parsePath() reads what pathOf() writes, and nothing else", () => {
  const resource = { number: 12, sizeBytes: MAX_RESOURCE_BYTES };
  assertEquals(parsePath(pathOf(resource)), resource);
  for (
    const path of [
      ...["/", "/1", "/1/", "/1/2/3", "/-1/2", "/1/2.5", "/a/2", "/123456/2"],
      `/1/${MAX_RESOURCE_BYTES + 1}`,
    ]
  ) assertEquals(parsePath(path), undefined, path);
});

Deno.test("originHandler() serves what digestsOf() says", async () => {
  const resource = { number: 5, sizeBytes: 2 * PIECE_BYTES + 1 };
  const digests = await digestsOf(SEED, resource, { signal });
  const handler = originHandler(SEED);
  const { body } = await handler(new Request(`http://x${pathOf(resource)}`));
  let bytes = 0;
  const expected = { name: "file", sizeBytes: resource.sizeBytes, digests };
  await checkBody(body!, expected, (count) => bytes += count);
  assertEquals([digests.length, bytes], [3, resource.sizeBytes]);
  assertEquals((await handler(new Request("http://x/"))).status, 404);
});

Deno.test("checkBody() takes the right bytes however they are cut", async () => {
  const { expected, bytes } = await content(PIECE_BYTES + 1000);
  for (const partBytes of [999, 65_536, PIECE_BYTES, bytes.length]) {
    await checkBody(cut(bytes, partBytes), expected);
  }
  await checkBody(cut(bytes, 1, 0), { ...expected, sizeBytes: 0 });
});

Deno.test("checkBody() tells where a byte is wrong", async () => {
  const { expected, bytes } = await content(PIECE_BYTES + 1000);
  for (
    const [at, where] of [
      [0, "from byte 0 to 1048576 of 1049576"],
      [PIECE_BYTES - 1, "from byte 0 to 1048576 of 1049576"],
      [PIECE_BYTES, "from byte 1048576 to 1049576 of 1049576"],
      [PIECE_BYTES + 999, "from byte 1048576 to 1049576 of 1049576"],
    ] as const
  ) {
    const wrong = bytes.slice();
    wrong[at]! ^= 1;
    await assertFails(cut(wrong, 65_536), `differs ${where}: SHA-256`);
  }

  async function assertFails(
    body: AsyncIterable<Uint8Array>,
    message: string,
  ): Promise<void> {
    await assertRejects(
      () => checkBody(body, expected),
      Error,
      `The file ${message}`,
    );
  }
});

Deno.test("checkBody() tells of a body that is too short or too long", async () => {
  for (const sizeBytes of [1000, PIECE_BYTES, PIECE_BYTES + 1000]) {
    const { expected, bytes } = await content(sizeBytes);
    const fails = (body: Uint8Array, message: string) =>
      assertRejects(
        () => checkBody(cut(body, 65_536), expected),
        Error,
        `The file ${message}`,
      );
    for (const length of [0, 999, sizeBytes - 1]) {
      await fails(
        bytes.subarray(0, length),
        `ended after ${length} of ${sizeBytes}`,
      );
    }
    const long = new Uint8Array(sizeBytes + 1);
    long.set(bytes);
    await fails(long, `has more than ${sizeBytes} bytes`);
  }
});

Deno.test("download() names what a corrupted origin spoils", async () => {
  const plan = await planDownloads(SEED, {
    fileBytes: 2000,
    pageCount: 4,
    signal,
  });
  assertEquals((await downloadFrom((bytes) => bytes)).pages, 4);
  const error = await assertRejects(
    () =>
      downloadFrom((bytes, path) => {
        if (/^\/[34]\//.test(path)) bytes[bytes.length - 1]! ^= 0x80;
        return bytes;
      }),
    Error,
    "Not as it should be: page ",
  );
  assertStringIncludes((error.cause as Error).message, "differs from byte 0");
  const short = await assertRejects(
    () => downloadFrom((bytes, path) => bytes.subarray(+(path[1] === "0"))),
    Error,
    "Not as it should be: file",
  );
  assertStringIncludes((short.cause as Error).message, "after 1999 of 2000");

  async function downloadFrom(
    spoil: (bytes: Uint8Array<ArrayBuffer>, path: string) => Uint8Array<
      ArrayBuffer
    >,
  ) {
    await using proxy = serveHttp(async (request) => {
      const response = await originHandler(SEED)(request);
      const { pathname } = new URL(request.url);
      return new Response(spoil(await response.bytes(), pathname));
    }, { hostname: "127.0.0.1", port: 0 });
    const tunnel = {
      origin: "http://origin.invalid",
      proxy: proxy.address.replace("http:", "tcp:"),
    };
    return await download(plan, tunnel, { signal, progress: silent });
  }
});

Deno.test("httpGet() wants status 200 and a length", async () => {
  await using server = serveHttp(
    (request) =>
      request.url.endsWith("/missing")
        ? new Response("no", { status: 404 })
        : new Response(ReadableStream.from([new Uint8Array(3)])),
    { hostname: "127.0.0.1", port: 0 },
  );
  for (const [path, status] of [["/missing", 404], ["/chunked", 200]]) {
    await assertRejects(
      () => Array.fromAsync(httpGet(`${server.address}${path}`, { signal })),
      Error,
      `${path} is answered with ${status}`,
    );
  }
});

Deno.test("httpGet() ends when its signal aborts, between two parts and while it waits", async () => {
  const held = Promise.withResolvers<void>();
  await using server = serveHttp(() => {
    const body = ReadableStream.from((async function* () {
      yield new Uint8Array(10);
      await held.promise;
    })());
    return new Response(body, { headers: { "content-length": "20" } });
  }, { hostname: "127.0.0.1", port: 0 });
  for (const isWaiting of [false, true]) {
    const stop = new AbortController();
    const body = httpGet(`${server.address}/`, stop);
    let received = 0;
    while (received < 10) received += (await body.next()).value!.length;
    const next = isWaiting ? body.next() : undefined;
    stop.abort(new Error("enough"));
    await assertRejects(() => next ?? body.next(), Error, "enough");
  }
  held.resolve();
});

Deno.test("requirePassage() refuses bytes that went around the tunnel", () => {
  const counts = { serverBytesOut: 10, proxyBytesIn: 11 };
  requirePassage({ bytes: 10 }, counts);
  assertThrows(
    () => requirePassage({ bytes: 11 }, counts),
    Error,
    "Only 10 of 11 bytes passed the tunnel",
  );
});

Deno.test("sampleOf() reads what Metrics exposes", async () => {
  const metrics = new Metrics();
  const { onHandshake } = htx.latencyHooks(metrics);
  onHandshake(250);
  onHandshake(500);
  const text = await metrics.exposition();
  assertEquals(sampleOf(text, "htx_handshake_seconds_sum"), 0.75);
  assertEquals(sampleOf(text, "htx_handshake_seconds_count"), 2);
  assertThrows(() => sampleOf(text, "htx_handshake"), Error, "has no");
});

Deno.test("percentile() gives the smallest value that a share does not exceed", () => {
  const values = [5, 1, 4, 2, 3];
  assertEquals(percentile(values, 0.5), 3);
  assertEquals(percentile(values, 0.95), 5);
  assertEquals(percentile([7.00049], 0.5), 7);
});

async function content(sizeBytes: number) {
  const resource = { number: 1, sizeBytes };
  const pieces = await Array.fromAsync(piecesOf(SEED, resource));
  const digests = await digestsOf(SEED, resource, { signal });
  return {
    bytes: await new Blob(pieces).bytes(),
    expected: { name: "file", sizeBytes, digests },
  };
}

/** The first `length` of `bytes` in parts that share one buffer, as they come from a socket. */
async function* cut(
  bytes: Uint8Array,
  partBytes: number,
  length: number = bytes.length,
): AsyncGenerator<Uint8Array, void> {
  const buffer = new Uint8Array(partBytes);
  for (let at = 0; at < length; at += partBytes) {
    const part = bytes.subarray(at, Math.min(at + partBytes, length));
    buffer.set(part);
    yield buffer.subarray(0, part.length);
    buffer.fill(0xff);
  }
}

function silent(label: string): Progress {
  return new Progress({
    label,
    quiet: true,
    terminal: new FakeTerminal([]),
    clock: { now: () => 0, wallTime: () => 0, setTimeout: () => () => {} },
  });
}
