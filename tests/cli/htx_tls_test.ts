import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { certificateDer, testCertificate } from "../tls/_certificates.ts";
import { pemOf } from "../../cli/htx/record.ts";
import { HtxProcess, makeFolder, startRole } from "./_htx_process.ts";
import { serveHeld, throughProxy } from "./_held_origin.ts";
import { runHtx } from "./_run_htx.ts";

const { certPem, keyPem } = testCertificate("p256");

Deno.test("betanet-htx shows a certificate of files, which a root vouches for", async (t) => {
  await using folder = await makeFolder();
  await using origin = serveHeld();
  const { certificate, key, roots, otherRoots } = await writeFiles(folder.path);
  await using server = await startRole([
    ...["server", "--port", "0", "--no-quic", "--allow", origin.at],
    ...["--state", folder.path, "--certificate", certificate, "--key", key],
  ]);
  const way = ["--server", server.recordFile];
  const trust = ["--roots", roots, "--server-name", "server.example"];
  for (const carrier of ["tls", "wss"]) {
    await t.step(`over ${carrier}`, async () => {
      await using proxy = await startRole([
        ...["proxy", ...way, ...trust, "--carrier", carrier],
        ...["--listen", "127.0.0.1:0"],
      ]);
      using client = throughProxy(proxy.at);
      const answer = await fetch(origin.url, { client });
      assertEquals(await answer.text(), "origin");
    });
  }
  await t.step("and no client takes another name or root", async () => {
    for (
      const flags of [
        ["--roots", roots, "--server-name", "other.example"],
        ["--roots", otherRoots, "--server-name", "server.example"],
        ["--server-name", "server.example"],
      ]
    ) {
      const { code, stderr } = await runHtx("probe", ...way, ...flags);
      assertEquals(code, 1, stderr);
      assertStringIncludes(stderr, "betanet-htx: error: ");
    }
    assertEquals(await server.count('htx_tickets_total{result="admitted"}'), 2);
  });
  await t.step("nor another key than that of the certificate", async () => {
    const other = `${folder.path}/other.pem`;
    await Deno.writeTextFile(other, testCertificate("p384").keyPem);
    const { code, stderr } = await runHtx(
      ...["server", "--port", "0", "--tls-port", "0", "--no-quic"],
      ...["--state", folder.path, "--certificate", certificate, "--key", other],
    );
    assertEquals(code, 1);
    assertStringIncludes(stderr, `error: Cannot use ${certificate} with`);
  });
});

Deno.test("betanet-htx server shows a site that speaks TLS itself, and hands over whom it cannot serve", async () => {
  await using folder = await makeFolder();
  const { roots } = await writeFiles(folder.path);
  await using site = Deno.serve(
    {
      hostname: "127.0.0.1",
      port: 0,
      cert: certPem,
      key: keyPem,
      onListen() {},
    },
    () => new Response("the site", { status: 203 }),
  );
  const { port } = site.addr;
  const config = `${folder.path}/htx.toml`;
  await Deno.writeTextFile(
    config,
    `[server]\nport = 0\nquic = false\nstate = "${folder.path}"\n` +
      `[server.decoy]\norigin = "https://127.0.0.1:${port}"\n` +
      `server_name = "server.example"\nroots = "${roots}"\n`,
  );
  await using server = await startRole(["server", "--config", config]);
  const probe = await runHtx("probe", "--server", server.recordFile, "--json");
  assertEquals(probe.code, 0, probe.stderr);
  const { decoy } = JSON.parse(probe.stdout);
  assertEquals([decoy.status, decoy.protocol], [203, "h2"]);
  const visitors = 'htx_decoy_visitors_total{alpn="h2"}';
  assert(await server.count(visitors) >= 1);
  const plain = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  const tlsPort = Number(server.addresses[0]!.split(":")[2]);
  assertEquals(await answerTo(tlsPort, plain), await answerTo(port, plain));
  assertEquals(
    await server.count('htx_tls_refused_total{reason="unserved"}'),
    1,
  );
});

