import { defaultProvider } from "../../src/core/crypto/mod.ts";
import type { Context } from "../_main.ts";
import { formatBytes } from "../_progress.ts";
import type { CarrierName } from "../htx/address_for.ts";
import { download, type Plan, planDownloads, totalBytes } from "./downloads.ts";
import {
  type Counts,
  type Figures,
  type Latency,
  measureLatency,
  readCounts,
  requirePassage,
} from "./figures.ts";
import { step, tellWhatTheySaid } from "./step.ts";
import { startTunnel } from "./tunnel.ts";

/** Shows downloads through a tunnel over each of `carriers`. */
export async function runTunnels(
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
