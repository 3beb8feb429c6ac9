import { assert, assertEquals, assertMatch } from "@std/assert";
import { concat, equal, utf8 } from "../../src/core/bytes/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import { listenTcp, parseAddress } from "../../src/core/transport/mod.ts";
import {
  CIPHER_SUITE,
  listenTls,
  type ListenTlsOptions,
  serverCertificate,
  TicketKeys,
  type TlsConnection,
  type TlsListener,
} from "../../src/tls/mod.ts";
import { GROUP } from "../../src/utls/mod.ts";
import { makeFolder } from "../cli/_htx_process.ts";
import {
  pem,
  testCertificate,
  type TestKey,
  testRoots,
} from "../tls/_certificates.ts";
import { curl } from "./_curl.ts";
import { isAvailable } from "./_peers.ts";

const NAME = "tls_server_openssl_test";
const noOpenssl = !isAvailable("openssl", ["version"], NAME);
const noCurl = !isAvailable("curl", ["--version"], NAME);

const SUITES: Readonly<Record<string, number>> = {
  TLS_AES_128_GCM_SHA256: CIPHER_SUITE.aes128GcmSha256,
  TLS_AES_256_GCM_SHA384: CIPHER_SUITE.aes256GcmSha384,
  TLS_CHACHA20_POLY1305_SHA256: CIPHER_SUITE.chacha20Poly1305Sha256,
};
const GROUPS: Readonly<Record<string, number>> = {
  "X25519": GROUP.x25519,
  "P-256": GROUP.p256,
  "P-384": GROUP.p384,
};
const KEYS: readonly TestKey[] = [
  "p256",
  "p384",
  "p521",
  "rsa",
  "rsaPss",
  "ed25519",
];

for (const [suite, id] of Object.entries(SUITES)) {
  for (const [group, groupId] of Object.entries(GROUPS)) {
    Deno.test({
      name: `openssl s_client talks to our server with ${suite} over ${group}`,
      ignore: noOpenssl,
      async fn() {
        await using server = await startServer();
        const text = await server.ask([
          "-ciphersuites",
          suite,
          "-groups",
          group,
        ]);
        assertMatch(text, new RegExp(`New, TLSv1.3, Cipher is ${suite}`));
        assertMatch(text, /Verification: OK/);
        assertMatch(text, /ALPN protocol: http\/1.1/);
        assertEquals(server.seen[0]!.cipherSuite, id);
        assertEquals(server.seen[0]!.group, groupId);
      },
    });
  }
}

for (const key of KEYS) {
  Deno.test({
    name: `openssl s_client trusts our server's key of ${key}`,
    ignore: noOpenssl,
    async fn() {
      await using server = await startServer({ key });
      assertMatch(await server.ask(), /Verification: OK/);
    },
  });
}

Deno.test({
  name: "openssl s_client is asked again for a group, with a cookie",
  ignore: noOpenssl,
  async fn() {
    const preferences = { groups: [GROUP.p384] };
    await using server = await startServer({ preferences, sendsCookie: true });
    const text = await server.ask(["-groups", "X25519:P-384", "-msg"]);
    assertEquals(text.match(/>>> .*ClientHello/g)?.length, 2);
    assertEquals(server.seen[0]!.group, GROUP.p384);
  },
});

Deno.test({
  name: "openssl s_client resumes its session at our server",
  ignore: noOpenssl,
  async fn() {
    using tickets = new TicketKeys(defaultProvider());
    await using server = await startServer({ tickets });
    const file = `${server.folder}/session`;
    const first = await server.ask(["-sess_out", file]);
    assertMatch(first, /^New, TLSv1.3/m);
    assertEquals(first.match(/Post-Handshake New Session Ticket/g)?.length, 2);
    const second = await server.ask(["-sess_in", file]);
    assertMatch(second, /^Reused, TLSv1.3/m);
    assertEquals(second.match(/Post-Handshake New Session Ticket/g)?.length, 1);
    assertEquals(server.seen.map(({ resumed }) => resumed), [false, true]);
  },
});

