import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  decodeBase64Url,
  decodeHex,
  encodeHex,
} from "../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import { sqliteStore } from "../../src/core/storage/mod.ts";
import { sign } from "../../src/mixnet/directory/signed_form.ts";
import { VOTE } from "../../src/mixnet/directory/vote.ts";
import { directory, verifyDescriptor } from "../../src/mixnet/mod.ts";
import { mailboxLimitsOf } from "../../cli/mixnode/mailbox_limits_of.ts";
import { askDirectory, readMixnodeConfig } from "../../cli/mixnode/settings.ts";
import { makeFolder } from "./_htx_process.ts";
import { runMixnode, RunningMixnode } from "./_run_mixnode.ts";

const KEY = "ab".repeat(32);

/** Writes `text` as `mixnode.toml` of `folder`. */
async function configIn(folder: string, text: string): Promise<string> {
  const path = `${folder}/mixnode.toml`;
  await Deno.writeTextFile(path, text);
  return path;
}

for (const kind of ["node", "authority", "client"]) {
  Deno.test(`betanet-mixnode keygen makes the keys of a ${kind} for their owner alone, and never over others`, async () => {
    await using folder = await makeFolder();
    const path = `${folder.path}/${kind}.json`;
    const args = [
      "keygen",
      ...(kind === "node" ? [] : [`--${kind}`]),
      ...["--state", folder.path],
    ];
    const { code, stdout, stderr } = await runMixnode(...args, "--json");
    assertEquals([code, stderr], [0, ""]);
    const shown = JSON.parse(stdout);
    assertEquals(shown.path, path);
    assert(/^[0-9a-f]{64}$/.test(shown.id));
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
    const file = await Deno.readTextFile(path);
    assert(!file.includes(shown.id));
    const again = await runMixnode(...args);
    assertEquals(again.code, 1);
    assertStringIncludes(again.stderr, `There are keys in ${path} already`);
    assertEquals(await Deno.readTextFile(path), file);
  });
}

Deno.test("betanet-mixnode describe prints a descriptor that the node's key signed, with keys of this epoch and the next", async () => {
  await using folder = await makeFolder();
  const { path } = folder;
  const made = await runMixnode("keygen", "--state", path, "--json");
  const config = await configIn(
    path,
    `
[network]
name = "test"
authorities = ["${KEY}@127.0.0.1:1"]
[node]
role = "gateway"
addresses = ["tcp://192.0.2.1:9001", "quic://192.0.2.1:9001"]
asn = 64500
state = "${path}"
`,
  );
  const args = ["describe", "--config", config];
  const shown = JSON.parse((await runMixnode(...args, "--json")).stdout);
  const node = verifyDescriptor(crypto, decodeBase64Url(shown.descriptor));
  assertEquals(encodeHex(node.identityKey), JSON.parse(made.stdout).id);
  assertEquals(
    [node.network, node.role, node.asn],
    ["test", "gateway", 64_500],
  );
  assertEquals(node.addresses, [
    "tcp://192.0.2.1:9001",
    "quic://192.0.2.1:9001",
  ]);
  const [first] = node.sphinxKeys.keys();
  assertEquals([...node.sphinxKeys.keys()], [first, first! + 1, first! + 2]);
  assertEquals(node.expiresMs, (first! + 3) * 3_600_000);
  const again = JSON.parse((await runMixnode(...args, "--json")).stdout);
  assertEquals(
    verifyDescriptor(crypto, decodeBase64Url(again.descriptor)).sphinxKeys.get(
      first! + 2,
    ),
    node.sphinxKeys.get(first! + 2),
  );
  assertStringIncludes((await runMixnode(...args)).stdout, "role gateway\n");
});

