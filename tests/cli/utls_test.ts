import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { decodeHex } from "../../src/core/bytes/mod.ts";
import * as utls from "../../src/utls/mod.ts";
import { CliError } from "../../cli/_error.ts";
import { run } from "../../cli/_main.ts";
import { program } from "../../cli/utls.ts";
import { readInput } from "../../cli/_read_input.ts";
import { FakeTerminal } from "./_fake_terminal.ts";
import { makeFolder } from "./_htx_process.ts";
import { runUtls } from "./_run_utls.ts";

const FOXIO = new URL("../vectors/foxio/", import.meta.url).pathname;
const CHROME = new URL("../vectors/chrome/", import.meta.url).pathname;

async function generate(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runUtls(["generate", ...args]);
  assertEquals([code, stderr], [0, ""]);
  return stdout;
}

function helloOf(record: string): utls.ClientHello {
  return utls.decodeClientHello(utls.firstHello(decodeHex(record.trim())));
}

function ja4sOf(...records: readonly string[]): string[] {
  return records.map((record) => utls.ja4(helloOf(record)));
}

Deno.test("betanet-utls generate draws a record of the version asked for, fresh each time", async () => {
  const args = ["--chrome-version", "131", "--server-name", "shop.example"];
  const lines = (await generate(...args, "--count", "3")).trim().split("\n");
  assertEquals(new Set(lines).size, 3);
  for (const line of lines) {
    assert(line.startsWith("160301"));
    const hello = helloOf(line);
    assertEquals(utls.ja4(hello), "t13d1516h2_8daaf6152771_02713d6af862");
    assertStringIncludes(new TextDecoder().decode(decodeHex(line)), "shop.ex");
  }
});

Deno.test("betanet-utls generate knows 119, the newest, WebSockets, addresses and machines without AES", async () => {
  const ja4 = async (...args: readonly string[]) =>
    utls.ja4(helloOf(await generate(...args)));
  assert([
    "t13d1516h2_8daaf6152771_02713d6af862",
    "t13d1517h2_8daaf6152771_b1ff8ab2d16f", // padded
  ].includes(await ja4("--chrome-version", "119")));
  assertEquals(await ja4(), "t13d1517h2_8daaf6152771_cb7bf5808d99");
  assertEquals(
    await ja4("--variant", "websocket"),
    "t13d1516h1_8daaf6152771_5b37b36a67c0",
  );
  assertEquals(
    await ja4("--server-name", "127.0.0.1"),
    "t13i1516h2_8daaf6152771_cb7bf5808d99",
  );
  const without = helloOf(await generate("--no-aes"));
  assertEquals(without.cipherSuites[1], 0x1303);
});

Deno.test("betanet-utls generate writes JSON lines and captures", async () => {
  await using folder = await makeFolder();
  const json = await generate("--format", "json", "--count", "2");
  for (const line of json.trim().split("\n")) {
    const { record, ...fingerprints } = JSON.parse(line);
    const hello = helloOf(record);
    assertEquals(fingerprints, {
      ja3: utls.ja3(hello),
      ja3n: utls.ja3n(hello),
      ja4: utls.ja4(hello),
    });
  }
  const pcap = await runUtls(["generate", "--format", "pcap", "--count", "3"]);
  assertEquals([...utls.hellosIn(pcap.bytes)].length, 3);
  const path = `${folder.path}/hellos.pcap`;
  const file = await runUtls([
    ...["generate", "--format", "pcap", "--output", path],
  ]);
  assertEquals([file.code, file.stdout], [0, ""]);
  assertStringIncludes(file.stderr, `bytes to ${path}`);
  assertEquals([...utls.hellosIn(await Deno.readFile(path))].length, 1);
});

Deno.test("betanet-utls generate --json writes JSON lines", async () => {
  const { record } = JSON.parse(await generate("--json"));
  assertEquals(ja4sOf(record), ["t13d1517h2_8daaf6152771_cb7bf5808d99"]);
});