Deno.test({
  name: "openssl s_client and our server change keys, each when it is asked to",
  ignore: noOpenssl,
  async fn() {
    await using server = await startServer();
    const text = await server.ask([], ["K", "update", "k", "one", "K", "two"]);
    assertEquals(text.match(/^KEYUPDATE$/gm)?.length, 3);
    assertMatch(text, /you said two/);
  },
});

Deno.test({
  name:
    "openssl s_client shows our server a certificate, or none, where it asks",
  ignore: noOpenssl,
  async fn() {
    const { certPem, keyPem, chain } = testCertificate("rsa");
    await using server = await startServer({
      clientCertificates: "request",
      verifyClient: () => Promise.resolve(),
    });
    const [certificate, key] = ["client.pem", "client.key"]
      .map((name) => `${server.folder}/${name}`) as [string, string];
    await Deno.writeTextFile(certificate, certPem);
    await Deno.writeTextFile(key, keyPem);
    await server.ask(["-cert", certificate, "-key", key]);
    await server.ask();
    const shown = server.seen.map(({ peerCertificates }) => peerCertificates);
    assertEquals(shown, [[chain[0]!], []]);
  },
});

Deno.test({
  name: "openssl s_client is told why our server refuses it",
  ignore: noOpenssl,
  async fn() {
    await using server = await startServer({
      clientCertificates: "require",
      verifyClient: () => Promise.resolve(),
      preferences: { suites: [CIPHER_SUITE.aes128GcmSha256] },
    });
    for (
      const [args, alert] of [
        [["-ciphersuites", "TLS_AES_256_GCM_SHA384"], /handshake failure/],
        [["-alpn", "h3"], /no application protocol/],
        [["-groups", "P-521"], /handshake failure/],
        [[], /certificate required/],
      ] as const
    ) {
      const text = await server.ask([...args], ["hello"], /alert|error/);
      assertMatch(text, alert);
    }
    assertEquals(server.seen, []);
  },
});

Deno.test({
  name:
    "openssl s_client of TLS 1.2 is told that our server has another version",
  ignore: noOpenssl,
  async fn() {
    await using server = await startServer();
    const text = await server.ask(["-tls1_2"], [], /alert|error/);
    assertMatch(text, /protocol version/);
  },
});

Deno.test({
  name: "curl loads and stores 16 MiB at our server over HTTP/1.1",
  ignore: noCurl,
  async fn() {
    const body = defaultProvider().random(1 << 24);
    await using server = await startServer(
      {},
      (connection) => answerHttp(connection, body),
    );
    const url = `https://localhost:${server.port}/`;
    const file = `${server.folder}/body`;
    await Deno.writeFile(file, body);
    const trust = ["--tlsv1.3", "--http1.1", "--cacert", server.roots];
    const got = await curl(...trust, url);
    assertEquals(got.code, 0, got.stderr);
    assert(equal(got.stdout, body));
    const put = await curl(...trust, "-H", "Expect:", "-T", file, url);
    assertEquals(put.code, 0, put.stderr);
    assert(equal(put.stdout, body));
  },
});

interface Server extends AsyncDisposable {
  readonly port: number;
  readonly folder: string;
  /** A file with the roots of the test certificates. */
  readonly roots: string;
  /** The connections so far. */
  readonly seen: readonly TlsConnection[];
  /** What s_client prints when each of `lines` is given once the one before was answered. */
  ask(
    args?: readonly string[],
    lines?: readonly string[],
    last?: RegExp,
  ): Promise<string>;
}

