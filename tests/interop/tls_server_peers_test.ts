import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { encodeHex, utf8 } from "../../src/core/bytes/mod.ts";
import {
  defaultProvider,
  generateX25519,
  nodeProvider,
} from "../../src/core/crypto/mod.ts";
import { memoryStore } from "../../src/core/storage/mod.ts";
import {
  dialTcp,
  listenTcp,
  parseAddress,
} from "../../src/core/transport/mod.ts";
import { Decoy } from "../../src/htx/decoy.ts";
import { Gate } from "../../src/htx/gate.ts";
import { ReplayMemory } from "../../src/htx/replay.ts";
import { HtxServer } from "../../src/htx/server.ts";
import { makeTicketKey, TicketKeyRing } from "../../src/htx/ticket_key_ring.ts";
import { TokenBuckets } from "../../src/htx/token_bucket.ts";
import {
  CIPHER_SUITE,
  listenTls,
  type ListenTlsOptions,
  serverCertificate,
  spkiOf,
  TicketKeys,
  type TlsConnection,
} from "../../src/tls/mod.ts";
import { GROUP } from "../../src/utls/mod.ts";
import { makeFolder } from "../cli/_htx_process.ts";
import { pem, testCertificate, testRoots } from "../tls/_certificates.ts";
import { curl } from "./_curl.ts";
import { isAtLeast, isAvailable } from "./_peers.ts";
import { BUN, NODE, TLS_PEERS } from "./_tls_peers.ts";

const TEST = "tls_server_peers_test";
const HERE = import.meta.dirname!;
const GO_CLIENT = `${HERE}/.cache/tls_peers/go_client`;
const LENGTH = 1 << 26;
/** Bytes between two key updates of our server; none comes at the very end, which Go does not follow once it has said its own. */
const UPDATE_EVERY = 10_000_000;
const IMAGES = 12;

/** Clients that connect twice and print `resumed protocol same` each time. */
const CLIENTS: readonly {
  readonly name: string;
  readonly isAvailable: boolean;
  readonly program: readonly string[];
  /** What makes it offer shares of other groups than P-384, which it has too. */
  readonly asksAgain?: Readonly<Record<string, unknown>>;
}[] = [
  {
    name: "Go",
    isAvailable: isAtLeast("go version", "1.24", TEST) &&
      isAvailable("go", [
        "build",
        "-C",
        `${HERE}/tls/go_client`,
        "-o",
        GO_CLIENT,
        ".",
      ], TEST),
    program: [GO_CLIENT],
    asksAgain: { curves: [GROUP.x25519, GROUP.p384] },
  },
  {
    name: "Node.js 26 (OpenSSL 3.5)",
    isAvailable: hasPeer("Node.js 26 (OpenSSL 3.5)"),
    program: [NODE, `${HERE}/tls/client_node.cjs`],
    asksAgain: { group: "X25519:P-384" },
  },
  {
    name: "Bun (BoringSSL)",
    isAvailable: hasPeer("Bun (BoringSSL)"),
    program: [BUN, `${HERE}/tls/client_node.cjs`],
  },
];

for (const { name, isAvailable, program, asksAgain } of CLIENTS) {
  Deno.test({
    name:
      `${name} moves 64 MiB both ways through our server, with X25519MLKEM768 and key updates`,
    ignore: !isAvailable,
    async fn() {
      await using server = await startEcho();
      const lines = await visit(program, server);
      assertEquals(lines, ["false echo true", "true echo true"]);
      const groups = server.seen.map(({ group }) => group);
      assertEquals(groups, [GROUP.x25519MlKem768, GROUP.x25519MlKem768]);
    },
  });

  if (!asksAgain) continue;
  Deno.test({
    name: `${name} is asked for another group by our server`,
    ignore: !isAvailable,
    async fn() {
      const preferences = { groups: [GROUP.p384] };
      await using server = await startEcho({ preferences });
      const lines = await visit(program, server, asksAgain);
      assertEquals(lines, ["false echo true", "true echo true"]);
      assertEquals(server.seen[0]!.group, GROUP.p384);
    },
  });
}

Deno.test({
  name: "gnutls-cli talks to our server, and resumes its session",
  ignore: !isAvailable("gnutls-cli", ["--version"], TEST),
  async fn() {
    await using server = await startEcho();
    const text = await run("gnutls-cli", [
      ...["--x509cafile", server.roots, "--resume", "--waitresumption"],
      ...["--alpn", "echo", "--port", String(server.port)],
      ...["--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3", "localhost"],
    ], "hello\n");
    assertStringIncludes(text, "*** This is a resumed session");
    assertStringIncludes(text, "Application protocol: echo");
    assertEquals(server.seen.map(({ resumed }) => resumed), [false, true]);
  },
});