Deno.test("betanet-utls generate goes on with connections of its own behind the first batch", async () => {
  const { bytes } = await runUtls([
    ...["generate", "--format", "pcap", "--count", "101"],
    ...["--chrome-version", "106"],
  ]);
  const found = [...utls.hellosIn(bytes)];
  assertEquals(new Set(found.map(({ source }) => source.port)).size, 101);
});

Deno.test("betanet-utls generate ends on SIGINT between batches", async () => {
  const terminal = new FakeTerminal([
    ...["generate", "--count", "100000", "--chrome-version", "106"],
  ]);
  const exit = run(program, terminal);
  await terminal.send("SIGINT");
  assertEquals(await exit, 130);
});

Deno.test("betanet-utls ends without complaint when nobody reads on", async () => {
  for (
    const args of [["generate", "--count", "300"], [
      "inspect",
      `${FOXIO}tls12.pcap`,
    ]]
  ) {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--frozen", "-A", "cli/utls.ts", ...args],
      cwd: new URL("../../", import.meta.url),
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    await child.stdout.cancel();
    const { code } = await child.status;
    assertEquals([code, await child.stderr.text()], [0, ""], args[0]);
  }
});

Deno.test("betanet-utls generate draws from a profile in a file", async () => {
  await using folder = await makeFolder();
  const path = `${folder.path}/chrome.json`;
  const source = new URL(
    "../../src/utls/profiles/chrome_106.json",
    import.meta.url,
  );
  await Deno.copyFile(source, path);
  assertEquals(
    utls.ja3(helloOf(await generate("--profile", path))),
    "cd08e31494f9531f560d64c695473da9",
  );
});

Deno.test("betanet-utls fingerprint reads captures, JSON, records and messages", async () => {
  const capture = await runUtls([
    ...["fingerprint", "--json", `${FOXIO}browsers-x509.pcapng`],
  ]);
  assertEquals(capture.code, 0);
  const found = capture.stdout.trim().split("\n").map((each) =>
    JSON.parse(each)
  );
  assertEquals(found.map(({ from, ja3, ja3s }) => [from, ja3 ?? ja3s]), [
    ["client", "34fcb8e0ef812f18e760b52314a54fd0"],
    ["server", "0f14538e1c9070becdad7739c67d6363"],
    ["client", "6c320c139f0efe4d20c19f81dc01bbd8"],
    ["server", "d52e85b996ca133fa608c8b9b9d2fe92"],
    ["client", "7ceefd5eac15d9ed26735e1267acf4e7"],
    ["server", "b898351eb5e266aefd3723d466935494"],
  ]);
  const json = await runUtls([
    ...["fingerprint", `${CHROME}headless_shell-106.0.5249.0.json`],
  ]);
  assertStringIncludes(json.stdout, "cd08e31494f9531f560d64c695473da9");
  assertStringIncludes(json.stdout, "4f04edce68a7ecbe689edce7bf5f23f3"); // HTTP/2
  const record = (await generate("--chrome-version", "131")).trim();
  for (const input of [record, record.slice(10), `\n ${record} \r\n\n`]) {
    const { code, stdout } = await runUtls(["fingerprint"], input);
    assertEquals(code, 0);
    assertStringIncludes(stdout, "t13d1516h2_8daaf6152771_02713d6af862");
  }
});

Deno.test("betanet-utls fingerprint --full says what was digested", async () => {
  const record = await generate("--chrome-version", "106");
  const args = ["fingerprint", "--full", "--json", "-"];
  const { stdout } = await runUtls(args, record);
  const hello = helloOf(record);
  const { where, from, ...fingerprints } = JSON.parse(stdout);
  assertEquals([where, from], ["stdin, line 1", "client"]);
  assertEquals(fingerprints, {
    ja3: utls.ja3(hello),
    ja3n: utls.ja3n(hello),
    ja4: utls.ja4(hello),
    ja3_text: utls.ja3Text(hello),
    ja3n_text: utls.ja3nText(hello),
    ja4_r: utls.ja4r(hello),
    ja4_o: utls.ja4o(hello),
    ja4_ro: utls.ja4ro(hello),
  });
});

