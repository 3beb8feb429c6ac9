import { parseSize } from "../src/core/config/mod.ts";
import { defaultProvider } from "../src/core/crypto/mod.ts";
import { CliError } from "./_error.ts";
import { type Command, command, type Context } from "./_main.ts";
import { formatBytes } from "./_progress.ts";
import { MAX_RESOURCE_BYTES } from "./demo/content.ts";
import {
  download,
  type Plan,
  planDownloads,
  totalBytes,
} from "./demo/downloads.ts";
import {
  type Counts,
  type Figures,
  figuresTable,
  type Latency,
  measureLatency,
  readCounts,
  requirePassage,
} from "./demo/figures.ts";
import { mixnetTable, runMixnet } from "./demo/mixnet.ts";
import { serveOrigin } from "./demo/origin.ts";
import { startTunnel } from "./demo/tunnel.ts";
import { step, tellWhatTheySaid } from "./demo/step.ts";
import type { CarrierName } from "./htx/address_for.ts";

const USAGE = `
Usage: betanet demo [--stage <name>] [--carrier <name>] [--size <bytes>] [--pages <n>]

Shows on this machine what the programs do, each as a process of its own. Exit code 0 only if all came as it should.

tunnel  A web server, an HTX server and an HTX proxy: the demo downloads a file and many small pages through them, checks
        every SHA-256 against what it computed itself, and prints what the processes counted.
mixnet  An authority, two gateways and three mixes: Alice sends Bob an anonymous message, Bob replies through ways back
        that it enclosed, and the nodes say how long they held packets and how well they mixed them.

  --stage <name>     tunnel, mixnet or all (all)
  --carrier <name>   tls, wss, tcp, ws, quic, or all of them in turn (tls)
  --size <bytes>     size of the file (256MiB)
  --pages <n>        number of pages of 1 to 64 KiB (300)
  --origin <seed>    be the web server; the demo starts it so

Examples:
  betanet demo
  betanet demo --stage tunnel --carrier all --size 64MiB
  betanet demo --stage mixnet
`;

const MAX_PAGES = 10_000;
const CARRIERS: readonly CarrierName[] = ["tls", "wss", "tcp", "ws", "quic"];

/** Real traffic through a tunnel and a mixnet, for everybody to see. */
export const demo: Command = command({
  usage: USAGE,
  flags: {
    stage: "string",
    carrier: "string",
    size: "string",
    pages: "string",
    origin: "string",
  },
  async run(flags, context) {
    if (flags.origin !== undefined) return serveOrigin(flags.origin, context);
    const stages = stagesOf(flags.stage ?? "all");
    const carriers = carriersOf(flags.carrier ?? "tls");
    const fileBytes = sizeOf(flags.size ?? "256MiB");
    const pageCount = countOf(flags.pages ?? "300");
    try {
      const tunnel = stages.includes("tunnel")
        ? await runTunnels(carriers, { fileBytes, pageCount }, context)
        : undefined;
      const mixnet = stages.includes("mixnet")
        ? await runMixnet(context)
        : undefined;
      const shown = [
        ...tunnel ? [figuresTable(tunnel)] : [],
        ...mixnet ? [mixnetTable(mixnet)] : [],
      ];
      context.print(
        { ...tunnel && { carriers: tunnel }, ...mixnet && { mixnet } },
        shown.join("\n\n"),
      );
    } catch (error) {
      context.signal.throwIfAborted();
      throw error;
    }
  },
});

async function runTunnels(
  carriers: readonly CarrierName[],
  { fileBytes, pageCount }: {
    readonly fileBytes: number;
    readonly pageCount: number;
  },
  context: Context,
): Promise<Figures[]> {
  const { note, signal } = context;
  const size = formatBytes(fileBytes);
  note(
    `This starts a web server, an HTX server and an HTX proxy on this machine, downloads ${size} and ${pageCount} pages ` +
      `through them over ${carriers.join(", ")}, and checks every SHA-256.`,
  );
  const seed = defaultProvider().random(32);
  const plan = await planDownloads(seed, { fileBytes, pageCount, signal });
  step(context, "computed the SHA-256 of what must come");
  const figures: Figures[] = [];
  for (const carrier of carriers) {
    figures.push(await runOne(carrier, seed, plan, context));
  }
  return figures;
}

async function runOne(
  carrier: CarrierName,
  seed: Uint8Array,
  plan: Plan,
  context: Context,
): Promise<Figures> {
  const { signal } = context;
  await using tunnel = await startTunnel({
    carrier,
    seed,
    step: (line) => step(context, line),
    signal,
  });
  try {
    const transfer = await download(plan, tunnel, context);
    step(context, `${checkedText(plan)} as they must be`);
    const counts = await readCounts(tunnel, { signal });
    requirePassage(transfer, counts);
    step(context, passageText(counts));
    const latency = await measureLatency(carrier, tunnel, { signal });
    step(context, latencyText(latency));
    return { carrier, ...transfer, ...counts, ...latency };
  } catch (error) {
    if (!signal.aborted) tellWhatTheySaid(tunnel.children, context);
    throw error;
  }
}

function checkedText({ file, pages }: Plan): string {
  const all = [file, ...pages];
  const hashes = all.reduce((sum, { digests }) => sum + digests.length, 0);
  return `${
    totalBytes(all)
  } bytes in ${all.length} downloads, ${hashes} SHA-256`;
}

function passageText(counts: Counts): string {
  const { serverBytesOut, proxyBytesIn, frames } = counts;
  return `${serverBytesOut} bytes left the HTX server, ${proxyBytesIn} reached the proxy, in ${frames} frames`;
}

function latencyText({ decoy, rttP50Ms }: Latency): string {
  const seen = `a probe with a ticket sees round trips of ${rttP50Ms} ms`;
  if (!decoy) return seen;
  const { status, type, protocol } = decoy;
  return `${seen}, without one the decoy site over ${protocol}: ${status} ${type}`;
}

function stagesOf(text: string): readonly string[] {
  if (text === "all") return ["tunnel", "mixnet"];
  if (text === "tunnel" || text === "mixnet") return [text];
  throw new CliError("usage", "Flag --stage wants tunnel, mixnet or all");
}

function carriersOf(text: string): readonly CarrierName[] {
  if (text === "all") return CARRIERS;
  const found = CARRIERS.filter((carrier) => carrier === text);
  if (found.length > 0) return found;
  throw new CliError(
    "usage",
    "Flag --carrier wants tls, wss, tcp, ws, quic or all",
  );
}

function sizeOf(text: string): number {
  try {
    const bytes = parseSize(text);
    if (bytes > 0 && bytes <= MAX_RESOURCE_BYTES) return bytes;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error; // said below
  }
  throw new CliError("usage", `Flag --size wants 1B to 16GiB, got "${text}"`);
}

function countOf(text: string): number {
  const count = Number(text);
  if (/^\d{1,5}$/.test(text) && count > 0 && count <= MAX_PAGES) {
    return count;
  }
  throw new CliError(
    "usage",
    `Flag --pages wants 1 to ${MAX_PAGES}, got "${text}"`,
  );
}