Deno.test({
  name: "curl loads and stores over HTTP/2 through HtxServer",
  ignore: !isAvailable("curl", ["--version"], TEST),
  async fn() {
    await using site = await startSite();
    const file = `${site.folder}/body`;
    const body = nodeProvider.random(4 << 20);
    await Deno.writeFile(file, body);
    const flags = ["--cacert", site.roots, "-w", "%{stderr}%{http_version}"];
    const got = await curl("--http2", ...flags, `${site.url}/image/3`);
    assertEquals([got.code, got.stderr], [0, "2"]);
    assertEquals(got.text, svg(3));
    const put = await curl("--http2", ...flags, "-T", file, `${site.url}/hash`);
    assertEquals([put.code, put.stderr], [0, "2"]);
    assertEquals(put.text, await digest(body));
    const old = await curl("--http1.1", ...flags, `${site.url}/image/3`);
    assertEquals([old.code, old.stderr, old.text], [0, "1.1", svg(3)]);
    assertEquals(site.decoy.counts.served, 3);
  },
});

/** What else of TLS Chromium meets on its way to the page. */
const VISITS: Readonly<Record<string, Partial<ListenTlsOptions>>> = {
  "": {},
  ", with application settings": {
    applicationSettings: { h2: new Uint8Array(0) },
  },
  ", asked for another group with a cookie": {
    preferences: { groups: [GROUP.p384] },
    sendsCookie: true,
  },
  ", with ChaCha20-Poly1305": {
    preferences: { suites: [CIPHER_SUITE.chacha20Poly1305Sha256] },
  },
};

for (const [how, options] of Object.entries(VISITS)) {
  Deno.test({
    name:
      `Chromium loads a page with images over HTTP/2 through HtxServer${how}`,
    ignore: !isAvailable("chromium", ["--version"], TEST),
    async fn() {
      await using site = await startSite(options);
      const page = await run("chromium", [
        ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"],
        ...["--no-first-run", "--disable-background-networking"],
        ...["--disable-component-update", "--disable-sync"],
        ...["--virtual-time-budget=20000", "--dump-dom"],
        `--user-data-dir=${site.folder}/profile`,
        `--ignore-certificate-errors-spki-list=${site.pin}`,
        `${site.url}/`,
      ]);
      assertStringIncludes(
        page,
        `<title>${IMAGES} decoded, ${IMAGES} h2</title>`,
      );
      assert(site.decoy.counts.served >= 1);
    },
  });
}

function hasPeer(name: string): boolean {
  return TLS_PEERS.find((peer) => peer.name === name)!.isAvailable(TEST);
}

interface Started extends AsyncDisposable {
  readonly port: number;
  readonly folder: string;
  /** A file with the roots of our certificate. */
  readonly roots: string;
}

const CERTIFICATE = testCertificate("p256");

/** What every server here has. */
async function start(): Promise<{
  readonly stack: AsyncDisposableStack;
  readonly folder: string;
  readonly roots: string;
  readonly tls: ListenTlsOptions;
}> {
  const stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(await makeFolder());
  const roots = `${folder}/roots.pem`;
  await Deno.writeTextFile(
    roots,
    testRoots.map((der) => pem("CERTIFICATE", der)).join(""),
  );
  const tickets = stack.use(new TicketKeys(defaultProvider()));
  const { certPem: chainPem, keyPem } = CERTIFICATE;
  const certificates = [serverCertificate({ chainPem, keyPem })];
  return { stack, folder, roots, tls: { certificates, tickets } };
}

