import { systemClock } from "../../src/core/async/mod.ts";
import { htx } from "../../mod.ts";
import { CliError } from "../_error.ts";
import { type Command, command } from "../_main.ts";
import { openRoute } from "./open_route.ts";
import { readConfig } from "./settings.ts";

const USAGE = `
Usage: betanet-htx client --server <record> [flags] <host:port>

Joins stdin and stdout to a target behind the server, as netcat does.

  --config <file>     read [proxy] of htx.toml; flags win over it
  --server <record>   the betanet-record:… text that the server printed, or a file that holds it
  --carrier <name>    tls, wss, tcp, ws, quic or auto (tls)
  --state <folder>    keep our key there, so that the server can know us (a new key each run)
  --crypto <name>     auto, node, noble or native (auto)

Examples:
  betanet-htx client --server server.record example.org:80 < request.txt
  ssh -o ProxyCommand='betanet-htx client --quiet --server server.record %h:%p' me@example.org
`;

/** Pipes stdin and stdout through a session. */
export const client: Command = command({
  usage: USAGE,
  flags: {
    config: "string",
    server: "string",
    carrier: "string",
    state: "string",
    crypto: "string",
  },
  operands: [1, 1],
  async run(flags, context) {
    const { signal, stdin, stdout, note, operands } = context;
    const config = readConfig(flags.config, {
      "proxy.server": flags.server,
      "proxy.carrier": flags.carrier,
      "proxy.state": flags.state,
      "proxy.crypto": flags.crypto,
    }).proxy;
    const target = parseTarget(operands[0]!);
    using route = openRoute(config, context);
    const startedAtMs = systemClock.now();
    await using session = await route.dial({ signal });
    const tookMs = Math.round(systemClock.now() - startedAtMs);
    const { carrier } = config;
    const to = carrier === "auto" ? session.remoteAddress : route.address;
    note(`session to ${to} in ${tookMs} ms`);
    using progress = context.progress("received");
    const result = await htx.tunnel.pipe(session, target, {
      readable: stdin,
      writable: stdout,
    }, {
      signal,
      onBytes: (direction, bytes) => {
        if (direction === "down") progress.advance(bytes);
      },
    });
    if (result.reason === "aborted") throw signal.reason;
    if (result.reason !== "finished") {
      throw new CliError("failed", `The tunnel ended: ${result.reason}`, {
        cause: result.cause,
      });
    }
  },
});

function parseTarget(text: string): htx.tunnel.Target {
  const target = htx.tunnel.parseTarget(text);
  if (target) return target;
  throw new CliError("usage", `Want a target host:port, got "${text}"`);
}
