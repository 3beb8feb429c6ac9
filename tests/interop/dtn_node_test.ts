import { assert, assertEquals } from "@std/assert";
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
import { FakeTerminal } from "../cli/_fake_terminal.ts";
import { DtnNodeProcess } from "../cli/_dtn_process.ts";
import { makeFolder } from "../cli/_htx_process.ts";
import { canHaveDtn7, Dtnd, freePort, runDtn7, until } from "./_dtn7.ts";

const ignore = !canHaveDtn7("dtn_node_test");

/** 100 B to 1 MB, most of them small. */
const SIZES = Array.from(
  { length: 200 },
  (_, i) => Math.round(100 * 10 ** (4 * (i / 199) ** 3)),
);

for (
  const { cla, scheme, theirName, isAcknowledged } of [
    { cla: "tcp", scheme: "tcpcl", theirName: "", isAcknowledged: true },
    {
      cla: "mtcp",
      scheme: "mtcp",
      theirName: "dtn://n1/@",
      isAcknowledged: false,
    },
  ]
) {
  Deno.test({
    name:
      `betanet-dtn and dtnd give each other bundles over ${cla}, which wait until the other is there`,
    ignore,
    async fn() {
      await using folder = await makeFolder();
      const [ourPort, theirPort] = [freePort(), freePort()];
      const startNode = () =>
        DtnNodeProcess.start({
          name: "us",
          state: folder.path,
          args: [
            ...["--listen", `${scheme}://127.0.0.1:${ourPort}`],
            ...["--peer", `${theirName}${scheme}://127.0.0.1:${theirPort}`],
          ],
        });
      const startDtnd = () =>
        Dtnd.start({
          node: "n1",
          layers: [`${cla}:port=${theirPort}`],
          peers: [`${cla}://127.0.0.1:${ourPort}/us`],
          endpoints: ["in", "out"],
        });
      await using first = await startNode();
      const away = makeBundles("dtn://us/out", "dtn://n1/in", SIZES);
      for (const { bytes } of away) await first.insert(bytes);
      await using dtnd = await startDtnd();
      assertEquals(await takenBy(dtnd, away.length), digestsOf(away));

      const back = makeBundles("dtn://n1/out", "dtn://us/in", SIZES);
      for (const { bytes } of back) await dtnd.insert(bytes);
      assertEquals(await takenFrom(first, back.length), digestsOf(back));

      // Over MTCP dtnd cannot know that we are gone.
      if (!isAcknowledged) return;
      assertEquals(await first.stop(), 0);
      const kept = makeBundles("dtn://n1/out", "dtn://us/in", [100, 100_000]);
      for (const { bytes } of kept) await dtnd.insert(bytes);
      await using again = await startNode();
      assertEquals(await takenFrom(again, kept.length), digestsOf(kept));
      assertEquals(await again.take("in"), undefined);
    },
  });
}

Deno.test({
  name: "dtn7-rs's dtnsend and dtnrecv work with our REST",
  ignore,
  async fn() {
    await using world = await startBoth();
    const { node, dtnd, path } = world;
    const letter = nodeProvider.random(30_000);
    await Deno.writeFile(`${path}/letter`, letter);
    const said = await runDtn7("dtnsend", [
      ...["-p", node.appPort, "-r", "dtn://n1/in", `${path}/letter`],
    ]);
    const [, id] = /Bundle-Id: (\S+)/.exec(textOf(said))!;
    assert(textOf(said).includes(`Result: ${id}\n`), textOf(said));
    assertEquals(payloadIn(await dtnd.take("in")), letter);

    const receive = (...args: string[]) =>
      runDtn7("dtnrecv", ["-p", node.appPort, ...args]);
    assertEquals((await receive("-e", "in")).length, 0);
    const [{ bytes, payload }] = makeBundles("dtn://n1/out", "dtn://us/in", [
      30_000,
    ]) as [Made];
    await dtnd.insert(bytes);
    const got = await until(async () => {
      const output = await receive("-e", "in");
      return output.length > 0 ? output : undefined;
    });
    assertEquals(got, payload);

    const [local] = makeBundles("dtn://us/out", "dtn://us/in", [100, 100]);
    const name = await node.insert(local!.bytes);
    assertEquals(payloadIn(await receive("-r", "-b", name)), local!.payload);
    assertEquals(
      textOf(await receive("-d", name)),
      `Deleted bundle ${name}\n`,
    );
    assertEquals((await receive("-x", "-e", "in")).length, 0);
  },
});