/** A server whose connections {@link echo}. */
async function startEcho(
  options: Partial<ListenTlsOptions> = {},
): Promise<Started & { readonly seen: readonly TlsConnection[] }> {
  const { stack, folder, roots, tls } = await start();
  const listener = stack.use(
    listenTls(listenTcp("tcp://127.0.0.1:0"), {
      ...tls,
      alpn: ["echo"],
      ...options,
    }),
  );
  const seen: TlsConnection[] = [];
  const serving = (async () => {
    const tasks: Promise<void>[] = [];
    for await (const connection of listener) {
      seen.push(connection);
      tasks.push(echo(connection).catch(() => {}));
    }
    await Promise.all(tasks);
  })();
  stack.defer(() => serving);
  stack.defer(() => listener.close());
  return {
    port: parseAddress(listener.address).port,
    folder,
    roots,
    seen,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/**
 * Sends back what comes, and asks for new keys now and then. It keeps what it cannot send yet: Go does not read on while a key update
 * of its own waits for its writing to end.
 */
async function echo(connection: TlsConnection): Promise<void> {
  const kept = new TransformStream<Uint8Array<ArrayBuffer>>({}, undefined, {
    highWaterMark: Infinity,
  });
  let left = UPDATE_EVERY;
  for await (const bytes of connection.readable.pipeThrough(kept)) {
    await connection.write(bytes);
    left -= bytes.length;
    if (left > 0) continue;
    left = UPDATE_EVERY;
    await connection.updateKeys();
  }
  await connection.closeWrite();
}

/** A web site behind HtxServer. */
async function startSite(options: Partial<ListenTlsOptions> = {}): Promise<
  Started & {
    readonly url: string;
    /** Hash of the certificate's key, as Chromium takes it. */
    readonly pin: string;
    readonly decoy: Decoy;
  }
> {
  const { stack, folder, roots, tls } = await start();
  const origin = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    answer,
  );
  stack.defer(() => origin.shutdown());
  const decoy = new Decoy({
    dial: (options) => dialTcp(`tcp://127.0.0.1:${origin.addr.port}`, options),
  });
  const listener = listenTls(listenTcp("tcp://127.0.0.1:0"), {
    ...tls,
    alpn: ["h2", "http/1.1"],
    takesTruncation: true,
    ...options,
  });
  stack.use(
    new HtxServer([listener], {
      staticKeyPair: generateX25519(nodeProvider),
      gate: new Gate({
        crypto: nodeProvider,
        keys: new TicketKeyRing([makeTicketKey(nodeProvider, 0, Infinity)]),
        replay: new ReplayMemory({ store: memoryStore(), nowMs: 0 }),
        buckets: new TokenBuckets(),
      }),
      decoy,
      cookieName: "__Host-sid",
    }),
  );
  const { port } = parseAddress(listener.address);
  const spki = spkiOf(CERTIFICATE.chain[0]!);
  return {
    port,
    folder,
    roots,
    url: `https://localhost:${port}`,
    pin: nodeProvider.hash("sha256", spki).toBase64(),
    decoy,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  const [, kind, number] = pathname.split("/");
  const as = (type: string, body: string) =>
    new Response(body, { headers: { "content-type": type } });
  if (kind === "image") return as("image/svg+xml", svg(Number(number)));
  if (kind === "hash") {
    return as("text/plain", await digest(await request.bytes()));
  }
  return as("text/html", PAGE);
}

function svg(width: number): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="1"/>`;
}

async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return encodeHex(new Uint8Array(hash));
}

/** Its title says how many images were decoded, and how many came over HTTP/2. */
const PAGE = `<!doctype html>
<title>loading</title>
${
  Array.from({ length: IMAGES }, (_, i) => `<img src="/image/${i + 1}">`).join(
    "\n",
  )
}
<script>
addEventListener("load", () => {
  const decoded = Array.from(document.images)
    .filter((image, i) => image.naturalWidth === i + 1).length;
  const h2 = performance.getEntriesByType("resource")
    .filter(({ name, nextHopProtocol }) => name.includes("/image/") && nextHopProtocol === "h2").length;
  document.title = decoded + " decoded, " + h2 + " h2";
});
</script>
`;

/** The lines that a client of {@link CLIENTS} prints. */
async function visit(
  [program, ...args]: readonly string[],
  { port, roots }: Started,
  more: Readonly<Record<string, unknown>> = {},
): Promise<string[]> {
  const options = { port, roots, protocol: "echo", length: LENGTH, ...more };
  const text = await run(program!, [...args, JSON.stringify(options)]);
  return text.trim().split("\n");
}

/** What a program prints that is given `input`. */
async function run(
  program: string,
  args: readonly string[],
  input = "",
): Promise<string> {
  const process = new Deno.Command(program, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
    signal: AbortSignal.timeout(60_000),
  }).spawn();
  const writer = process.stdin.getWriter();
  if (input) await writer.write(utf8(input));
  await writer.close();
  const { success, stdout } = await process.output();
  const text = new TextDecoder().decode(stdout);
  assert(success, `${program} failed: ${text}`);
  return text;
}
