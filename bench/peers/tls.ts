/**
 * TLS of this repository beside Node's (OpenSSL), Deno's (rustls) and lemon-tls: each as client and as server of another
 * one, in processes of their own on loopback, in interleaved rounds.
 *
 * `deno run -A --unstable-net bench/peers/tls.ts [--rounds n] [--mib n] [--ms n] [--only name,name] [--against name]`
 * prints a Markdown table of medians and writes every round to `bench/results/<date>-<cpu>-tls.json`. It needs Linux on
 * x64, and npm once. `BETANET_LIBCRYPTO` is a file of OpenSSL 3 to take instead of the system's.
 *
 * What counts is the processor time of the one process, as the other side differs; every connection carries 64 bytes there
 * and back, every transfer is checked by its receiver.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { selfSigned } from "../../src/core/transport/mod.ts";
import { installNodePeers, NODE } from "./_node_peers.ts";
import { PeerPair } from "./_peer_pair.ts";
import { type Command, deno } from "./_peer_process.ts";
import { storeResults } from "./_store_results.ts";
import type { Connections } from "./_workload.ts";

/** Figures of one implementation; what it cannot do is absent. */
type Figures = Record<string, number>;

const HERE = import.meta.dirname!;
const PEERS: Readonly<Record<string, Command>> = {
  "betanet": ownPeer("betanet"),
  "betanet-native": ownPeer("betanet-native"),
  "node": [NODE, "--expose-gc", `${HERE}/tls/node_peer.ts`, "node:tls"],
  "deno": ownPeer("tls"),
  "lemon": [NODE, "--expose-gc", `${HERE}/tls/node_peer.ts`, "lemon-tls"],
};

/** Kinds of connection, with what a client has to know for them. */
const KINDS = {
  "X25519MLKEM768": {},
  "X25519": { isClassic: true },
  "resumed": { resume: true },
} as const;
type Kind = keyof typeof KINDS;

const flags = parseArgs(Deno.args, {
  string: ["rounds", "mib", "ms", "only", "against"],
  default: {
    rounds: "3",
    mib: "512",
    ms: "2000",
    only: Object.keys(PEERS).join(),
    against: "node",
  },
});
const names = String(flags.only).split(",");
const other = PEERS[flags.against]!;
const bytes = Number(flags.mib) * 2 ** 20;
const certificate = await selfSigned({ names: ["localhost"] });
installNodePeers();
const rounds: Record<string, Figures>[] = [];
for (let i = 0; i < Number(flags.rounds); i++) {
  const round: Record<string, Figures> = {};
  for (const name of names) {
    say(Deno.stderr, `round ${i + 1}: ${name}\n`);
    round[name] = await measure(PEERS[name]!);
  }
  rounds.push(round);
}
say(Deno.stdout, table());
await storeResults("-tls", {
  versions: Deno.version,
  transferMib: Number(flags.mib),
  against: flags.against,
  rounds,
});

async function measure(command: Command): Promise<Figures> {
  const figures: Figures = {};
  await attempt(async () => {
    const { mbPerS, clientCpuS, serverCpuS } = await transfer(command, command);
    figures["both ends, MB/s"] = mbPerS;
    figures["sender, CPU s/GB"] = clientCpuS / bytes * 1e9;
    figures["receiver, CPU s/GB"] = serverCpuS / bytes * 1e9;
  });
  for (const kind of Object.keys(KINDS) as Kind[]) {
    await attempt(async () => {
      const { clientCpuMs, perS } = await connect(kind, command, other);
      figures[`client, ${kind}, CPU ms`] = clientCpuMs;
      figures[`client, ${kind}, 1/s`] = perS;
    });
    await attempt(async () => {
      const { serverCpuMs, perS } = await connect(kind, other, command);
      figures[`server, ${kind}, CPU ms`] = serverCpuMs;
      figures[`server, ${kind}, 1/s`] = perS;
    });
  }
  return figures;
}

async function transfer(client: Command, server: Command) {
  await using pair = await PeerPair.start(client, server, certificate, {});
  await pair.client.ask("transfer", { bytes: 2 ** 25, whole: true });
  const before = pair.cpuS;
  const tookMs = await pair.client.ask("transfer", { bytes, whole: false });
  const [clientCpuS, serverCpuS] = pair.cpuSince(before);
  return { mbPerS: bytes / 1e3 / Number(tookMs), clientCpuS, serverCpuS };
}

async function connect(kind: Kind, client: Command, server: Command) {
  await using pair = await PeerPair.start(
    client,
    server,
    certificate,
    KINDS[kind],
  );
  const work = { inFlight: 4, ms: Number(flags.ms) };
  await pair.client.ask("connections", work);
  const before = pair.cpuS;
  const { count, perS, resumed } = await pair.client.ask(
    "connections",
    work,
  ) as Connections;
  const [clientCpuS, serverCpuS] = pair.cpuSince(before);
  if (resumed !== (kind === "resumed" ? count : 0)) {
    throw new Error(`${resumed} of ${count} connections were resumed`);
  }
  const perConnectionMs = 1e3 / count;
  return {
    perS,
    clientCpuMs: clientCpuS * perConnectionMs,
    serverCpuMs: serverCpuS * perConnectionMs,
  };
}

/** What an implementation cannot do is left out of the table. */
async function attempt(step: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (error) {
    say(Deno.stderr, `  ${error}\n`);
  }
}

function table(): string {
  const titles = new Set(
    rounds.flatMap((round) => Object.values(round).flatMap(Object.keys)),
  );
  const lines = [["", ...names], ["---", ...names.map(() => "---:")]];
  for (const title of titles) {
    lines.push([title, ...names.map((name) => median(name, title))]);
  }
  return lines.map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

function median(name: string, title: string): string {
  const values = rounds
    .map((round) => round[name]![title] ?? NaN)
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  return values[values.length >> 1]?.toPrecision(3) ?? "";
}

function ownPeer(name: string): Command {
  return deno("--unstable-net", "--no-check", `${HERE}/peer.ts`, name);
}

function say(to: { writeSync(bytes: Uint8Array): number }, text: string): void {
  to.writeSync(new TextEncoder().encode(text));
}
