import { assertEquals } from "@std/assert";
import { chainVerifier, dialTls, parsePem } from "../../src/tls/mod.ts";
import { makeFolder } from "../cli/_htx_process.ts";
import { type Identity, makeIdentities } from "./_certificates.ts";
import { isAvailable } from "./_peers.ts";
import { startExporter, TLS_PEERS } from "./_tls_peers.ts";

/** What `openssl s_server` alone lets us see of it: its key updates. */
Deno.test({
  name: "dialTls() follows OpenSSL's key updates and exports what it does",
  ignore: !isAvailable("openssl", ["version"], "tls_openssl_test") ||
    !isAvailable("stdbuf", ["--version"], "tls_openssl_test"),
  async fn() {
    await using folder = await makeFolder();
    const { ecdsa } = await makeIdentities(folder.path);
    const port = freePort();
    await using server = startServer(port, ecdsa);
    await server.waitFor("ACCEPT");
    await using connection = await dialTls(`tcp://127.0.0.1:${port}`, {
      serverName: "tls.test",
      verify: chainVerifier({
        roots: parsePem(await Deno.readTextFile(ecdsa.authority)),
      }),
    });

    const material = connection.exportKeyingMaterial("EXPORTER-betanet", 32);
    const printed = await server.waitFor(/Keying material: ([0-9A-F]{64})/);
    assertEquals(printed[1]!.toLowerCase(), material.toHex());

    const buffer = new Uint8Array(64);
    const encoder = new TextEncoder();
    for (const command of ["k", "K", "K", "k"]) { // K asks for our update too
      await server.type(`${command}\n`);
      await server.waitFor("SSL_do_handshake -> 1");
      await server.type(`after ${command}\n`);
      const length = await connection.read(buffer);
      const text = new TextDecoder().decode(buffer.subarray(0, length!));
      assertEquals(text, `after ${command}\n`);
      await connection.write(encoder.encode(`heard ${command}\n`));
      await server.waitFor(`heard ${command}`);
    }
  },
});

Deno.test({
  name: "dialTls() exports for a context what OpenSSL does",
  ignore: !isAvailable("openssl", ["version"], "tls_openssl_test") ||
    !TLS_PEERS.find(({ name }) => name.startsWith("Node.js"))!
      .isAvailable("tls_openssl_test"),
  async fn() {
    await using folder = await makeFolder();
    const { ecdsa: identity } = await makeIdentities(folder.path);
    const label = "EXPORTER-betanet";
    for (const context of ["", "some context", "x".repeat(300)]) {
      const given = { identity, label, context, length: 80 };
      await using server = await startExporter(given);
      await using connection = await dialTls(`tcp://127.0.0.1:${server.port}`, {
        serverName: "tls.test",
        verify: chainVerifier({
          roots: parsePem(await Deno.readTextFile(identity.authority)),
        }),
      });
      const bytes = new TextEncoder().encode(context);
      assertEquals(
        connection.exportKeyingMaterial(label, 80, bytes),
        await new Response(connection.readable).bytes(),
      );
    }
  },
});

interface Server extends AsyncDisposable {
  /** Resolves once `what` has been printed since what was waited for before. */
  waitFor(what: string | RegExp): Promise<readonly string[]>;
  type(text: string): Promise<void>;
}

function startServer(port: number, identity: Identity): Server {
  const { key, chain, authority } = identity;
  const process = new Deno.Command("stdbuf", {
    args: [
      ...["-o0", "openssl"], // else it tells of key updates only at its end
      ...["s_server", "-tls1_3", "-accept", `127.0.0.1:${port}`],
      ...["-key", key, "-cert", chain, "-cert_chain", authority],
      ...["-keymatexport", "EXPORTER-betanet", "-keymatexportlen", "32"],
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const lines = merged(process.stdout, process.stderr);
  const input = process.stdin.getWriter();
  let text = "";
  return {
    async waitFor(what) {
      for (;;) {
        const match = text.match(what);
        if (match) {
          text = text.slice(match.index! + match[0].length);
          return match;
        }
        const { value, done } = await lines.read();
        if (done) throw new Error(`openssl ended without ${what}`);
        text += value;
      }
    },
    type: (text) => input.write(new TextEncoder().encode(text)),
    async [Symbol.asyncDispose]() {
      process.kill("SIGTERM");
      await input.close().catch(() => {});
      while (!(await lines.read()).done);
      await process.status;
    },
  };
}

/** What both streams give, as it comes. */
function merged(
  ...streams: ReadableStream<Uint8Array<ArrayBuffer>>[]
): ReadableStreamDefaultReader<string> {
  const { readable, writable } = new TransformStream<string, string>();
  const writer = writable.getWriter();
  const pumps = streams.map(async (stream) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      await writer.write(text);
    }
  });
  Promise.all(pumps).then(() => writer.close(), (e) => writer.abort(e));
  return readable.getReader();
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