async function startServer(
  { key = "p256", ...options }: Partial<ListenTlsOptions> & { key?: TestKey } =
    {},
  serve: (connection: TlsConnection) => Promise<void> = repeatLines,
): Promise<Server> {
  await using stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(await makeFolder());
  const roots = `${folder}/roots.pem`;
  await Deno.writeTextFile(
    roots,
    testRoots.map((der) => pem("CERTIFICATE", der)).join(""),
  );
  const { certPem, keyPem } = testCertificate(key);
  const listener = stack.use(listenTls(listenTcp("tcp://127.0.0.1:0"), {
    certificates: [serverCertificate({ chainPem: certPem, keyPem })],
    alpn: ["http/1.1"],
    ...options,
  }));
  const seen: TlsConnection[] = [];
  const serving = serveAll(listener, seen, serve);
  stack.defer(() => serving);
  stack.defer(() => listener.close());
  const { port } = parseAddress(listener.address);
  const owned = stack.move();
  return {
    port,
    folder,
    roots,
    seen,
    ask: (args = [], lines = ["hello"], last) =>
      runClient(
        [
          ...["s_client", "-connect", `127.0.0.1:${port}`, "-CAfile", roots],
          ...["-servername", "localhost", "-verify_hostname", "localhost"],
          ...(args.includes("-tls1_2") ? [] : ["-tls1_3"]),
          ...(args.includes("-alpn") ? [] : ["-alpn", "http/1.1"]),
          ...args,
        ],
        lines,
        last,
      ),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function serveAll(
  listener: TlsListener,
  seen: TlsConnection[],
  serve: (connection: TlsConnection) => Promise<void>,
): Promise<void> {
  const tasks: Promise<void>[] = [];
  for await (const connection of listener) {
    seen.push(connection);
    tasks.push(serve(connection).finally(() => connection.close()));
  }
  await Promise.all(tasks);
}

async function repeatLines(connection: TlsConnection): Promise<void> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(4_096);
  let length;
  while ((length = await connection.read(buffer)) !== null) {
    const line = decoder.decode(buffer.subarray(0, length));
    if (line.startsWith("update")) await connection.updateKeys();
    await connection.write(utf8(`you said ${line}`));
  }
}

/** Runs openssl, and gives it a line whenever it has shown the answer to the last one; `k` and `K` are orders to it. */
async function runClient(
  args: readonly string[],
  lines: readonly string[],
  last?: RegExp,
): Promise<string> {
  const process = new Deno.Command("sh", {
    args: ["-c", 'exec openssl "$@" 2>&1', "sh", ...args],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const input = process.stdin.getWriter();
  const reader = process.stdout.pipeThrough(new TextDecoderStream())
    .getReader();
  let text = "";
  const until = async (wanted: RegExp) => {
    while (!wanted.test(text)) {
      const { value, done } = await reader.read();
      if (done) return;
      text += value;
    }
  };
  await until(last ?? /---\nread R BLOCK|Verify return code[^]*---\n/);
  for (const line of last ? [] : lines) {
    const order = /^k$/i.test(line);
    const before = text.match(/^KEYUPDATE$/gm)?.length ?? 0;
    await input.write(utf8(`${line}\n`));
    await until(
      order
        ? new RegExp(`(^KEYUPDATE$[^]*){${before + 1}}`, "m")
        : new RegExp(`you said ${line}`),
    );
  }
  await input.close().catch(() => {});
  await until(/$^/);
  await process.status;
  return text;
}

/** Answers a request with `body`, or with the body of the request. */
async function answerHttp(
  connection: TlsConnection,
  body: Uint8Array,
): Promise<void> {
  const buffer = new Uint8Array(1 << 18);
  let received: Uint8Array = new Uint8Array(0);
  const decoder = new TextDecoder("latin1");
  const end = () =>
    decoder.decode(received.subarray(0, 4_096)).indexOf("\r\n\r\n");
  while (end() < 0) {
    const length = await connection.read(buffer);
    if (length === null) return;
    received = concat(received, buffer.subarray(0, length));
  }
  const head = decoder.decode(received.subarray(0, end()));
  const wanted = Number(/content-length: ([0-9]+)/i.exec(head)?.[1] ?? 0);
  const parts = [received.slice(end() + 4)];
  let have = parts[0]!.length;
  while (have < wanted) {
    const length = (await connection.read(buffer))!;
    parts.push(buffer.slice(0, length));
    have += length;
  }
  const answer = wanted > 0 ? concat(...parts) : body;
  await connection.write(
    utf8(
      `HTTP/1.1 200 OK\r\nContent-Length: ${answer.length}\r\nConnection: close\r\n\r\n`,
    ),
  );
  await connection.write(answer);
  await connection.closeWrite();
}
