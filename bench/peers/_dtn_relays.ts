import { ROLES } from "../../cli/_roles.ts";
import {
  createBundle,
  decodeBundle,
  dtnTime,
  Eid,
  encodeBundle,
  payloadOf,
  QUIRKS,
} from "../../src/dtn/mod.ts";
import { HtxProcess } from "../../tests/cli/_htx_process.ts";
import { Dtnd, freePort } from "../../tests/interop/_dtn7.ts";

/** A node under test, in a process of its own, with one neighbour: `dtn://sink/`. Its name is `dtn://relay/`. */
export interface Relay extends AsyncDisposable {
  /** Where it takes TCPCLv4 contacts. */
  readonly address: string;
  /** Its process. */
  readonly pid: number;
}

/** Starts a node that sends what is for `dtn://sink/` to `127.0.0.1:<sinkPort>`, with its bundles in `folder`. */
export type StartRelay = (sinkPort: number, folder: string) => Promise<Relay>;

/**
 * The nodes by name. All keep bundles on disk, and answer at `dtn://relay/echo`.
 *
 * What dtnd's sneakers and our `normal` have stored outlives the process; what sled and our `full` have, a power cut too.
 */
export const RELAYS: Readonly<Record<string, StartRelay>> = {
  "betanet, normal": (...at) => startBetanet(...at, "normal"),
  "dtnd, sneakers": (...at) => startDtnd(...at, "sneakers"),
  "betanet, full": (...at) => startBetanet(...at, "full"),
  "dtnd, sled": (...at) => startDtnd(...at, "sled"),
};

/** Memory of a process in MiB: now, or the most it had so far. */
export function residentMib(
  pid: number,
  which: "now" | "peak" = "now",
): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const name = which === "now" ? "VmRSS" : "VmHWM";
  return Number(status.match(new RegExp(`${name}:\\s*(\\d+)`))![1]) / 1_024;
}

/** Processor time of a process so far, in seconds. */
export function processorSeconds(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_S;
}

const CLOCK_TICKS_PER_S = 100; // what Linux shows in /proc on every machine

const configOf = (outlives: "normal" | "full") => `
[node]
lenient = true
plaintext = ["*"]

[store]
synchronous = "${outlives}"

[app]
token = "none"
port = 0
`;

async function startBetanet(
  sinkPort: number,
  folder: string,
  synchronous: "normal" | "full",
): Promise<Relay> {
  await using stack = new AsyncDisposableStack();
  await Deno.writeTextFile(`${folder}/dtn.toml`, configOf(synchronous));
  const process = stack.use(startDtnCli([
    ...["node", "--config", `${folder}/dtn.toml`, "--json"],
    ...["--id", "dtn://relay/", "--state", folder],
    ...["--listen", "tcpcl://127.0.0.1:0"],
    ...["--peer", `tcpcl://127.0.0.1:${sinkPort}`],
  ]));
  const [line] = await process.stdout.match(/^\{.*\}$/m);
  const { addresses } = JSON.parse(line) as { addresses: string[] };
  const running = stack.move();
  return {
    address: addresses[0]!.replace(/^[a-z]+/, "tcp"),
    pid: process.pid,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function startDtnCli(args: readonly string[]): HtxProcess {
  return new HtxProcess(args, {
    program: [
      ...[Deno.execPath(), "run", "--quiet", "--frozen", "--no-check"],
      ...ROLES.dtn.flags,
      new URL(`../../${ROLES.dtn.entry}`, import.meta.url).pathname,
    ],
  });
}

async function startDtnd(
  sinkPort: number,
  folder: string,
  db: "sled" | "sneakers",
): Promise<Relay> {
  await using stack = new AsyncDisposableStack();
  const port = freePort();
  const dtnd = stack.use(
    await Dtnd.start({
      node: "relay",
      layers: [`tcp:port=${port}`],
      peers: [`tcp://127.0.0.1:${sinkPort}/sink`],
      endpoints: ["echo"],
      folder,
      db,
      janitor: "10s",
    }),
  );
  const echo = await startEcho(dtnd);
  stack.defer(() => echo.close());
  const running = stack.move();
  return {
    address: `tcp://127.0.0.1:${port}`,
    pid: dtnd.pid,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** An application that answers what comes for `echo`, over dtnd's WebSocket, as dtnd has none of its own. */
async function startEcho(dtnd: Dtnd): Promise<WebSocket> {
  const socket = new WebSocket(`${dtnd.web.replace("http", "ws")}/ws`);
  socket.binaryType = "arraybuffer";
  const said = async (text: string, event = "message") => {
    if (text !== "") socket.send(text);
    await new Promise((resolve) =>
      socket.addEventListener(event, resolve, { once: true })
    );
  };
  await said("", "open");
  await said("/bundle");
  await said("/subscribe echo");
  let sequence = 0;
  socket.addEventListener("message", ({ data }) => {
    if (!(data instanceof ArrayBuffer)) return;
    const bundle = decodeBundle(new Uint8Array(data), { quirks: QUIRKS });
    const answer = createBundle({
      source: Eid.parse("dtn://relay/echo"),
      destination: bundle.primary.source,
      creation: { timeMs: dtnTime(Date.now()), sequence: sequence++ },
      lifetimeMs: bundle.primary.lifetimeMs,
      payload: payloadOf(bundle),
    });
    socket.send(encodeBundle(answer));
  });
  return socket;
}
