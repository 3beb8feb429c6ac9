import { assert, assertEquals, assertRejects } from "@std/assert";
import { equal } from "../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import {
  type Contact,
  ContactError,
  type ConvergenceLayer,
  createBundle,
  decodeBundle,
  dtnTime,
  Eid,
  encodeBundle,
  HttpLayer,
  MtcpLayer,
  payloadOf,
  TcpclLayer,
  UdpLayer,
} from "../../src/dtn/mod.ts";
import { canHaveDtn7, Dtnd, freePort, until } from "./_dtn7.ts";

const ignore = !canHaveDtn7("tcpcl_test");
const SIZES = [0, 1, 100, 10_000, 63_000, 64_001, 300_000, 1_000_000];
const UDP_SIZES = SIZES.filter((size) => size < 65_000);

const NODE_ID = "dtn://us/";

for (
  const [cla, layer, sizes] of [
    [
      "tcp",
      new TcpclLayer({ nodeId: NODE_ID, ignorePeerTransferMru: true }),
      SIZES,
    ],
    ["mtcp", new MtcpLayer(), SIZES],
    ["udp", new UdpLayer({ localAddress: "udp://127.0.0.1:0" }), UDP_SIZES],
    ["http", new HttpLayer(), SIZES],
  ] as [string, ConvergenceLayer, number[]][]
) {
  const scheme = cla === "udp" ? "udp" : "tcp";

  Deno.test({
    name: `dtnd takes over ${cla} what we send`,
    ignore,
    async fn() {
      const port = freePort();
      await using dtnd = await Dtnd.start({
        node: "n1",
        layers: [`${cla}:port=${port}`],
        endpoints: ["in"],
      });
      await using contact = await layer.dial(
        cla === "http" // its REST takes pushes
          ? dtnd.web.replace("http:", "tcp:")
          : `${scheme}://127.0.0.1:${port}`,
      );
      for (const size of sizes) {
        const { bytes, digest } = makeBundle("dtn://n1/in", size);
        const { kind } = await contact.send(bytes);
        const isHeard = cla === "tcp" || cla === "http";
        assertEquals(kind, isHeard ? "acknowledged" : "handedOver");
        assertEquals(digestOf(await dtnd.take("in")), digest, `${size} bytes`);
      }
    },
  });

  Deno.test({
    name: `we take over ${cla} what dtnd sends`,
    ignore,
    async fn() {
      await using listener = await layer.listen(`${scheme}://127.0.0.1:0`);
      const port = listener.address.split(":").at(-1);
      const taken = takeAll(listener);
      await using dtnd = await Dtnd.start({
        node: "n1",
        layers: [`${cla}:port=${freePort()}`],
        peers: [`${cla}://127.0.0.1:${port}/us`],
        endpoints: ["out"],
      });
      for (const size of sizes) {
        const { bytes, digest } = makeBundle(
          "dtn://us/in",
          size,
          "dtn://n1/out",
        );
        await dtnd.insert(bytes);
        await until(() => Promise.resolve(taken.get(digest)));
      }
      assertEquals(taken.size, sizes.length);
    },
  });
}

Deno.test({
  name: "300 bundles in flight to dtnd, each once",
  ignore,
  async fn() {
    const port = freePort();
    await using dtnd = await Dtnd.start({
      node: "n1",
      layers: [`tcp:port=${port}`],
      endpoints: ["in"],
    });
    await using contact = await new TcpclLayer({ nodeId: NODE_ID })
      .dial(`tcp://127.0.0.1:${port}`);
    const made = Array.from(
      { length: 300 },
      (_, i) => makeBundle("dtn://n1/in", 10 * i),
    );
    await Promise.all(made.map(({ bytes }) => contact.send(bytes)));
    const taken = new Set<string>();
    for (let i = 0; i < 300; i++) taken.add(digestOf(await dtnd.take("in")));
    assertEquals(taken, new Set(made.map(({ digest }) => digest)));
  },
});

Deno.test({
  name: "dtnd may ask first whether we have a bundle, by an empty segment",
  ignore,
  async fn() {
    const layer = new TcpclLayer({ nodeId: NODE_ID });
    await using listener = await layer.listen("tcp://127.0.0.1:0");
    const port = listener.address.split(":").at(-1);
    const taken = takeAll(listener);
    await using dtnd = await Dtnd.start({
      node: "n1",
      layers: [`tcp:port=${freePort()}:refuse-existing-bundles=true`],
      peers: [`tcp://127.0.0.1:${port}/us`],
      endpoints: ["out"],
    });
    for (const size of [1, 10_000, 200_000]) {
      const { bytes, digest } = makeBundle("dtn://us/in", size, "dtn://n1/out");
      await dtnd.insert(bytes);
      await until(() => Promise.resolve(taken.get(digest)));
    }
  },
});

Deno.test({
  name:
    "a session with dtnd lives by keepalives, respects its transfer MRU, and ends with SESS_TERM",
  ignore,
  async fn() {
    const port = freePort();
    await using dtnd = await Dtnd.start({
      node: "n1",
      layers: [`tcp:port=${port}`],
      endpoints: ["in"],
    });
    await using contact = await new TcpclLayer({
      nodeId: NODE_ID,
      keepaliveS: 1,
    }).dial(`tcp://127.0.0.1:${port}`);
    assertEquals(contact.peerNodeId, "dtn://n1/");
    assertEquals(contact.maxBundleBytes, 64_000);
    const before = { ...contact.counts };
    await until(() =>
      Promise.resolve(
        contact.counts.bytesIn >= before.bytesIn + 3 &&
            contact.counts.bytesOut >= before.bytesOut + 3 || undefined,
      )
    );
    const error = await assertRejects(
      () => contact.send(new Uint8Array(64_001)),
      ContactError,
    );
    assertEquals(error.code, "tooLarge");
    const { bytes, digest } = makeBundle("dtn://n1/in", 100);
    assertEquals(await contact.send(bytes), { kind: "acknowledged" });
    assertEquals(digestOf(await dtnd.take("in")), digest);
    const answered = contact.counts.bytesIn;
    await contact.end();
    assertEquals(contact.counts.bytesIn, answered + 3, "a SESS_TERM came back");
  },
});

let sequence = 0;

function makeBundle(
  destination: string,
  size: number,
  source = "dtn://us/out",
): { bytes: Uint8Array; digest: string } {
  const payload = nodeProvider.random(size);
  const bundle = createBundle({
    source: Eid.parse(source),
    destination: Eid.parse(destination),
    creation: { timeMs: dtnTime(Date.now()), sequence: sequence++ },
    lifetimeMs: 3_600_000,
    payload,
  });
  const bytes = encodeBundle(bundle);
  assert(equal(payloadOf(decodeBundle(bytes)), payload));
  return { bytes, digest: digestOf(bytes) };
}

/** The SHA-256 of a bundle's payload, in hex. */
function digestOf(bytes: Uint8Array): string {
  return nodeProvider.hash("sha256", payloadOf(decodeBundle(bytes))).toHex();
}

/** The bundles that come to a listener, by the digest of their payloads. */
function takeAll(listener: AsyncIterable<Contact>): Map<string, Uint8Array> {
  const taken = new Map<string, Uint8Array>();
  void (async () => {
    for await (const contact of listener) {
      void (async () => {
        for await (const received of contact.received) {
          taken.set(digestOf(received.bytes), received.bytes);
          received.accept();
        }
      })();
    }
  })();
  return taken;
}
