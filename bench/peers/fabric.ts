/**
 * Agents of the fabric beside NATS and js-libp2p: the same messages between separate processes on loopback, in interleaved rounds.
 *
 * `deno run -A --unstable-net bench/peers/fabric.ts [--rounds n] [--ms n] [--only name;name] [--work pattern]` prints a Markdown table
 * of medians and writes every round to `bench/results/<date>-<cpu>-fabric.json`. It needs Linux, the network once for the clients of
 * NATS and js-libp2p, and `nats-server`. Every answer is checked. Leave the machine alone meanwhile.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import type { MessageCommands, Rate } from "./_message_workload.ts";
import { hasNatsServer, NatsServer } from "./_nats_server.ts";
import { PeerPair } from "./_peer_pair.ts";
import { type Command, deno } from "./_peer_process.ts";
import { storeResults } from "./_store_results.ts";

type What = Exclude<keyof MessageCommands, "choose">;
type Round = Record<string, Record<string, Rate & Cpu>>;

/** Processor time of both processes, in microseconds a message. */
interface Cpu {
  readonly clientUs: number;
  readonly serverUs: number;
}

const HERE = import.meta.dirname!;
const KIB = 1_024;
const AGENTS = "agents";
const STREAMS = ["libp2p, calls", "libp2p, stream"] as const;
const PEERS: Readonly<Record<string, Command>> = {
  [AGENTS]: own("sqlite"),
  "agents, memory": own("memory"),
  "htx": own("htx", "_echo_peer.ts"),
  "tcp": own("tcp", "_echo_peer.ts"),
  "nats": foreign("nats", "peer.js"),
  "libp2p, calls": foreign("libp2p", "message_peer.js", "calls"),
  "libp2p, stream": foreign("libp2p", "message_peer.js", "stream"),
};
/** Name, what, bytes of a message, how many at a time, peers that do it. */
const WORK: readonly (readonly [string, What, number, number, RegExp])[] = [
  ["request, 1 KiB, serial", "request", KIB, 1, /./],
  ["request, 1 KiB, 64", "request", KIB, 64, /./],
  ["request, 1 KiB, 1,024", "request", KIB, 1_024, /./],
  ["request, 100 KiB, serial", "request", 100 * KIB, 1, /./],
  ["request, 100 KiB, 64", "request", 100 * KIB, 64, /./],
  ["one way, 1 KiB, 1,024", "notify", KIB, 1_024, /agents|nats|stream/],
  ["one way, 100 KiB, 64", "notify", 100 * KIB, 64, /agents|nats|stream/],
  ["accept, 1 KiB, serial", "accept", KIB, 1, /agents$|nats/],
  ["accept, 1 KiB, 64", "accept", KIB, 64, /agents$|nats/],
  ["accept, 1 KiB, 1,024", "accept", KIB, 1_024, /agents$|nats/],
];

const flags = parseArgs(Deno.args, {
  string: ["rounds", "ms", "only", "work"],
  boolean: ["help"],
  default: { rounds: "3", ms: "2000", only: Object.keys(PEERS).join(";") },
});
if (flags.help) {
  const peers = Object.keys(PEERS).join(";");
  const work = WORK.map(([name]) => `  ${name}\n`).join("");
  say(
    Deno.stdout,
    `--rounds n     3\n--ms n         2000, and as much before\n--only names   ${peers}\n--work pattern of:\n${work}`,
  );
  Deno.exit();
}
const ms = Number(flags.ms);
const hasNats = hasNatsServer("bench/peers/fabric.ts");
const names = String(flags.only).split(";").filter((name) =>
  name !== "nats" || hasNats
);
const works = WORK.filter(([name]) =>
  new RegExp(String(flags.work ?? ".")).test(name)
);
const rounds: Round[] = [];
const chooseMs: number[] = [];
for (let i = 0; i < Number(flags.rounds); i++) {
  rounds.push(await measureAll(i + 1));
}
say(Deno.stdout, `${table()}\nchoosing a way, p99 in ms: ${chooseMs}\n`);
await storeResults("-fabric", { versions: Deno.version, ms, rounds, chooseMs });

/** All peers do the same work one right after the other, as the load of the machine changes. */
async function measureAll(number: number): Promise<Round> {
  const round: Round = Object.fromEntries(names.map((name) => [name, {}]));
  for (const [title, what, bytes, window, who] of works) {
    for (const name of names.filter((name) => who.test(name))) {
      say(Deno.stderr, `round ${number}: ${title}: ${name}\n`);
      try {
        const work = { bytes, window, ms };
        round[name]![title] = await measureOne(name, what, work);
      } catch (error) {
        say(Deno.stderr, `${name} failed: ${error}\n`);
      }
    }
  }
  return round;
}

/** Everything starts anew, with empty stores. */
async function measureOne(
  name: string,
  what: What,
  work: { bytes: number; window: number; ms: number },
): Promise<Rate & Cpu> {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const nats = name === "nats" && stack.use(await NatsServer.start(folder));
  const known = { folder, ...nats && { address: nats.address } };
  const command = PEERS[name]!;
  const pair = await PeerPair.start(command, command, known, { folder });
  stack.use(pair);
  const before = pair.cpuS;
  const rate = await pair.client.ask(what, work) as Rate;
  const used = pair.cpuSince(before);
  const count = rate.perS * 2 * work.ms / 1e3;
  if (name === AGENTS) {
    chooseMs.push(Number(await pair.client.ask("choose", 10_000)));
  }
  return {
    ...rate,
    clientUs: 1e6 * used[0] / count,
    serverUs: 1e6 * used[1] / count,
  };
}

function own(kind: string, file = "_fabric_peer.ts"): Command {
  return deno("--unstable-net", "--no-check", `${HERE}/${file}`, kind);
}

function foreign(folder: string, file: string, ...args: string[]): Command {
  const config = `--config=${HERE}/${folder}/deno.json`;
  return deno(config, "--no-check", `${HERE}/${folder}/${file}`, ...args);
}

function table(): string {
  const lines = [["messages/s", ...names, "of NATS", "of libp2p"]];
  lines.push(["---", ...lines[0]!.slice(1).map(() => "---:")]);
  for (const [title] of works) {
    const cells = names.map((name) => {
      const rate = median(name, title, "perS");
      if (isNaN(rate)) return "";
      const us = (key: string) => Math.round(median(name, title, key));
      return `${Math.round(rate).toLocaleString("en")} (${us("p50Us")}, ${
        us("p99Us")
      })`;
    });
    const ours = median(AGENTS, title, "perS");
    const libp2p = Math.max(
      ...STREAMS.map((each) => median(each, title, "perS") || 0),
    );
    const ratios = [median("nats", title, "perS"), libp2p || NaN].map((each) =>
      isNaN(ours / each) ? "" : (ours / each).toFixed(2)
    );
    lines.push([title, ...cells, ...ratios]);
  }
  return lines.map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

function median(name: string, title: string, key: string): number {
  const values = rounds.map((round) => round[name]?.[title]?.[key] ?? NaN)
    .filter(Number.isFinite).sort((a, b) => a - b);
  return values[values.length >> 1] ?? NaN;
}

function say(to: { writeSync(bytes: Uint8Array): number }, text: string): void {
  to.writeSync(new TextEncoder().encode(text));
}
