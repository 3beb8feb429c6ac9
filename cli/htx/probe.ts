import { Deadline, systemClock } from "../../src/core/async/mod.ts";
import {
  decodeResponseHead,
  dial,
  encodeRequestHead,
  fieldValue,
  readHead,
} from "../../src/core/transport/mod.ts";
import { CliError } from "../_error.ts";
import { type Command, command, type Context } from "../_main.ts";
import { table } from "../_table.ts";
import { openRoute } from "./open_route.ts";
import type { Route } from "./route.ts";
import { readConfig } from "./settings.ts";

const USAGE = `
Usage: betanet-htx probe --server <record> [--carrier <name>] [--count <n>]

Looks at a server from both sides: what somebody without a ticket is shown, and how a session with a ticket does.
Exit code 1 if no session can be opened.

  --server <record>   the betanet-record:… text that the server printed, or a file that holds it
  --carrier <name>    tls, wss, tcp, ws or quic (tls)
  --profile <version> the Chrome to look like, e.g. 119 (latest)
  --roots <name>      who may vouch for the server: system or a PEM file (system)
  --server-name <name>  name to ask the server for in TLS (that of its address)
  --count <n>         PINGs to send (5)
  --state <folder>    our key, if the server takes known clients only

Examples:
  betanet-htx probe --server server.record
  betanet-htx probe --server server.record --carrier quic --json
`;

const TIMEOUT_MS = 10_000;

/** Probes a server. */
export const probe: Command = command({
  usage: USAGE,
  flags: {
    server: "string",
    carrier: "string",
    profile: "string",
    roots: "string",
    "server-name": "string",
    count: "string",
    state: "string",
  },
  async run(flags, context) {
    const count = Number(flags.count ?? 5);
    if (!Number.isInteger(count) || count < 1 || count > 1_000) {
      throw new CliError("usage", "Flag --count wants 1 to 1000");
    }
    const config = readConfig(undefined, {
      "proxy.server": flags.server,
      "proxy.carrier": flags.carrier,
      "proxy.profile": flags.profile,
      "proxy.roots": flags.roots,
      "proxy.server_name": flags["server-name"],
      "proxy.state": flags.state,
    }).proxy;
    using route = openRoute(config, context);
    const decoy = await visit(route, context);
    const session = await measure(route, count, context);
    const { address } = route;
    context.print(
      { address, decoy, session },
      table(["what", "seen"], [
        ["address", address],
        ...(decoy
          ? [
            ["without a ticket", `${decoy.status} ${decoy.type}`],
            ["over", decoy.protocol],
            ["answered in", `${decoy.tookMs} ms`],
          ]
          : []),
        ["session in", `${session.openedMs} ms`],
        ["round trip p50", `${session.p50Ms} ms`],
        ["round trip p95", `${session.p95Ms} ms`],
      ]),
    );
  },
});

/** What a visitor without a ticket is shown; QUIC has nobody to ask, as we speak no HTTP/3. */
async function visit(route: Route, { signal }: Context) {
  if (route.address.startsWith("quic:")) return undefined;
  using deadline = new Deadline(systemClock, TIMEOUT_MS, { signal });
  const startedAtMs = systemClock.now();
  const seen = await route.visitPage(deadline) ??
    await visitPlainly(route.address, deadline.signal);
  return { ...seen, tookMs: rounded(systemClock.now() - startedAtMs) };
}

async function visitPlainly(address: string, signal: AbortSignal) {
  const to = address.replace(/^ws:/, "tcp:");
  await using connection = await dial(to, { signal });
  signal.addEventListener("abort", () => connection.close());
  await connection.write(encodeRequestHead({
    method: "GET",
    target: "/",
    fields: [["Host", to.slice("tcp://".length)], ["Connection", "close"]],
  }));
  const { head } = await readHead(connection, decodeResponseHead);
  const type = fieldValue(head.fields, "Content-Type") ?? "";
  return { status: head.status, type, protocol: "http/1.1" };
}

/** How a session does. */
async function measure(
  route: Route,
  count: number,
  { signal }: Context,
) {
  const startedAtMs = systemClock.now();
  await using session = await route.dial({ signal });
  const openedMs = rounded(systemClock.now() - startedAtMs);
  const times: number[] = [];
  // A server that refuses our key may still answer what came before it knew the key.
  await session.ping();
  for (let i = 0; i < count; i++) times.push(await session.ping());
  times.sort((a, b) => a - b);
  const at = (share: number) =>
    rounded(times[Math.ceil(share * times.length) - 1]!);
  return { openedMs, p50Ms: at(0.5), p95Ms: at(0.95) };
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