Deno.test("betanet-utls fingerprint says what it left of a capture", async () => {
  const { code, stdout, stderr } = await runUtls([
    ...["fingerprint", `${FOXIO}chrome-cloudflare-quic-with-secrets.pcapng`],
  ]);
  assertEquals([code, stderr], [0, ""]);
  assertStringIncludes(stdout, "over quic");
  assertStringIncludes(stdout, "q13d0310h3_55b375c5d22e_cd85d2d88918");
  const bytes = utls.writePcap([{
    source: { address: "192.0.2.1", port: 1 },
    destination: { address: "192.0.2.2", port: 2 },
    timestampMs: 0,
    bytes: decodeHex((await generate()).trim()),
  }]);
  const cut = new Uint8Array([...bytes, ...bytes.slice(24, 44)]);
  new DataView(cut.buffer).setUint32(bytes.length + 8, 4);
  const { stderr: left } = await runUtls(["fingerprint"], cut);
  assertEquals(left, "stdin: 1 not read: malformed\n");
});

Deno.test("betanet-utls fingerprint goes on after a hello with a malformed list", async () => {
  const record = (await generate("--chrome-version", "106")).trim();
  const broken = record.replace("000a000a0008", "000a000a0007");
  assert(broken !== record);
  const args = ["fingerprint", "--json"];
  const ran = await runUtls(args, `${broken}\n${record}`);
  const [first, second] = ran.stdout.trim().split("\n");
  assertEquals(ran.code, 1);
  assertEquals(JSON.parse(first!), {
    where: "stdin, line 1",
    from: "client",
    ja4: utls.ja4(helloOf(broken)),
  });
  assertStringIncludes(second!, "cd08e31494f9531f560d64c695473da9");
  assertStringIncludes(ran.stderr, "stdin, line 1: no ja3: Cannot decode supp");
  assertStringIncludes(ran.stderr, "error: 2 fingerprints cannot be taken");
});

Deno.test("betanet-utls goes on behind a line that is no hello", async () => {
  const record = (await generate("--chrome-version", "106")).trim();
  for (
    const lines of [
      ["16", record, "no hex"],
      [`{"record":"16"}`, `{"record":"${record}"}`, "{"],
    ]
  ) {
    const ran = await runUtls(["fingerprint"], lines.join("\n"));
    assertEquals(ran.code, 0);
    assertStringIncludes(ran.stdout, "cd08e31494f9531f560d64c695473da9");
    assertStringIncludes(ran.stderr, "stdin, line 1");
    assertStringIncludes(ran.stderr, "stdin, line 3: no");
  }
});

Deno.test("betanet-utls shows the hellos before the place where a capture is damaged", async () => {
  const { bytes } = await runUtls(["generate", "--format", "pcap"]);
  const damaged = new Uint8Array([...bytes, ...new Uint8Array(16).fill(0xff)]);
  for (const command of ["fingerprint", "inspect", "compare"]) {
    const { code, stdout, stderr } = await runUtls([command], damaged);
    assertEquals(code, 1);
    assertStringIncludes(stdout, "ClientHello for www.example.com over tcp");
    assertStringIncludes(stderr, "error: Cannot decode pcap: packet 6 of");
  }
});

Deno.test("readInput() bounds what it reads of a device without size", async () => {
  const { stdin } = new FakeTerminal([]);
  await assertRejects(
    () => readInput("/dev/zero", { stdin }, 1_000_000),
    CliError,
    "Input is longer than 1000000 bytes",
  );
});

