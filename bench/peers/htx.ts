/**
 * HTX beside raw TCP, TLS and js-libp2p: the same work in separate processes on loopback, in interleaved rounds.
 *
 * `deno run -A --unstable-net bench/peers/htx.ts [--rounds n] [--mib n] [--only name,name]` prints a Markdown table of
 * medians and writes every round to `bench/results/<date>-<cpu>.json`. It needs Linux, and the network once for
 * js-libp2p. Leave the machine alone meanwhile.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { type Figures, MEASURES } from "./_measure.ts";
import { deno } from "./_peer_process.ts";
import { storeResults } from "./_store_results.ts";

/** The figures of each peer, as far as it did not fail. */
type Round = Record<string, Partial<Figures>>;
/** Takes one figure out of a round. */
type Pick = (f: Partial<Figures>, round: Round) => number | undefined;

const HERE = import.meta.dirname!;
const PEERS: Readonly<Record<string, readonly string[]>> = {
  "tcp": ownPeer("tcp"),
  "tls": ownPeer("tls"),
  "libp2p": deno(
    `--config=${HERE}/libp2p/deno.json`,
    "--no-check",
    `${HERE}/libp2p/peer.js`,
  ),
  "htx-tcp": ownPeer("htx-tcp"),
  "htx-ws": ownPeer("htx-ws"),
  "htx-quic": ownPeer("htx-quic"),
  "htx-tls": ownPeer("htx-tls"),
  "htx-tcp-native": ownPeer("htx-tcp-native"),
  "htx-tls-native": ownPeer("htx-tls-native"),
};

/** Rows of the table: name, figure, digits behind the point. */
const ROWS: readonly (readonly [string, Pick, number])[] = [
  ["one stream, MB/s", (f) => f.mbPerS, 0],
  ["CPU s/GB, sender", (f) => f.clientCpuSPerGb, 2],
  ["CPU s/GB, receiver", (f) => f.serverCpuSPerGb, 2],
  ["RTT p50, us", (f) => f.rttP50Us, 0],
  ["RTT p95, us", (f) => f.rttP95Us, 0],
  ["RTT p99, us", (f) => f.rttP99Us, 0],
  ["handshakes/s", (f) => f.handshakesPerS, 0],
  ["handshakes/s, 16 in flight", (f) => f.handshakesPerS16, 0],
  ["idle session, client RSS KiB", (f) => f.clientIdleKib, 1],
  ["idle session, server RSS KiB", (f) => f.serverIdleKib, 1],
  ["idle session, client live KiB", (f) => f.clientLiveKib, 1],
  ["idle session, server live KiB", (f) => f.serverLiveKib, 1],
  ["CPU of idle sessions, server %", (f) => f.serverIdleCpuPercent, 0],
];

const flags = parseArgs(Deno.args, {
  string: ["rounds", "mib", "only"],
  default: { rounds: "3", mib: "1024", only: Object.keys(PEERS).join() },
});
const names = String(flags.only).split(",");
const rounds: Round[] = [];
for (let i = 0; i < Number(flags.rounds); i++) {
  const round: Round = {};
  for (const name of names) {
    say(Deno.stderr, `round ${i + 1}: ${name}\n`);
    round[name] = await measure(name);
  }
  rounds.push(round);
}
say(Deno.stdout, table());
const { imports } = JSON.parse(
  await Deno.readTextFile(`${HERE}/libp2p/deno.json`),
);
await storeResults("", {
  versions: { ...Deno.version, libp2p: Object.values(imports) },
  transferMib: Number(flags.mib),
  rounds,
});

async function measure(name: string): Promise<Partial<Figures>> {
  const size = {
    transferBytes: Number(flags.mib) * 2 ** 20,
    pings: 10_000,
    handshakesMs: 2_000,
    idleSessions: 1_000,
  };
  const figures = {};
  for (const part of MEASURES) {
    try {
      Object.assign(figures, await part(PEERS[name]!, size));
    } catch (error) {
      say(Deno.stderr, `${name} failed: ${error}\n`);
    }
  }
  return figures;
}

function ownPeer(name: string): readonly string[] {
  return deno("--unstable-net", "--no-check", `${HERE}/peer.ts`, name);
}

function table(): string {
  const lines = [["", ...names], ["---", ...names.map(() => "---:")]];
  for (const [title, pick, digits] of ROWS) {
    lines.push([title, ...medians(digits, pick)]);
  }
  for (
    const base of ["tcp", "tls", "libp2p"].filter((name) =>
      names.includes(name)
    )
  ) {
    for (const [title, pick] of [ROWS[0]!, ROWS[4]!]) {
      const ratio: Pick = (f, round) =>
        (pick(f, round) ?? NaN) / (pick(round[base]!, round) ?? NaN);
      lines.push([`${title} / ${base}`, ...medians(2, ratio)]);
    }
  }
  return lines.map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

/** For each peer the median over the rounds in which it did not fail. */
function medians(digits: number, pick: Pick): string[] {
  return names.map((name) => {
    const values = rounds
      .map((round) => pick(round[name]!, round) ?? NaN)
      .filter(Number.isFinite)
      .sort((a, b) => a - b);
    return values[values.length >> 1]?.toFixed(digits) ?? "failed";
  });
}

function say(to: { writeSync(bytes: Uint8Array): number }, text: string): void {
  to.writeSync(new TextEncoder().encode(text));
}