Deno.test("betanet-mixnode describe wants keys that nobody else can read", async () => {
  await using folder = await makeFolder();
  const { path } = folder;
  const config = await configIn(path, `[node]\nstate = "${path}"\n`);
  const absent = await runMixnode("describe", "--config", config);
  assertEquals(absent.code, 1);
  assertStringIncludes(absent.stderr, "keygen makes them");
  await runMixnode("keygen", "--state", path);
  await Deno.chmod(`${path}/node.json`, 0o644);
  const exposed = await runMixnode("describe", "--config", config);
  assertEquals(exposed.code, 1);
  assertStringIncludes(exposed.stderr, `chmod 600 ${path}/node.json`);
  await Deno.remove(`${path}/node.json`);
  await Deno.writeTextFile(`${path}/node.json`, "{}", { mode: 0o600 });
  const broken = await runMixnode("describe", "--config", config);
  assertEquals(broken.code, 1);
  assertStringIncludes(broken.stderr, "does not hold a node's keys");
});

Deno.test("betanet-mixnode check prints what is wrong and exits with 1, or 0 if nothing is", async () => {
  await using folder = await makeFolder();
  const { path } = folder;
  await runMixnode("keygen", "--state", path);
  const check = async (network: string, node: string) => {
    const config = await configIn(
      path,
      `[network]\n${network}\n[node]\nstate = "${path}"\n${node}\n`,
    );
    const args = ["check", "--config", config, "--json"];
    const { code, stdout } = await runMixnode(...args);
    const found = stdout.trim().split("\n").filter((line) => line !== "");
    return [code, ...found.map((line) => JSON.parse(line).what)];
  };
  const good = `authorities = ["${KEY}@127.0.0.1:1"]`;
  const node = `addresses = ["tcp://192.0.2.1:9001"]\nasn = 64500`;
  assertEquals(await check(good, node), [0]);
  for (
    const [network, about, what] of [
      ["", node, "names none"],
      [`${good}\nthreshold = 2`, node, "not more than half"],
      [
        `authorities = ["${KEY}@127.0.0.1:1", "${KEY}@127.0.0.1:2"]`,
        node,
        "a key twice",
      ],
      [`${good}\nepoch = "1500ms"`, node, "whole seconds"],
      [`${good}\nmean_delay = "2s"`, node, "shorter than"],
      [good, `listen = ["tcp://0.0.0.0:9001"]\nasn = 1`, "Nobody reaches"],
      [good, `listen = ["tcp://192.0.2.1:0"]\nasn = 1`, "port 0"],
      [good, "listen = []", "listen is empty"],
      [
        good,
        `${node}\n[node.mixing]\nstrategy = "threshold"\nkeep = 64`,
        "node.mixing do not fit",
      ],
    ] as const
  ) {
    const [code, ...found] = await check(network, about);
    assertEquals(code, 1, what);
    assert(found.some((each) => String(each).includes(what)), `${found}`);
  }
  const [code, warning] = await check(good, "asn = 1");
  assertEquals([code, warning], [
    0,
    "Only this machine reaches what would be published",
  ]);
});

Deno.test("betanet-mixnode check says where a configuration is not of the form", async () => {
  await using folder = await makeFolder();
  const config = await configIn(
    folder.path,
    `[network]\nauthorities = ["x"]\n[node]\nrole = "relay"\n`,
  );
  const { code, stderr } = await runMixnode("check", "--config", config);
  assertEquals(code, 2);
  assertStringIncludes(stderr, `${config}:2`);
  assertStringIncludes(stderr, "node.role");
  const silent = await configIn(
    folder.path,
    "[network]\nclient_packets_per_second = 0\n",
  );
  const mute = await runMixnode("check", "--config", silent);
  assertEquals(mute.code, 2);
  assertStringIncludes(mute.stderr, "network.client_packets_per_second");
  const gone = await runMixnode("check", "--config", `${folder.path}/none`);
  assertEquals(gone.code, 1);
  assertStringIncludes(gone.stderr, "check --print-config");
});

