import { assert } from "@std/assert";
import {
  type ConvergenceLayer,
  createBundle,
  dtnTime,
  Eid,
  encodeBundle,
  HttpLayer,
  MtcpLayer,
  TcpclLayer,
  UdpLayer,
} from "../../src/dtn/mod.ts";
import { makeFolder } from "../cli/_htx_process.ts";

const TIMEOUT_MS = 20_000;

/** What our layers sent over loopback while it was captured. */
export interface Captured {
  /** The pcapng file of dumpcap. */
  readonly file: Uint8Array<ArrayBuffer>;
  /** What was sent, by layer. */
  readonly sent: Readonly<Record<string, readonly Uint8Array[]>>;
}

/** Sends bundles with payloads of `sizes` over TCPCLv4 in segments of `segmentBytes`, MTCP, HTTP push and UDP, and captures that. */
export async function captured(
  sizes: readonly number[],
  segmentBytes: number,
): Promise<Captured> {
  await using folder = await makeFolder();
  const path = `${folder.path}/capture.pcapng`;
  const tcpcl = (name: string) =>
    new TcpclLayer({
      nodeId: `dtn://${name}/`,
      segmentMruBytes: segmentBytes,
    });
  const layers = {
    tcpcl: { near: tcpcl("near"), far: tcpcl("far"), scheme: "tcp" },
    mtcp: { near: new MtcpLayer(), far: new MtcpLayer(), scheme: "tcp" },
    http: { near: new HttpLayer(), far: new HttpLayer(), scheme: "tcp" },
    udp: { near: new UdpLayer(), far: new UdpLayer(), scheme: "udp" },
  };
  await using stack = new AsyncDisposableStack();
  const listening = await Promise.all(
    Object.entries(layers).map(async ([name, { near, far, scheme }]) => {
      const at = `${scheme}://127.0.0.1:0`;
      return { name, near, listener: stack.use(await far.listen(at)) };
    }),
  );
  const ports = listening.map(({ listener }) =>
    new URL(listener.address.replace(/^\w+/, "http")).port
  );
  await using dumpcap = new Deno.Command("dumpcap", {
    args: [
      ...["-q", "-i", "lo", "-w", path],
      ...["-f", ports.map((port) => `port ${port}`).join(" or ")],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const stderr = dumpcap.stderr.pipeThrough(new TextDecoderStream());
  const reader = stderr.getReader();
  for (let said = ""; !said.includes("File: ");) {
    const { value, done } = await reader.read();
    assert(!done, said);
    said += value;
  }
  const sent: Record<string, Uint8Array[]> = {};
  for (const { name, near, listener } of listening) {
    const bundles = sizes.map((size) => bundleOf(name, size));
    await sendAll(near, listener, bundles);
    sent[name] = bundles;
  }
  // What the kernel has seen, dumpcap writes within a second.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  dumpcap.kill("SIGINT");
  while (!(await reader.read()).done);
  await dumpcap.status;
  return { file: await Deno.readFile(path), sent };
}

async function sendAll(
  layer: ConvergenceLayer,
  listener: Awaited<ReturnType<ConvergenceLayer["listen"]>>,
  bundles: readonly Uint8Array[],
): Promise<void> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const contact = await layer.dial(listener.address, { signal });
  const taking = (async () => {
    const { value: far } = await listener[Symbol.asyncIterator]().next();
    let left = bundles.length;
    for await (const received of far.received) {
      received.accept();
      if (--left === 0) break;
    }
    return far;
  })();
  await Promise.all(bundles.map((bundle) => contact.send(bundle)));
  const far = await taking;
  contact.close();
  far.close();
}

let sequence = 0;

function bundleOf(layer: string, size: number): Uint8Array {
  return encodeBundle(createBundle({
    source: Eid.parse(`dtn://near/${layer}`),
    destination: Eid.parse("dtn://far/in"),
    creation: { timeMs: dtnTime(1_800_000_000_000), sequence: sequence++ },
    lifetimeMs: 3_600_000,
    payload: new Uint8Array(size).fill(7),
  }));
}