Deno.test("betanet-utls inspect explains every field", async () => {
  const record = await generate();
  const text = await runUtls(["inspect"], record);
  assertEquals([text.code, text.stderr], [0, ""]);
  assertStringIncludes(text.stdout, "ClientHello for www.example.com over tcp");
  assertStringIncludes(text.stdout, "TLS_AES_128_GCM_SHA256");
  assertStringIncludes(text.stdout, "(follows the connection)");
  const json = await runUtls(["inspect", "--json"], record);
  const { from, fields } = JSON.parse(json.stdout);
  assertEquals(from, "client");
  assertEquals(fields, utls.explainClientHello(helloOf(record)));
  const server = await runUtls(["inspect", `${FOXIO}https3-301-get.pcap`]);
  assertStringIncludes(server.stdout, "cipher_suite\n    TLS_");
});

Deno.test("betanet-utls compare names the browser, and what differs", async () => {
  const record = await generate("--chrome-version", "119");
  const args = ["compare", "--json", "--top", "2"];
  const { stdout } = await runUtls(args, record);
  const { matches } = JSON.parse(stdout);
  assertEquals(matches.length, 2);
  assertEquals(
    [matches[0].browser, matches[0].distance, matches[0].differences],
    ["Chrome 119 to 123", 0, []],
  );
  assert(matches[1].distance > 0);
  const firefox = await runUtls(["compare", `${FOXIO}tls12.pcap`]);
  assertEquals(firefox.code, 0);
  assertStringIncludes(firefox.stdout, "signatureAlgorithms\n    expected");
});

Deno.test("betanet-utls fingerprint says that HTTP/2 is cut short", async () => {
  const ran = await runUtls(["fingerprint"], "505249202a2048");
  assertEquals([ran.code, ran.stdout], [1, "stdin, line 1: start of HTTP/2\n"]);
  assertStringIncludes(
    ran.stderr,
    "no akamai: Cannot decode HTTP/2: cut short",
  );
});

Deno.test("betanet-utls says what is wrong with its input", async () => {
  const { stdout: record } = await runUtls(["generate"]);
  const missing = "/no/such/file";
  for (
    const [args, input, code, error] of [
      [["generate", "--chrome-version", "99"], "", 2, "No profile of Chrome"],
      [["generate", "--chrome-version", "x"], "", 2, "No profile of Chrome x"],
      [["generate", "--chrome-version", "0x77"], "", 2, "No profile of Chrome"],
      [
        ["generate", "--profile", "131", "--chrome-version", "119"],
        "",
        2,
        "Want --profile or --chrome-version, got both",
      ],
      [["generate", "--profile", "99"], "", 2, "No profile of Chrome 99"],
      [["generate", "--json", "--format", "hex"], "", 2, "Flags --json and"],
      [["generate", "--server-name", "a:443"], "", 2, "Flag --server-name"],
      [["generate", "--count", "0"], "", 2, "Flag --count wants 1 to"],
      [["generate", "--format", "xml"], "", 2, "Flag --format wants hex"],
      [["generate", "--variant", "quic"], "", 2, "Flag --variant wants page"],
      [["compare", "--top", "0"], record, 2, "Flag --top wants"],
      [["fingerprint"], "", 1, "No hello in stdin"],
      [["fingerprint"], "hello", 1, "No hello in stdin"],
      [["fingerprint"], "160301", 1, "No hello in stdin"],
      [["fingerprint"], '{"a":[1]}', 1, "No hello in stdin"],
      [
        ["fingerprint"],
        "[".repeat(99) + "]".repeat(99),
        1,
        "No hello in stdin",
      ],
      [["fingerprint", missing], "", 1, `Cannot read ${missing}`],
      [
        ["compare", `${FOXIO}http1-with-cookies.pcapng`],
        "",
        1,
        "No hello in",
      ],
    ] as const
  ) {
    const ran = await runUtls(args, input);
    assertEquals([ran.code, ran.stdout], [code, ""], args.join(" "));
    assertStringIncludes(ran.stderr, `betanet-utls: error: ${error}`);
  }
});