Deno.test("betanet-mixnode check --print-config prints a file that it reads", async () => {
  await using folder = await makeFolder();
  const { stdout } = await runMixnode("check", "--print-config");
  assertStringIncludes(stdout, "[authority.beacon]");
  const config = await configIn(folder.path, stdout);
  const { code } = await runMixnode("check", "--config", config);
  assertEquals(code, 1); // well-formed, and names no authorities
});

Deno.test("betanet-mixnode check --authority wants its key among the authorities, and a beacon", async () => {
  await using folder = await makeFolder();
  const { path } = folder;
  const made = await runMixnode("keygen", "--authority", "--state", path);
  const id = made.stdout.trim().split(" ")[1];
  const check = async (key: string, beacon: string, epoch = "1h") => {
    const config = await configIn(
      path,
      `
[network]
authorities = ["${key}@127.0.0.1:1"]
epoch = "${epoch}"
[authority]
state = "${path}"
[authority.beacon]
${beacon}
`,
    );
    return await runMixnode("check", "--authority", "--config", config);
  };
  const drand = `drand = "https://api.drand.sh"`;
  assertEquals((await check(id!, drand)).code, 0);
  assertStringIncludes((await check(KEY, drand)).stdout, "lacks our key");
  assertStringIncludes((await check(id!, "")).stdout, "names no source");
  const file = `file = "${path}/absent.json"`;
  const absent = await check(id!, file);
  assertEquals(absent.code, 1);
  assertStringIncludes(absent.stdout, "knows the layers ahead");

  const nist = "https://beacon.nist.gov/beacon/2.0";
  const unpinned = await check(id!, `nist = "${nist}"`);
  assertEquals(unpinned.code, 0);
  assertStringIncludes(unpinned.stdout, "names no certificate");
  const pinned = `nist = "${nist}/certificate/${KEY}${KEY}"`;
  assertEquals((await check(id!, pinned)).stdout, "");

  const early = await check(id!, drand, "9m");
  assertEquals(early.code, 1);
  assertStringIncludes(early.stdout, "before the list of nodes is closed");
  const config = `${path}/mixnode.toml`;
  const served = await runMixnode("directory", "serve", "--config", config);
  assertEquals(served.code, 1);
  assertStringIncludes(served.stderr, "before the list of nodes is closed");
});

Deno.test("betanet-mixnode directory init prints what others read, and refuses what they would not", async () => {
  await using folder = await makeFolder();
  const init = ["directory", "init", "--network", "test"];
  const { code, stdout } = await runMixnode(
    ...init,
    ...["--authority", `${KEY}@192.0.2.1:9100`, "--epoch", "10m"],
  );
  assertEquals(code, 0);
  assertStringIncludes(stdout, "threshold = 1\n");
  const config = await configIn(folder.path, stdout);
  const check = await runMixnode("check", "--config", config);
  assert(!check.stdout.includes("network."), check.stdout);
  assertEquals((await runMixnode(...init)).code, 2);
  const bad = await runMixnode(...init, "--authority", "192.0.2.1:9100");
  assertEquals(bad.code, 2);
  assertStringIncludes(bad.stderr, "network.authorities[0]");
});

