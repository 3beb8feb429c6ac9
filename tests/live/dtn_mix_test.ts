/**
 * Two nodes of `betanet-dtn` that are neighbours over TCP and through a mixnet of an authority, a gateway and three mixes on the loopback
 * interface, in real time: what wants strict privacy arrives through the mixnet.
 *
 * @module
 */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { openNode, type RunningDtnNode } from "../../cli/dtn/open_node.ts";
import { readDtnConfig } from "../../cli/dtn/settings.ts";
import type { Context } from "../../cli/_main.ts";
import { formatMixNode } from "../../src/betanet_cla/mod.ts";
import { configureClient } from "../../cli/mixnode/configure_client.ts";
import { CliError } from "../../cli/_error.ts";
import { openMix } from "../../cli/dtn/open_mix.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import { silentLogger } from "../../src/core/log/mod.ts";
import { Eid, payloadOf } from "../../src/dtn/mod.ts";
import { makeFolder } from "../cli/_htx_process.ts";
import { MixNetwork } from "../cli/_mix_network.ts";
import { report } from "../scenario/_line_process.ts";

const COUNT = 10;
const BYTES = 2_000;

Deno.test("peers through the mixnet want a client and a node id", async () => {
  const config = (peers: string) =>
    readDtnConfig(undefined, { "node.peers": peers });
  const address = `mix:betanet-mix:${"A".repeat(128)}`;
  assertThrows(() => config(address), CliError);
  assertThrows(() => config("dtn://far/@mix:betanet-mix:AAAA"), CliError);
  const [peer] = config(`dtn://far/@${address}`).node.peers;
  assertEquals([`${peer!.nodeId}`, peer!.address], ["dtn://far/", address]);
  const folder = await Deno.makeTempDir();
  const error = await assertRejects(
    () =>
      openMix(config(`dtn://far/@${address}`), {
        folder,
        crypto: nodeProvider,
      }, {
        ...{ log: silentLogger, env: () => undefined, note() {} },
        signal: AbortSignal.abort(),
      }),
    CliError,
  );
  assertEquals(error.message, "mix.client names no client");
  await Deno.remove(folder);
});

Deno.test("two nodes exchange bundles through three mixes, and what wants strict privacy leaves over TCP never", async () => {
  await using stack = new AsyncDisposableStack();
  const over = stack.adopt(new AbortController(), (each) => each.abort());
  const context: Context = {
    ...{ operands: [], env: () => undefined, signal: over.signal },
    ...{ log: silentLogger, note() {}, print() {} },
    ...{ stdin: new ReadableStream(), stdout: new WritableStream() },
    progress() {
      throw new TypeError("Nothing here shows progress");
    },
  };
  const mixnet = stack.use(await makeFolder());
  const network = stack.use(new MixNetwork(mixnet.path));
  await network.found();
  const listen = `listen = ["tcp://127.0.0.1:0"]`;
  await network.node("gate", `role = "gateway"\nasn = 1\n${listen}`);
  for (const i of [0, 1, 2]) {
    await network.node(`mix${i}`, `asn = ${i + 2}\n${listen}`);
  }
  await network.listed();
  const clients = [
    await network.client("near"),
    await network.client("far"),
  ];
  const far = await configureClient(clients[1]!, context);
  const farAddress = formatMixNode(far.address);
  await far[Symbol.asyncDispose]();
  const open = async (name: string, toml: string): Promise<RunningDtnNode> => {
    const folder = stack.use(await makeFolder());
    const path = `${folder.path}/dtn.toml`;
    await Deno.writeTextFile(path, toml);
    const config = readDtnConfig(path, {
      "node.id": `dtn://${name}/`,
      "node.state": `${folder.path}/state`,
    });
    return stack.use(await openNode(config, context));
  };
  const receiver = await open(
    "far",
    `[node]
listen = ["tcpcl://127.0.0.1:0"]
plaintext = ["*"]
[mix]
client = "${clients[1]}"
`,
  );
  assertEquals(receiver.addresses[1], farAddress);
  const sender = await open(
    "near",
    `[node]
listen = []
peers = ["${receiver.addresses[0]}", "dtn://far/@${farAddress}"]
plaintext = ["*"]
[mix]
client = "${clients[0]}"
[privacy]
strict = ["dtn://far/secret"]
`,
  );
  const beganMs = performance.now();
  const tookMs: number[] = [];
  const sent = Array.from({ length: COUNT }, (_, i) => i);
  for (const i of sent) {
    const payload = new Uint8Array(BYTES).fill(i);
    for (const name of ["secret", "open"]) {
      const destination = Eid.parse(`dtn://far/${name}`);
      await sender.node.send({ destination, payload });
    }
  }
  for (const name of ["open", "secret"]) {
    using registration = receiver.node.register(
      Eid.parse(`dtn://far/${name}`),
    );
    const got: number[] = [];
    for await (const { bundle, accept } of registration) {
      accept();
      got.push(payloadOf(bundle)[0]!);
      const hasNode = bundle.blocks.some(({ type }) => type === 6);
      assertEquals(hasNode, name === "open", "the node before it is named");
      if (name === "secret") tookMs.push(performance.now() - beganMs);
      if (got.length === COUNT) break;
    }
    assertEquals(got.sort((a, b) => a - b), sent);
  }
  report(
    `${COUNT} bundles of ${BYTES} B through 3 mixes: the first after ${
      Math.round(tookMs[0]!)
    } ms, the last after ${Math.round(tookMs.at(-1)!)} ms`,
  );
});