Deno.test({
  name: "betanet-dtn send and recv reach dtnd through our node",
  ignore,
  async fn() {
    await using world = await startBoth();
    const { node, dtnd, path } = world;
    const asked = [
      ...["--config", `${path}/dtn.toml`, "--state", path],
      ...["--app-port", node.appPort],
    ];
    const letter = nodeProvider.random(100_000);
    await Deno.writeFile(`${path}/letter`, letter);
    const sent = new FakeTerminal([
      ...["send", "dtn://n1/in", `${path}/letter`, ...asked],
    ]);
    assertEquals(await run(program, sent), 0, sent.err);
    assertEquals(payloadIn(await dtnd.take("in")), letter);
    const [{ bytes, payload }] = makeBundles("dtn://n1/out", "dtn://us/in", [
      100_000,
    ]) as [Made];
    await dtnd.insert(bytes);
    const got = new FakeTerminal([
      ...["recv", "in", "--wait", "--output", `${path}/got`, ...asked],
    ]);
    assertEquals(await run(program, got), 0, got.err);
    assertEquals(await Deno.readFile(`${path}/got`), payload);
  },
});

interface Made {
  readonly bytes: Bytes;
  readonly payload: Uint8Array;
}

async function startBoth() {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(await makeFolder());
  const [ourPort, theirPort] = [freePort(), freePort()];
  const dtnd = stack.use(
    await Dtnd.start({
      node: "n1",
      layers: [`tcp:port=${theirPort}`],
      peers: [`tcp://127.0.0.1:${ourPort}/us`],
      endpoints: ["in", "out"],
    }),
  );
  const node = stack.use(
    await DtnNodeProcess.start({
      name: "us",
      state: path,
      args: [
        ...["--listen", `tcpcl://127.0.0.1:${ourPort}`],
        ...["--peer", `tcpcl://127.0.0.1:${theirPort}`],
      ],
    }),
  );
  const all = stack.move();
  return { node, dtnd, path, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

let sequence = 0;

function makeBundles(
  source: string,
  destination: string,
  sizes: readonly number[],
): Made[] {
  return sizes.map((size) => {
    const payload = nodeProvider.random(size);
    const bundle = createBundle({
      source: Eid.parse(source),
      destination: Eid.parse(destination),
      creation: { timeMs: dtnTime(Date.now()), sequence: sequence++ },
      lifetimeMs: 3_600_000,
      payload,
    });
    return { bytes: encodeBundle(bundle), payload };
  });
}

function digestsOf(made: readonly Made[]): string[] {
  return made.map(({ payload }) => digestOf(payload)).sort();
}

async function takenBy(dtnd: Dtnd, count: number): Promise<string[]> {
  const digests: string[] = [];
  for (let i = 0; i < count; i++) {
    digests.push(digestOf(payloadIn(await dtnd.take("in"))));
  }
  return digests.sort();
}

async function takenFrom(
  node: DtnNodeProcess,
  count: number,
): Promise<string[]> {
  const digests: string[] = [];
  for (let i = 0; i < count; i++) {
    digests.push(
      digestOf(payloadIn(await until(async () => await node.take("in")))),
    );
  }
  return digests.sort();
}

/** SHA-256 in hexadecimal. */
function digestOf(payload: Uint8Array): string {
  return nodeProvider.hash("sha256", payload).toHex();
}

function payloadIn(bundle: Uint8Array): Uint8Array {
  return payloadOf(decodeBundle(bundle, { quirks: QUIRKS }));
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