Deno.test("betanet-mixnode directory serve makes documents of published nodes, which show prints with what convicts", async () => {
  await using folder = await makeFolder();
  const { path } = folder;
  await runMixnode("keygen", "--state", path);
  const made = await runMixnode("keygen", "--authority", "--state", path);
  const id = made.stdout.trim().split(" ")[1];
  const epoch = Math.floor(Date.now() / 4_000);
  await Deno.writeTextFile(
    `${path}/beacon.json`,
    JSON.stringify(Object.fromEntries(
      Array.from({ length: 60 }, (_, i) => [epoch + i, { dice: KEY }]),
    )),
  );
  const text = (port: number) => `
[network]
name = "test"
authorities = ["${id}@127.0.0.1:${port}"]
epoch = "4s"
[node]
state = "${path}"
[authority]
port = 0
state = "${path}"
[authority.beacon]
file = "${path}/beacon.json"
`;
  const config = await configIn(path, text(1));
  const evidence = addEvidence(path, id!, epoch);
  const serving = new RunningMixnode("directory", "serve", "--config", config);
  const [, address, port] = await serving.said(
    /at (http:\/\/127\.0\.0\.1:([0-9]+))/,
  );
  const described = JSON.parse(
    (await runMixnode("describe", "--config", config, "--json")).stdout,
  );
  const posted = await askDirectory({
    address: address!,
    path: "/descriptor",
    body: decodeBase64Url(described.descriptor),
    maxBytes: 256,
  }, new AbortController().signal);
  assertEquals(posted.status, 204);
  const [, made2] = await serving.said(
    /directory\.document epoch=([0-9]+) nodes=1/,
  );
  await configIn(path, text(Number(port)));
  const show = ["directory", "show", "--config", config];
  const shown = await runMixnode(...show, "--epoch", made2!, "--json");
  assertEquals(shown.code, 0, shown.stderr);
  const document = JSON.parse(shown.stdout);
  assertEquals(document.epoch, Number(made2));
  assertEquals(document.beacon.length, 64);
  assertEquals(document.nodes, [{
    id: described.id,
    layer: 1,
    asn: 0,
    addresses: ["tcp://127.0.0.1:9001"],
  }]);
  assertEquals(document.convicted, [{
    authority: id,
    signed: evidence,
    kind: "vote",
    epoch,
  }]);
  const absent = await runMixnode(...show, "--epoch", "7");
  assertEquals(absent.code, 1);
  assertStringIncludes(
    absent.stderr,
    `authority ${id} signed two votes of epoch ${epoch}`,
  );
  await serving.terminal.send("SIGTERM");
  assertEquals(await serving.ended, 0);
});

/** Puts two votes of the authority in `folder` into its store; gives them in hexadecimal. */
function addEvidence(folder: string, id: string, epoch: number): string[] {
  const { identitySeed } = JSON.parse(
    Deno.readTextFileSync(`${folder}/authority.json`),
  );
  const authority = decodeHex(id);
  const signed = [1, 2].map((byte) =>
    sign(crypto, VOTE, decodeBase64Url(identitySeed), {
      ...{ authority, network: "test", epoch, descriptors: [] },
      components: new Map([["dice", new Uint8Array(32).fill(byte)]]),
      previousHash: new Uint8Array(0),
    })
  );
  using store = sqliteStore(`${folder}/authority.sqlite`);
  new directory.EvidenceBook(
    crypto,
    { network: "test", authorities: [authority], threshold: 1 },
    store,
  ).add(
    directory.encodeEvidence({
      kind: "vote",
      signed: [signed[0]!, signed[1]!],
    }),
  );
  return signed.map((each) => encodeHex(each));
}

Deno.test("[node.mailboxes] bounds what a gateway keeps, each key its own bound", async () => {
  await using folder = await makeFolder();
  const config = await configIn(
    folder.path,
    `[node.mailboxes]
max_clients = 1
max_client_messages = 2
max_client_size = "3KiB"
max_messages = 4
max_size = "5KiB"
message_expiry = "6m"
client_expiry = "7m"
`,
  );
  assertEquals(mailboxLimitsOf(readMixnodeConfig(config).node), {
    maxClients: 1,
    maxClientMessages: 2,
    maxClientBytes: 3 * 1_024,
    maxMessages: 4,
    maxBytes: 5 * 1_024,
    messageExpiryMs: 6 * 60_000,
    clientExpiryMs: 7 * 60_000,
  });
});

Deno.test("a network's packets hold ways back, and its clients send some", async () => {
  await using folder = await makeFolder();
  for (
    const line of ["payload_length = 948", "client_packets_per_second = 0"]
  ) {
    const config = await configIn(folder.path, `[network]\n${line}\n`);
    const { code, stderr } = await runMixnode("check", "--config", config);
    assertEquals(code, 2);
    assertStringIncludes(stderr, `${config}:2`);
  }
});
