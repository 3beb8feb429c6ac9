import { assertEquals, assertMatch } from "@std/assert";
import { run } from "../../cli/_main.ts";
import { program } from "../../cli/dtn.ts";
import type { Bytes } from "../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import {
  createBundle,
  decodeBundle,
  dtnTime,
  Eid,
  encodeBundle,
  payloadOf,
  QUIRKS,
} from "../../src/dtn/mod.ts";
import { DtnNodeProcess } from "../cli/_dtn_process.ts";
import { FakeTerminal } from "../cli/_fake_terminal.ts";
import { makeFolder } from "../cli/_htx_process.ts";
import { canHaveDtn7, Dtnd, freePort, runDtn7, until } from "./_dtn7.ts";

const ignore = !canHaveDtn7("dtn_layers_test");

const SIZES = [0, 1, 100, 5_000, 30_000, 60_000];
const LARGE = [300_000, 1_000_000];

for (
  const { cla, scheme, sizes } of [
    { cla: "tcp", scheme: "tcpcl", sizes: [...SIZES, ...LARGE] },
    { cla: "mtcp", scheme: "mtcp", sizes: [...SIZES, ...LARGE] },
    { cla: "udp", scheme: "udp", sizes: SIZES },
    { cla: "http", scheme: "http", sizes: [...SIZES, ...LARGE] },
  ]
) {
  Deno.test({
    name:
      `betanet-dtn and dtnd give each other bundles over ${cla}, and each echoes the other's pings`,
    ignore,
    async fn() {
      await using world = await startBoth(cla, scheme);
      const { node, dtnd } = world;
      for (const size of sizes) {
        const away = makeBundle("dtn://us/out", "dtn://n1/in", size);
        await node.insert(away.bytes);
        assertEquals(payloadIn(await dtnd.take("in")), away.payload);
        const back = makeBundle("dtn://n1/out", "dtn://us/in", size);
        await dtnd.insert(back.bytes);
        const taken = await until(() => node.take("in"));
        assertEquals(payloadIn(taken), back.payload);
      }
      await pingsTheirs(world);
      await pingsOurs(world);
    },
  });
}

Deno.test({
  name:
    "betanet-dtn's send and recv work with dtnd's REST, and dtnsend and dtnrecv reach it through our node",
  ignore,
  async fn() {
    await using world = await startBoth("tcp", "tcpcl");
    const { node, dtnd, path } = world;
    const letter = nodeProvider.random(20_000);
    await Deno.writeFile(`${path}/letter`, letter);
    const { port } = new URL(dtnd.web);
    await Deno.writeTextFile(
      `${path}/theirs.toml`,
      `[app]\nhost = "::1"\ntoken = "none"\nport = ${port}\n`,
    );
    const asked = ["--config", `${path}/theirs.toml`, "--state", path];
    await ran("send", "dtn://us/in", `${path}/letter`, ...asked);
    const taken = await until(() => node.take("in"));
    assertEquals(payloadIn(taken), letter);

    await runDtn7("dtnsend", [
      ...["-p", node.appPort, "-r", "dtn://n1/in", `${path}/letter`],
    ]);
    // With --wait it would ask for acknowledgements, which dtnd does not know.
    const got = await until(async () => {
      await ran("recv", "in", "--output", `${path}/got`, ...asked);
      return await Deno.readFile(`${path}/got`).catch(() => undefined);
    });
    assertEquals(got, letter);
  },
});

interface Both extends AsyncDisposable {
  readonly node: DtnNodeProcess;
  readonly dtnd: Dtnd;
  /** The folder of our node. */
  readonly path: string;
}

/** Both, each with the other as neighbour over a layer. */
async function startBoth(cla: string, scheme: string): Promise<Both> {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(await makeFolder());
  const [ourPort, theirPort] = [freePort(), freePort()];
  const dtnd = stack.use(
    await Dtnd.start({
      node: "n1",
      layers: [`${cla}:port=${theirPort}`],
      peers: [`${cla}://127.0.0.1:${ourPort}/us`],
      endpoints: ["in", "out", "echo", "ping"],
    }),
  );
  const where = scheme === "http"
    ? new URL(dtnd.web).host // its REST takes pushes
    : `127.0.0.1:${theirPort}`;
  const theirName = scheme === "tcpcl" ? "" : "dtn://n1/@";
  const node = stack.use(
    await DtnNodeProcess.start({
      name: "us",
      state: path,
      args: [
        ...["--listen", `${scheme}://127.0.0.1:${ourPort}`],
        ...["--peer", `${theirName}${scheme}://${where}`],
      ],
    }),
  );
  const all = stack.move();
  return { node, dtnd, path, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** Our ping, answered by what does dtnecho's part: the published crate has neither it nor dtnping. */
async function pingsTheirs({ node, dtnd, path }: Both): Promise<void> {
  let isOver = false;
  const echo = (async () => {
    while (!isOver) {
      const bytes = await dtnd.next("echo");
      if (!bytes) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        continue;
      }
      const { primary } = decodeBundle(bytes, { quirks: QUIRKS });
      await dtnd.insert(encodeBundle(createBundle({
        source: Eid.parse("dtn://n1/echo"),
        destination: primary.source,
        creation: { timeMs: dtnTime(Date.now()), sequence: sequence++ },
        lifetimeMs: 60_000,
        payload: payloadIn(bytes),
      })));
    }
  })();
  const said = await ran(
    ...["ping", "dtn://n1/echo", "--count", "3"],
    ...["--config", `${path}/dtn.toml`, "--state", path],
    ...["--app-port", node.appPort],
  ).finally(() => isOver = true);
  await echo;
  assertMatch(said, /^(?:[0-9.]+ ms\n){3}$/);
}

/** What dtnping does: dtnsend to our echo, dtnrecv of its answer. */
async function pingsOurs({ dtnd, path }: Both): Promise<void> {
  const { port } = new URL(dtnd.web);
  const payload = nodeProvider.random(64);
  await Deno.writeFile(`${path}/ping`, payload);
  await runDtn7("dtnsend", [
    ...["-6", "-p", port, "-s", "dtn://n1/ping", "-r", "dtn://us/echo"],
    `${path}/ping`,
  ]);
  const answer = await until(async () => {
    const output = await runDtn7("dtnrecv", ["-6", "-p", port, "-e", "ping"]);
    return output.length > 0 ? output : undefined;
  });
  assertEquals(answer, payload);
}

/** Runs `betanet-dtn` to its end; what it printed. */
async function ran(...args: string[]): Promise<string> {
  const terminal = new FakeTerminal(args);
  assertEquals(await run(program, terminal), 0, terminal.err);
  return terminal.out;
}

let sequence = 0;

function makeBundle(
  source: string,
  destination: string,
  size: number,
): { readonly bytes: Bytes; readonly payload: Uint8Array } {
  const payload = nodeProvider.random(size);
  const bundle = createBundle({
    source: Eid.parse(source),
    destination: Eid.parse(destination),
    creation: { timeMs: dtnTime(Date.now()), sequence: sequence++ },
    lifetimeMs: 3_600_000,
    payload,
  });
  return { bytes: encodeBundle(bundle), payload };
}

function payloadIn(bundle: Uint8Array): Uint8Array {
  return payloadOf(decodeBundle(bundle, { quirks: QUIRKS }));
}
