import { assertEquals, assertStringIncludes } from "@std/assert";
import { makeFolder, startRole } from "./_htx_process.ts";
import { serveHeld, throughProxy } from "./_held_origin.ts";
import { runHtx } from "./_run_htx.ts";

Deno.test("betanet-htx server and proxy start from what --print-config prints", async () => {
  await using folder = await makeFolder();
  await using origin = serveHeld();
  const { code, stdout } = await runHtx("server", "--print-config");
  assertEquals(code, 0);
  assertEquals((await runHtx("proxy", "--print-config")).stdout, stdout);
  const path = `${folder.path}/htx.toml`;
  await Deno.writeTextFile(
    path,
    edited(stdout, {
      "port = 9000": "port = 0",
      "# state =": `state = "${folder.path}"`,
      "allow = []": `allow = ["${origin.at}"]`,
      "# server =": `server = "${folder.path}/server.record"`,
      'listen = "127.0.0.1:1080"': 'listen = "127.0.0.1:0"',
    }),
  );
  await using _server = await startRole(["server", "--config", path]);
  await using proxy = await startRole(["proxy", "--config", path]);
  using client = throughProxy(proxy.at);
  const answer = await fetch(origin.url, { client });
  assertEquals(await answer.text(), "origin");
});

Deno.test("betanet-htx proxy asks for the name and password of its configuration", async () => {
  await using folder = await makeFolder();
  await using origin = serveHeld();
  await using server = await startRole([
    ...["server", "--port", "0", "--state", folder.path, "--allow", origin.at],
  ]);
  const path = `${folder.path}/htx.toml`;
  await Deno.writeTextFile(
    path,
    `
[proxy]
server = "${server.recordFile}"
listen = "127.0.0.1:0"
user = "ann"
password = "open sesame"
`,
  );
  await using proxy = await startRole(["proxy", "--config", path]);
  const right = { username: "ann", password: "open sesame" };
  const wrong = { username: "ann", password: "open" };
  for (
    const [credentials, status] of [
      [right, 200],
      [wrong, 407],
      [undefined, 407],
    ] as const
  ) {
    using client = throughProxy(proxy.at, credentials);
    const answer = await fetch(origin.url, { client });
    await answer.body?.cancel();
    assertEquals(answer.status, status);
  }
  assertEquals(await greet(proxy.at, "ann", "open sesame"), [5, 2, 1, 0]);
  assertEquals((await greet(proxy.at, "ann", "open"))[3], 1);
  const refused = 'htx_tunnels_refused_total{reason="unauthorized"}';
  assertEquals(await proxy.count(refused), 3);
  await Deno.writeTextFile(path, '[proxy]\nuser = "ann"\n');
  const half = await runHtx(
    ...["proxy", "--config", path, "--server", server.recordFile],
  );
  assertEquals([half.code, half.stderr], [
    2,
    "betanet-htx: error: proxy.user and proxy.password go together\n",
  ]);
});

Deno.test("betanet-htx names the line and key of everything wrong in its configuration", async () => {
  await using folder = await makeFolder();
  const path = `${folder.path}/htx.toml`;
  const check = async (text: string, ...errors: readonly string[]) => {
    await Deno.writeTextFile(path, text);
    const args = ["--config", path, "--state", folder.path];
    const { code, stdout, stderr } = await runHtx("server", ...args);
    assertEquals([code, stdout], [2, ""]);
    const lines = errors.map((error) => `${path}:${error}\n`).join("  ");
    assertEquals(stderr, `betanet-htx: error: ${lines}`);
  };
  await check("[server\n", "1: want ]");
  await check(
    "[server]\nallow = []\nporrt = 1\n",
    "3: server.porrt: unknown key, did you mean port?",
  );
  await check(
    '[server]\nport = 65536\ndrain = "5 parsecs"\npublic_addresses = ["x"]\n[proxy]\ncarrier = "pigeon"\n',
    "2: server.port: want an integer in 0..65535, got 65536",
    '4: server.public_addresses[0]: want tls://host:port, tcp://host:port or quic://host:port, got "x"',
    '3: server.drain: want a duration ("250ms", "10s", "5m", "2h") of at most 1h, got "5 parsecs"',
    '6: proxy.carrier: want "tls" or "wss" or "tcp" or "ws" or "quic" or "auto", got "pigeon"',
  );
});

Deno.test("betanet-htx says which flag's value is wrong", async () => {
  await using folder = await makeFolder();
  await runHtx("keygen", "--server", "--state", folder.path);
  for (
    const [flag, value, error] of [
      ["port", "x", 'flags: server.port: want an integer in 0..65535, got "x"'],
      ["client", "AAAA", "flags: server.clients[0]: want a public key"],
      ["drain", "2h", "flags: server.drain: want a duration"],
      ["public", "ftp://a:1", "flags: server.public_addresses[0]: want tls:"],
      ["allow", "example.org", "A rule of the allow-list is wrong"],
      ["tls-port", "x", "flags: server.tls.port: want an integer"],
      [
        "certificate",
        "x.pem",
        "server.tls.certificate and server.tls.key go together",
      ],
      ["decoy-origin", "https://x", "server.decoy.origin wants host:port"],
      ["decoy-origin", "x", "server.decoy.origin wants host:port"],
    ] as const
  ) {
    const args = ["server", "--state", folder.path, `--${flag}`, value];
    const { code, stdout, stderr } = await runHtx(...args);
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, `betanet-htx: error: ${error}`);
  }
});

Deno.test("betanet-htx says that a configuration is not there", async () => {
  const { code, stderr } = await runHtx("server", "--config", "no/such.toml");
  assertEquals(code, 1);
  assertStringIncludes(stderr, "error: Cannot read no/such.toml");
});

/** `text` with each key replaced by its value, where it stands first. */
function edited(text: string, changes: Readonly<Record<string, string>>) {
  for (const [from, to] of Object.entries(changes)) {
    assertStringIncludes(text, from);
    text = text.replace(from, () => to);
  }
  return text;
}

/** What a SOCKS5 proxy answers to a name and password (RFC 1929). */
async function greet(
  at: string,
  user: string,
  password: string,
): Promise<number[]> {
  const [hostname, port] = at.split(":");
  using connection = await Deno.connect({
    hostname: hostname!,
    port: Number(port),
  });
  const encoder = new TextEncoder();
  const answers: number[] = [];
  for (
    const message of [
      [5, 1, 2],
      [
        ...[1, user.length, ...encoder.encode(user)],
        ...[password.length, ...encoder.encode(password)],
      ],
    ]
  ) {
    await connection.write(new Uint8Array(message));
    const answer = new Uint8Array(2);
    assertEquals(await connection.read(answer), 2);
    answers.push(...answer);
  }
  return answers;
}
