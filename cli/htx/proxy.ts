import { aborted } from "../_aborted.ts";
import { listed, printConfig } from "../_config_file.ts";
import { Deadline, systemClock } from "../../src/core/async/mod.ts";
import { Metrics } from "../../src/core/metrics/mod.ts";
import { listen, type Listener } from "../../src/core/transport/mod.ts";
import { htx } from "../../mod.ts";
import { CliError } from "../_error.ts";
import { type Command, command, type Context } from "../_main.ts";
import { readConfig, tcpAddress } from "./settings.ts";
import { startStatus } from "../_status.ts";
import { type HtxConfig, SCHEMA } from "./config.ts";
import { openRoute } from "./open_route.ts";
import type { Route } from "./route.ts";

type ProxyConfig = HtxConfig["proxy"];

const USAGE = `
Usage: betanet-htx proxy --server <record> [--listen <host:port>] [-L <port:host:port>]… [flags]

Sends SOCKS5 and HTTP clients of this machine through an HTX session; the session is opened when the first client
comes, and again after it ends.

  --config <file>          read htx.toml; flags win over it
  --print-config           print a commented htx.toml with every key and its default
  --server <record>        the betanet-record:… text that the server printed, or a file that holds it
  --carrier <name>         tls, wss, tcp, ws, quic or auto (tls)
  --profile <version>      the Chrome to look like, e.g. 119 (latest)
  --roots <name>           who may vouch for the server: system or a PEM file (system)
  --server-name <name>     name to ask the server for in TLS (that of its address)
  --listen <host:port>     where SOCKS5 and HTTP clients connect (127.0.0.1:1080)
  -L, --forward <spec>     forward [bind:]port to host:port behind the server; may be repeated
  --user <name>            ask clients for this name (with --config: password)
  --state <folder>         keep our key there, so that the server can know us (a new key each run)
  --host <name>            Host of the request that carries the ticket
  --classic                go without ML-KEM-768, until 2026-12-31 only
  --crypto <name>          auto, node, noble or native (auto)
  --status-port <n>        serve /health, /ready, /metrics and a live page on loopback
  --drain <duration>       how long open tunnels may take to end after SIGTERM (10s)

Examples:
  betanet-htx proxy --server server.record
  betanet-htx proxy --server server.record -L 8080:intranet.example:80
  curl --socks5-hostname 127.0.0.1:1080 https://example.org/
  curl -x http://127.0.0.1:1080 https://example.org/
`;

/** Serves local clients until SIGTERM. */
export const proxy: Command = command({
  usage: USAGE,
  flags: {
    config: "string",
    "print-config": "boolean",
    server: "string",
    carrier: "string",
    profile: "string",
    roots: "string",
    "server-name": "string",
    listen: "string",
    forward: "strings",
    user: "string",
    state: "string",
    host: "string",
    classic: "boolean",
    crypto: "string",
    "status-port": "string",
    drain: "string",
  },
  aliases: { L: "forward" },
  async run(flags, context) {
    if (flags["print-config"]) return printConfig(SCHEMA, context);
    const config = readConfig(flags.config, {
      "proxy.server": flags.server,
      "proxy.carrier": flags.carrier,
      "proxy.profile": flags.profile,
      "proxy.roots": flags.roots,
      "proxy.server_name": flags["server-name"],
      "proxy.listen": flags.listen,
      "proxy.forward": listed(flags.forward),
      "proxy.user": flags.user,
      "proxy.state": flags.state,
      "proxy.host": flags.host,
      "proxy.classic": flags.classic ? "true" : undefined,
      "proxy.crypto": flags.crypto,
      "proxy.status.port": flags["status-port"],
      "proxy.drain": flags.drain,
    }).proxy;
    await serve(config, context);
  },
});

async function serve(config: ProxyConfig, context: Context): Promise<void> {
  const { signal, note, print } = context;
  const metrics = new Metrics();
  using route = openRoute(config, context);
  const dialer = openDialer(route, metrics, context);
  const local = new htx.tunnel.LocalProxy(dialer, {
    ...credentialsOf(config),
  });
  const forwards = config.forward.map((spec) => {
    const { listen: address, target } = parseForward(spec);
    return { address, tunnel: new htx.tunnel.LocalForward(dialer, target) };
  });
  const served = [
    { address: tcpAddress(config.listen, "--listen"), tunnel: local },
    ...forwards,
  ];
  using open = new DisposableStack();
  const listeners: Listener[] = [];
  for (const { address } of served) {
    const listener = await listen(address);
    open.defer(() => listener.close());
    listeners.push(listener);
  }
  htx.exposeClient(metrics, {
    dialer,
    tunnels: served.map(({ tunnel }) => tunnel),
  });
  await using status = startStatus({
    name: "betanet-htx proxy",
    listen: config.status,
    metrics,
    health: () => ({ listening: !signal.aborted }),
    ready: () => ({ accepting: !signal.aborted }),
  }, context);
  const stop = new AbortController();
  const serving = Promise.all(
    served.map(({ tunnel }, i) =>
      tunnel.serve(listeners[i]!, { signal: stop.signal })
    ),
  );
  const addresses = listeners.map(({ address }) => address);
  print(
    { addresses, status: status?.address },
    `SOCKS5 and HTTP proxy at ${addresses.join(", ")}`,
  );
  await aborted(signal);
  note(`draining for up to ${config.drain / 1000} s`);
  open.dispose();
  using deadline = new Deadline(systemClock, config.drain);
  deadline.signal.addEventListener("abort", () => stop.abort());
  await serving;
  await dialer.close();
}

/** Opens sessions by `route`; reports the first and every failure. */
function openDialer(
  route: Route,
  metrics: Metrics,
  { log }: Context,
): htx.SessionDialer {
  const { address } = route;
  const { onHandshake, onRoundTrip } = htx.latencyHooks(metrics);
  return new htx.SessionDialer(async (signal) => {
    const startedAtMs = systemClock.now();
    try {
      const session = await route.dial({ onRoundTrip, signal });
      onHandshake(systemClock.now() - startedAtMs);
      log.info("htx.session_opened", { address });
      return session;
    } catch (error) {
      log.warn("htx.session_failed", { address, error });
      throw error;
    }
  });
}

function credentialsOf(
  { user, password }: ProxyConfig,
): { credentials?: htx.tunnel.Credentials } {
  if (user === undefined && password === undefined) return {};
  if (user === undefined || password === undefined) {
    throw new CliError("usage", "proxy.user and proxy.password go together");
  }
  return { credentials: { username: user, password } };
}

function parseForward(spec: string): htx.tunnel.LocalForwardSpec {
  try {
    return htx.tunnel.parseLocalForward(spec);
  } catch (cause) {
    throw new CliError("usage", "-L wants [bind:]port:host:port", { cause });
  }
}