Deno.test("betanet-htx offers HTTP/2 only if the site behind it speaks it", async () => {
  await using folder = await makeFolder();
  await using site = servePlainly();
  await using server = await startRole([
    ...["server", "--port", "0", "--no-quic", "--state", folder.path],
    ...["--decoy-origin", site.at],
  ]);
  assertStringIncludes(server.process.stderr.text, "no HTTP/2");
  const ran = await runHtx("probe", "--server", server.recordFile, "--json");
  assertEquals(ran.code, 0, ran.stderr);
  const { decoy, session } = JSON.parse(ran.stdout);
  assertEquals([decoy.status, decoy.protocol], [200, "http/1.1"]);
  assert(session.p50Ms > 0);
});

Deno.test("betanet-htx client goes from QUIC to TLS, with other sites about it", async () => {
  await using folder = await makeFolder();
  await using origin = serveHeld();
  const { roots } = await writeFiles(folder.path);
  const sites = [serveSite(), serveSite()];
  await using _one = sites[0]!;
  await using _two = sites[1]!;
  const tls = ["server", "--port", "0", "--state", folder.path];
  await using server = await startRole([
    ...[...tls, "--no-quic", "--allow", origin.at, "--tls-port", "0"],
  ]);
  const at = server.addresses[0]!;
  await server.stop();
  const port = at.split(":")[2]!;
  await using again = await startRole([
    ...[...tls, "--no-quic", "--allow", origin.at, "--tls-port", port],
    ...["--public", at, "--public", "quic://127.0.0.1:9"],
  ]);
  const covers = sites.map(({ addr }) => `"https://localhost:${addr.port}"`);
  const config = `${folder.path}/htx.toml`;
  const proxy = `[proxy]\ncarrier = "auto"\nroots = "${roots}"\n`;
  await Deno.writeTextFile(
    config,
    `${proxy}cover_origins = [${covers.join(", ")}]\n`,
  );
  const run = ["client", "--config", config, "--server", again.recordFile];
  await using client = new HtxProcess([...run, origin.at]);
  await client.stderr.match(/htx\.fallback type=failed/);
  await client.stderr.match(/htx\.fallback type=cover_opening/);
  await client.stderr.match(/session to tcp:\/\/127/);
  client.kill("SIGTERM");
  assertEquals(await client.exitCode(), 143);
  assertEquals(await again.count('htx_tickets_total{result="admitted"}'), 1);
  await Deno.writeTextFile(config, proxy);
  const none = await runHtx(...run, origin.at);
  assertEquals(none.code, 2);
  assertStringIncludes(none.stderr, "Carrier auto wants proxy.cover_origins");
});

async function writeFiles(folder: string) {
  const files = {
    certificate: `${folder}/cert.pem`,
    key: `${folder}/key.pem`,
    roots: `${folder}/roots.pem`,
    otherRoots: `${folder}/other_roots.pem`,
  };
  await Deno.writeTextFile(files.certificate, certPem);
  await Deno.writeTextFile(files.key, keyPem);
  await Deno.writeTextFile(files.roots, pemOf(certificateDer("root-p384")));
  const other = pemOf(certificateDer("root-ed25519"));
  await Deno.writeTextFile(files.otherRoots, other);
  return files;
}

/** A site over TLS. */
function serveSite() {
  return Deno.serve(
    {
      hostname: "127.0.0.1",
      port: 0,
      cert: certPem,
      key: keyPem,
      onListen() {},
    },
    () => new Response("Another site"),
  );
}

/** A site over HTTP/1.1 that knows no HTTP/2. */
function servePlainly(): AsyncDisposable & { readonly at: string } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const answer = async (connection: Deno.TcpConn) => {
    using _ = connection;
    const buffer = new Uint8Array(4_096);
    const length = await connection.read(buffer);
    const request = new TextDecoder().decode(buffer.subarray(0, length ?? 0));
    const status = request.startsWith("GET ") ? "200 OK" : "400 Bad Request";
    const text = `HTTP/1.1 ${status}\r\ncontent-length: 2\r\n\r\nhi`;
    await connection.write(new TextEncoder().encode(text));
  };
  const serving = (async () => {
    for await (const each of listener) await answer(each).catch(() => {});
  })();
  return {
    at: `127.0.0.1:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

/** All that comes back for `request`. */
async function answerTo(port: number, request: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(request));
  await connection.closeWrite();
  const bytes: number[] = [];
  const buffer = new Uint8Array(4_096);
  for (;;) {
    const length = await connection.read(buffer).catch(() => null);
    if (length === null) return new Uint8Array(bytes).toHex();
    bytes.push(...buffer.subarray(0, length));
  }
}
