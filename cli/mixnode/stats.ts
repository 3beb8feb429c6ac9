import { systemClock } from "../../src/core/async/mod.ts";
import { concat } from "../../src/core/bytes/mod.ts";
import { TransportError } from "../../src/core/transport/mod.ts";
import { CliError } from "../_error.ts";
import { httpGet } from "../_http_get.ts";
import { type Command, command } from "../_main.ts";
import { table } from "../_table.ts";
import { type MetricSample, parseExposition } from "./parse_exposition.ts";
import { readMixnodeConfig } from "./settings.ts";

const USAGE = `
Usage: betanet-mixnode stats [--config <file>] [--status <host:port>]

Asks a running node what it has done: packets, drops by reason, anonymity, loops, links, HTX. The node must serve its status, as
node.status.port or --status-port says.

  --config <file>        mixnode.toml by default
  --status <host:port>   where its status is (node.status)
  --all                  also what is zero

Examples:
  betanet-mixnode stats --status 127.0.0.1:9101
  betanet-mixnode stats --json
`;

/** Prints the numbers of a running node. */
export const stats: Command = command({
  usage: USAGE,
  flags: { config: "string", status: "string", all: "boolean" },
  async run(flags, context) {
    const where = flags.status ?? configured(flags.config);
    const text = await metricsAt(where, context.signal);
    const samples = parseExposition(text)
      .filter(({ name }) => /^(?:mixnet|htx)_/.test(name));
    const values = Object.fromEntries(
      samples.map((sample) => [keyOf(sample), sample.value]),
    );
    const rows = samples.filter(({ name, value }) =>
      !name.endsWith("_bucket") && (flags.all || value !== 0)
    ).map((sample) => [titleOf(sample), rounded(sample.value)]);
    const at = new Date(systemClock.wallTime()).toISOString();
    context.print({ at, ...values }, table(["metric", "value"], rows));
  },
});

function configured(path: string | undefined): string {
  const { host, port } = readMixnodeConfig(path).node.status;
  if (port !== undefined && port !== 0) return `${host}:${port}`;
  throw new CliError("usage", "node.status.port does not say where to ask", {
    hint: "Set it and start the node again, or give --status.",
  });
}

async function metricsAt(where: string, signal: AbortSignal): Promise<string> {
  try {
    const parts: Uint8Array[] = [];
    for await (const part of httpGet(`http://${where}/metrics`, { signal })) {
      parts.push(part.slice());
    }
    return new TextDecoder().decode(concat(...parts));
  } catch (cause) {
    if (!(cause instanceof TransportError || cause instanceof TypeError)) {
      throw cause;
    }
    throw new CliError("failed", `Nothing answers at ${where}`, {
      cause,
      hint: "Is the node running, with --status-port?",
    });
  }
}

function keyOf({ name, labels }: MetricSample): string {
  const of = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return of.length === 0 ? name : `${name}{${of.join(",")}}`;
}

function titleOf({ name, labels }: MetricSample): string {
  return [
    name.replace(/^mixnet_/, "").replaceAll("_", " "),
    ...Object.values(labels),
  ]
    .join(" ");
}

function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
