import { Deadline, systemClock } from "../../src/core/async/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import {
  decodeResponseHead,
  dial,
  encodeRequestHead,
  fieldValue,
  readHead,
} from "../../src/core/transport/mod.ts";
import { htx } from "../../mod.ts";
import { CliError } from "../_error.ts";
import { type Command, command, type Context } from "../_main.ts";
import { table } from "../_table.ts";
import { type CarrierName, dialOptions, readRecord } from "./record.ts";
import { clientKeyPair } from "./keys.ts";
import { stateDirectory } from "./settings.ts";

const USAGE = `
Usage: betanet-htx probe --server <record> [--carrier <name>] [--count <n>]

Looks at a server from both sides: what somebody without a ticket is shown, and how a session with a ticket does.
Exit code 1 if no session can be opened.

  --server <record>   the betanet-record:… text that the server printed, or a file that holds it
  --carrier <name>    tcp, ws or quic (tcp)
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
    count: "string",
    state: "string",
  },
  async run(flags, context) {
    const carrier = (flags.carrier ?? "tcp") as CarrierName;
    if (!["tcp", "ws", "quic"].includes(carrier)) {
      throw new CliError("usage", "Flag --carrier wants tcp, ws or quic");
    }
    const count = Number(flags.count ?? 5);
    if (!Number.isInteger(count) || count < 1 || count > 1_000) {
      throw new CliError("usage", "Flag --count wants 1 to 1000");
    }
    const state = flags.state &&
      `${stateDirectory(flags.state, context)}/client.json`;
    const options = dialOptions(
      readRecord(flags.server),
      carrier,
      clientKeyPair(state),
      defaultProvider(),
    );
    const decoy = carrier === "quic"
      ? undefined
      : await visit(options.address, context);
    const session = await measure(options, count, context);
    const result = { address: options.address, decoy, session };
    context.print(
      result,
      table(["what", "seen"], [
        ["address", options.address],
        ...(decoy
          ? [
            ["without a ticket", `${decoy.status} ${decoy.type}`],
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

/** What a visitor without a ticket is shown. */
async function visit(address: string, { signal }: Context) {
  using deadline = new Deadline(systemClock, TIMEOUT_MS, { signal });
  const startedAtMs = systemClock.now();
  const to = address.replace(/^ws:/, "tcp:");
  await using connection = await dial(to, { signal: deadline.signal });
  deadline.signal.addEventListener("abort", () => connection.close());
  await connection.write(encodeRequestHead({
    method: "GET",
    target: "/",
    fields: [["Host", to.slice("tcp://".length)], ["Connection", "close"]],
  }));
  const { head } = await readHead(connection, decodeResponseHead);
  return {
    status: head.status,
    type: fieldValue(head.fields, "Content-Type") ?? "",
    tookMs: rounded(systemClock.now() - startedAtMs),
  };
}

/** How a session does. */
async function measure(
  options: htx.DialHtxOptions,
  count: number,
  { signal }: Context,
) {
  const startedAtMs = systemClock.now();
  await using session = await htx.dialHtx({ ...options, signal });
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
