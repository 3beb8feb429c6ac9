import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import { htx } from "../../mod.ts";
import { HtxProcess, makeFolder, startRole } from "./_htx_process.ts";
import { runHtx } from "./_run_htx.ts";

Deno.test("betanet-htx client joins stdin and stdout to a target", async (t) => {
  await using folder = await makeFolder();
  await using target = serveReversed();
  await using server = await startRole([
    ...["server", "--port", "0", "--state", folder.path, "--allow", target.at],
  ]);
  const args = ["client", "--server", server.recordFile];
  for (const carrier of ["tls", "wss", "tcp", "ws", "quic"]) {
    await t.step(
      `both ways over ${carrier}, the end of stdin first`,
      async () => {
        const sent = "0123456789".repeat(100_000);
        await using client = new HtxProcess([
          ...args,
          ...["--carrier", carrier, target.at],
        ]);
        const writer = client.stdin.getWriter();
        await writer.write(new TextEncoder().encode(sent));
        await writer.close();
        assertEquals(await client.exitCode(), 0, client.stderr.text);
        assert(client.stdout.text === sent.split("").reverse().join(""));
        assertStringIncludes(client.stderr.text, `session to ${carrier}://`);
        assertStringIncludes(client.stderr.text, "received  976.6 KiB");
      },
    );
  }
  await t.step("and keeps its key with --state", async () => {
    const state = `${folder.path}/me`;
    for (let run = 0; run < 2; run++) {
      await using client = new HtxProcess([
        ...args,
        ...["--quiet", "--state", state, target.at],
      ]);
      await client.stdin.close();
      assertEquals([await client.exitCode(), client.stderr.text], [0, ""]);
    }
    const { mode } = await Deno.stat(`${state}/client.json`);
    assertEquals(mode! & 0o777, 0o600);
  });
  await t.step("but not to a target that is not allowed", async () => {
    await using client = new HtxProcess([...args, "127.0.0.1:1"]);
    assertEquals(await client.exitCode(), 1);
    assertStringIncludes(
      client.stderr.text,
      "betanet-htx: error: The server refused the target: not_allowed",
    );
  });
  await t.step("and ends with 143 at SIGTERM", async () => {
    await using client = new HtxProcess([...args, target.at]);
    await client.stderr.match(/session to/);
    client.kill("SIGTERM");
    assertEquals(await client.exitCode(), 143);
  });
});

Deno.test("betanet-htx says what is wrong with a server's record", async () => {
  await using folder = await makeFolder();
  const good = htx.formatPeerRecord(signed(Date.now() + 1e6));
  const at = good.length - 20;
  const flipped = good[at] === "A" ? "B" : "A";
  const cases = [
    [htx.formatPeerRecord(signed(Date.now() - 1e6)), "expired"],
    [good.slice(0, at) + flipped + good.slice(at + 1), "not signed by its key"],
    [good.slice(0, -8), ""],
    ["betanet-record:", ""],
  ] as const;
  for (const [record, why] of cases) {
    const file = `${folder.path}/record`;
    await Deno.writeTextFile(file, record);
    for (const given of [record, file]) {
      for (const command of ["client", "proxy", "probe", "ticket"]) {
        const { code, stdout, stderr } = await runHtx(
          ...[command, "--server", given],
          ...(command === "client" ? ["example.org:80"] : []),
        );
        assertEquals([code, stdout], [1, ""], command);
        assertStringIncludes(
          stderr,
          "error: The server's record does not hold",
        );
        assertStringIncludes(stderr.toLowerCase(), why);
      }
    }
  }
});

Deno.test("betanet-htx says that a server cannot be reached", async () => {
  const record = htx.formatPeerRecord(signed(Date.now() + 1e6));
  for (const carrier of ["tcp", "ws"]) {
    for (const [command, ...more] of [["probe"], ["client", "a.example:1"]]) {
      const { code, stdout, stderr } = await runHtx(
        ...[command!, "--server", record, "--carrier", carrier, ...more],
      );
      assertEquals([code, stdout], [1, ""]);
      assertStringIncludes(stderr, "error: Cannot reach ");
    }
  }
  const quic = await runHtx("probe", "--server", record, "--carrier", "quic");
  assertEquals([quic.code, quic.stderr], [
    1,
    "betanet-htx: error: The server has no quic address\n" +
    `betanet-htx: hint: It has ${NOBODY}.\n`,
  ]);
});

const NOBODY = "tcp://127.0.0.1:1";

/** A record of a server at {@link NOBODY}. */
function signed(expiresMs: number): Uint8Array {
  const crypto = defaultProvider();
  const seed = crypto.random(32);
  return htx.signPeerRecord(crypto, seed, {
    publicKey: crypto.ed25519.publicKey(seed),
    sequence: 1,
    expiresMs: Math.floor(expiresMs / 1000) * 1000,
    addresses: [NOBODY],
    staticKey: crypto.random(32),
    tickets: [{
      policy: htx.DEFAULT_TICKET_POLICY,
      keyId: crypto.random(8),
      publicKey: crypto.random(32),
      cookieName: "__Host-sid",
    }],
  });
}

/** Answers each connection, once it has ended its side, with what it sent, backwards. */
function serveReversed(): AsyncDisposable & { readonly at: string } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const answer = async (connection: Deno.TcpConn) => {
    const bytes: number[] = [];
    const buffer = new Uint8Array(65_536);
    for (;;) {
      const n = await connection.read(buffer);
      if (n === null) break;
      bytes.push(...buffer.subarray(0, n));
    }
    const writer = connection.writable.getWriter();
    await writer.write(new Uint8Array(bytes.reverse()));
    await writer.close();
  };
  const serving = (async () => {
    const answers: Promise<void>[] = [];
    // A client that is killed breaks its connection.
    for await (const each of listener) {
      answers.push(answer(each).catch(() => {}));
    }
    await Promise.all(answers);
  })();
  return {
    at: `127.0.0.1:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}
