import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { decodeBase64Url, encodeBase64Url } from "../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import { verifyPeerRecord } from "../../src/htx/peer_record.ts";
import { verifyDescriptor } from "../../src/mixnet/mod.ts";
import { makeFolder } from "../cli/_htx_process.ts";
import { MixNetwork } from "../cli/_mix_network.ts";
import { runMixnode, RunningMixnode } from "../cli/_run_mixnode.ts";

const PAGE = "<!doctype html><title>Fern and moss</title>";

Deno.test("betanet-mixnode carries messages between nodes and clients over HTX, behind what visitors take for a web site", async (t) => {
  await using folder = await makeFolder();
  const site = `${folder.path}/site`;
  await Deno.mkdir(site);
  await Deno.writeTextFile(`${site}/index.html`, PAGE);
  await using network = new MixNetwork(folder.path);
  await network.found({ packetsPerSecond: 10 });
  const listen = `listen = ["htx://127.0.0.1:0"]`;
  const decoy = `[node.htx.decoy]\ndirectory = "${site}"`;
  const gate = await network.node(
    "gate",
    `role = "gateway"\nasn = 1\n${listen}\n${decoy}`,
  );
  for (const i of [0, 1, 2]) {
    await network.node(`mix${i}`, `asn = ${i + 2}\n${listen}\n${decoy}`);
  }
  const [alice, bob] = [
    await network.client("alice"),
    await network.client("bob"),
  ];
  await network.listed();
  await t.step("a message and its reply", async () => {
    const address = await runMixnode("client", "address", "--config", bob);
    const letter = `${folder.path}/letter`;
    await Deno.writeTextFile(letter, "hello");
    const recv = new RunningMixnode(
      ...["client", "recv", "--count", "1", "--config", bob],
      ...["--reply", "and you?"],
    );
    const sent = await runMixnode(
      ...["client", "send", address.stdout.trim(), letter, "--request"],
      ...["--config", alice],
    );
    assertEquals([sent.code, sent.stdout], [0, "and you?\n"], sent.stderr);
    assertEquals([await recv.ended, recv.terminal.out], [0, "hello\n"]);
  });
  await t.step("all of it in sessions", async () => {
    for (const port of network.statusPorts) {
      const counts = await readCounts(port);
      assert(counts["htx_tickets_total{result=admitted}"]! > 0);
      assert(counts["htx_bytes_total{direction=in}"]! > 0);
      assert(counts["mixnet_packets_total{event=forwarded}"]! > 0);
    }
  });
  await t.step("a visitor sees the site", async () => {
    const [, port] = await gate.said(/at htx:\/\/127\.0\.0\.1:(\d+)/);
    const keys = `${folder.path}/gate/htx.json`;
    assertEquals((await Deno.stat(keys)).mode! & 0o777, 0o600);
    const { certificate } = JSON.parse(await Deno.readTextFile(keys));
    using client = Deno.createHttpClient({
      caCerts: [certificate.certPem],
      http2: true,
    });
    const response = await fetch(`https://localhost:${port}/`, { client });
    assertEquals([response.status, await response.text()], [200, PAGE]);
    const { statusPorts: [status] } = network;
    const counts = await readCounts(status!);
    assert(counts["htx_decoy_total{result=served}"]! > 0);
  });
});

async function readCounts(port: string): Promise<Record<string, number>> {
  const asked = ["stats", "--status", `127.0.0.1:${port}`, "--json"];
  return JSON.parse((await runMixnode(...asked)).stdout);
}

Deno.test("betanet-mixnode describe gives htx: addresses a record with the ticket key of the time, kept in htx.json", async () => {
  await using folder = await makeFolder();
  const { path } = folder;
  await runMixnode("keygen", "--state", path);
  const config = await configIn(
    path,
    `
addresses = ["htx://192.0.2.1:443", "tcp://192.0.2.1:9001"]
[node.htx.tickets]
lifetime = "2d"
overlap = "2d"
`,
  );
  const recordOf = async () => {
    const { stdout } = await runMixnode(
      ...["describe", "--config", config, "--json"],
    );
    const { descriptor } = JSON.parse(stdout);
    const node = verifyDescriptor(crypto, decodeBase64Url(descriptor));
    assertEquals(node.addresses[0], "htx://192.0.2.1:443");
    return verifyPeerRecord(crypto, node.peerRecord!, {
      wallTimeMs: Date.now(),
    });
  };
  const first = await recordOf();
  assertEquals(first.addresses, ["tls://192.0.2.1:443"]);
  assert(first.certificate);
  const next = await recordOf();
  assertEquals(next.staticKey, first.staticKey);
  assertNotEquals(next.tickets[0]!.keyId, first.tickets[0]!.keyId);
  const file = await Deno.readTextFile(`${path}/htx.json`);
  const kept = JSON.parse(file).ticketKeys.map((key: { id: string }) => key.id);
  const last = encodeBase64Url(next.tickets[0]!.keyId);
  assert(kept.includes(last), `${kept}`);
});

Deno.test("betanet-mixnode check sees what in node.htx does not fit", async () => {
  await using folder = await makeFolder();
  const { path } = folder;
  await runMixnode("keygen", "--state", path);
  const htx = `listen = ["htx://192.0.2.1:443"]`;
  const tcp = `listen = ["tcp://192.0.2.1:9001"]`;
  for (
    const [about, code, what] of [
      [`${htx}\n[node.htx.decoy]\ndirectory = "site"`, 0, undefined],
      [htx, 0, "names no site"],
      [
        `${htx}\n[node.htx.decoy]\ndirectory = "site"\norigin = "127.0.0.1:80"`,
        0,
        "decoy.directory is not used",
      ],
      [
        `${htx}\n[node.htx.decoy]\norigin = "nowhere"`,
        1,
        "node.htx.decoy.origin wants",
      ],
      [`${htx}\n[node.htx]\ncertificate = "x.pem"`, 1, "go together"],
      [`${htx}\naddresses = ["tcp://192.0.2.1:1"]`, 0, "nobody uses it"],
      [`${tcp}\naddresses = ["htx://192.0.2.1:1"]`, 1, "node.listen has not"],
      [`${tcp}\n[node.htx.decoy]\ndirectory = "site"`, 0, "has none"],
    ] as const
  ) {
    const config = await configIn(path, about);
    const ran = await runMixnode("check", "--config", config);
    assertEquals(ran.code, code, ran.stdout);
    if (what === undefined) assertEquals(ran.stdout, "");
    else assertStringIncludes(ran.stdout, what);
  }
  await Deno.writeTextFile(`${path}/htx.json`, "{}", { mode: 0o600 });
  const broken = await runMixnode(
    ...["check", "--config", await configIn(path, htx)],
  );
  assertStringIncludes(broken.stdout, "does not hold keys");
});

/** Writes a configuration whose node is as `about` says. */
async function configIn(folder: string, about: string): Promise<string> {
  const path = `${folder}/mixnode.toml`;
  await Deno.writeTextFile(
    path,
    `
[network]
authorities = ["${"ab".repeat(32)}@127.0.0.1:1"]
[node]
state = "${folder}"
asn = 1
${about}
`,
  );
  return path;
}
