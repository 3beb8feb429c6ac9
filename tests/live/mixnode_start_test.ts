import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { listenTcp } from "../../src/core/transport/mod.ts";
import { makeFolder } from "../cli/_htx_process.ts";
import { freePort, MixNetwork } from "../cli/_mix_network.ts";
import { runMixnode, RunningMixnode } from "../cli/_run_mixnode.ts";

Deno.test("betanet-mixnode start runs nodes of a network, and client commands send through them", async () => {
  await using folder = await makeFolder();
  await using network = new MixNetwork(folder.path);
  await network.found();
  const listen = (scheme: string) => `listen = ["${scheme}://127.0.0.1:0"]`;
  await network.node("gate", `role = "gateway"\nasn = 1\n${listen("tcp")}`);
  for (const [i, scheme] of ["quic", "tcp", "quic"].entries()) {
    await network.node(`mix${i}`, `asn = ${i + 2}\n${listen(scheme)}`);
  }
  await network.listed();
  const [alice, bob] = [
    await network.client("alice"),
    await network.client("bob"),
  ];
  const address = await runMixnode("client", "address", "--config", bob);
  const to = address.stdout.trim();
  assertStringIncludes(to, "betanet-mix:");
  assertEquals(
    (await runMixnode("client", "address", "--config", bob)).stdout.trim(),
    to,
  );
  const letter = `${folder.path}/letter`;
  await Deno.writeTextFile(letter, "hello");
  const recv = new RunningMixnode(
    ...["client", "recv", "--count", "1", "--config", bob],
    ...["--reply", "and you?"],
  );
  const sent = await runMixnode(
    ...["client", "send", to, letter, "--request", "--config", alice],
  );
  assertEquals([sent.code, sent.stdout], [0, "and you?\n"], sent.stderr);
  assertEquals([await recv.ended, recv.terminal.out], [0, "hello\n"]);
  const proofs = `${folder.path}/proofs`;
  const ping = await runMixnode(
    ...["client", "ping", "--count", "1", "--config", alice],
    ...["--proofs", proofs],
  );
  assertEquals(ping.code, 0, ping.stderr);
  await verifyEach(proofs, network.authorityId);
  const unwritable = await runMixnode(
    ...["client", "ping", "--config", alice, "--proofs", letter],
  );
  assertEquals(unwritable.code, 1);
  assertStringIncludes(unwritable.stderr, `Cannot write proofs to ${letter}`);

  const [gate, mix] = network.statusPorts;
  const ready = await (await fetch(`http://127.0.0.1:${mix}/ready`)).json();
  assertEquals(ready, { ok: true, checks: { listed: true, accepting: true } });
  const asked = ["stats", "--status", `127.0.0.1:${gate}`];
  const stats = await runMixnode(...asked);
  assertEquals(stats.code, 0, stats.stderr);
  assertStringIncludes(stats.stdout, "mailbox clients known");
  const json = JSON.parse((await runMixnode(...asked, "--json")).stdout);
  assert(json["mixnet_packets_total{event=delivered}"] > 0);
  assertEquals(json["mixnet_mailbox_clients{state=known}"], 2);
});

Deno.test("betanet-mixnode start refuses a state that another node uses, an address that is taken, and what fits no strategy", async () => {
  await using folder = await makeFolder();
  await using network = new MixNetwork(folder.path);
  await network.found();
  await network.node("one", `listen = ["tcp://127.0.0.1:0"]`);
  await network.listed();
  const config = `${folder.path}/one.toml`;
  const second = await runMixnode("--config", config);
  assertEquals(second.code, 1);
  assertStringIncludes(second.stderr, "Another process uses the state");

  const taken = await listenTcp("tcp://127.0.0.1:0");
  await runMixnode("keygen", "--state", `${folder.path}/two`);
  const two = ["--config", config, "--state", `${folder.path}/two`];
  const listening = await runMixnode(
    "start",
    ...two,
    ...["--listen", taken.address],
  );
  taken.close();
  assertEquals(listening.code, 1);
  assertStringIncludes(listening.stderr, `Cannot listen at ${taken.address}`);

  const text = await Deno.readTextFile(config);
  await Deno.writeTextFile(
    config,
    text.replace(
      "[node.status]",
      `[node.mixing]\nstrategy = "threshold"\nkeep = 64\n[node.status]`,
    ),
  );
  const unfit = await runMixnode("start", ...two);
  assertEquals(unfit.code, 2);
  assertStringIncludes(unfit.stderr, "node.mixing");
});

Deno.test("betanet-mixnode start and client want authorities and keys, and say how to get them", async () => {
  await using folder = await makeFolder();
  const config = `${folder.path}/mixnode.toml`;
  await Deno.writeTextFile(config, `[node]\nstate = "${folder.path}"\n`);
  const keyless = await runMixnode("start", "--config", config);
  assertEquals(keyless.code, 1);
  assertStringIncludes(keyless.stderr, "keygen makes them");
  await runMixnode("keygen", "--state", folder.path);
  await runMixnode("keygen", "--client", "--state", folder.path);
  for (const command of [["start"], ["client", "recv"]]) {
    const lonely = await runMixnode(...command, "--config", config);
    assertEquals(lonely.code, 2);
    assertStringIncludes(lonely.stderr, "network.authorities names none");
  }
  const flag = await runMixnode("start", "--config", config, "--role", "relay");
  assertEquals(flag.code, 2);
  assertStringIncludes(flag.stderr, "flags: node.role");
});

Deno.test("betanet-mixnode stats says where it asked in vain", async () => {
  await using folder = await makeFolder();
  const config = `${folder.path}/mixnode.toml`;
  await Deno.writeTextFile(config, "");
  const unset = await runMixnode("stats", "--config", config);
  assertEquals(unset.code, 2);
  assertStringIncludes(unset.stderr, "node.status.port");
  const status = `127.0.0.1:${await freePort()}`;
  const nobody = await runMixnode("stats", "--status", status);
  assertEquals(nobody.code, 1);
  assertStringIncludes(nobody.stderr, `Nothing answers at ${status}`);
});

/** Has `verify-delay` check each route in a folder that `client --proofs` wrote, and that it does not hold for another document. */
async function verifyEach(proofs: string, authority: string): Promise<void> {
  const path = `${proofs}/routes.jsonl`;
  assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
  const lines = (await Deno.readTextFile(path)).trim().split("\n");
  // A loop has a route there and one back.
  assert(lines.length >= 2);
  const counters = new Set<string>();
  for (const line of lines) {
    const { epoch, from, to, mode, proof } = JSON.parse(line);
    const verified = await runMixnode(
      ...["verify-delay", proof, "--from", from, "--to", to, "--mode", mode],
      ...["--document", `${proofs}/document-${epoch}`, "--network", "test"],
      ...["--authority", authority, "--json"],
    );
    assertEquals(verified.code, 0, verified.stderr);
    const { counter, hops, delaysMs } = JSON.parse(verified.stdout);
    assertEquals(
      hops.map(({ layer }: { layer: number }) => layer),
      [0, 1, 2, 3, 0],
    );
    assert(delaysMs > 0);
    counters.add(`${epoch} ${counter}`);
  }
  assertEquals(counters.size, lines.length);
}
