import { aborted } from "../_aborted.ts";
import { listed, printConfig } from "../_config_file.ts";
import { Metrics } from "../../src/core/metrics/mod.ts";
import { dial, resolveHost } from "../../src/core/transport/mod.ts";
import { htx } from "../../mod.ts";
import { openCrypto } from "../_crypto.ts";
import { type Command, command, type Context } from "../_main.ts";
import { type HtxConfig, SCHEMA } from "./config.ts";
import { announce, loadKeys, rotate } from "./identity.ts";
import { openListeners } from "./listeners.ts";
import { openHtxServer } from "./open_htx_server.ts";
import { allowList, forwardAll, openStore } from "./server_parts.ts";
import { readConfig, stateDirectory } from "./settings.ts";
import { startStatus } from "../_status.ts";

type ServerConfig = HtxConfig["server"];

const EVERY_MS = 3_600_000;

const USAGE = `
Usage: betanet-htx server [--port <n>] [--allow <target>]… [flags]

Accepts HTX sessions and forwards their streams to allowed targets; whoever has no ticket sees the decoy site.
The first start makes keys (mode 0600) and prints the command that clients use.

  --config <file>          read htx.toml; flags win over it
  --print-config           print a commented htx.toml with every key and its default
  --host <address>         address to listen at (127.0.0.1; 0.0.0.0 for everybody)
  --port <n>               TCP port without TLS, and UDP port of QUIC (9000)
  --tls-port <n>           TCP port for TLS (9443)
  --no-tls                 do not listen for TLS
  --certificate <file>     show this PEM chain, e.g. of Let's Encrypt (self-signed, named in the record)
  --key <file>             its private key, PKCS #8 in PEM
  --no-quic                do not listen for QUIC
  --allow <target>         let clients reach host:port, *.suffix:port, net/bits:port; may be repeated (none)
  --client <key>           take only clients with this public key; may be repeated (all)
  --public <address>       address to publish, e.g. tls://example.org:443; may be repeated
  --decoy-origin <h:p>     web server that visitors without a ticket see; https://h:p for one that speaks TLS
  --decoy-dir <folder>     or a static site for them
  --crypto <name>          auto, node, noble or native (auto)
  --state <folder>         keys and replay memory ($XDG_STATE_HOME/betanet/htx)
  --status-port <n>        serve /health, /ready, /metrics and a live page on loopback
  --drain <duration>       how long open streams may take to end after SIGTERM (10s)

Examples:
  betanet-htx server --port 9000 --allow example.org:443
  betanet-htx server --config htx.toml
`;

/** Serves sessions until SIGTERM. */
export const server: Command = command({
  usage: USAGE,
  flags: {
    config: "string",
    "print-config": "boolean",
    host: "string",
    port: "string",
    "tls-port": "string",
    "no-tls": "boolean",
    certificate: "string",
    key: "string",
    "no-quic": "boolean",
    allow: "strings",
    client: "strings",
    public: "strings",
    "decoy-origin": "string",
    "decoy-dir": "string",
    crypto: "string",
    state: "string",
    "status-port": "string",
    drain: "string",
  },
  async run(flags, context) {
    if (flags["print-config"]) return printConfig(SCHEMA, context);
    const config = readConfig(flags.config, {
      "server.host": flags.host,
      "server.port": flags.port,
      "server.tls.port": flags["tls-port"],
      "server.tls.enabled": flags["no-tls"] ? "false" : undefined,
      "server.tls.certificate": flags.certificate,
      "server.tls.key": flags.key,
      "server.quic": flags["no-quic"] ? "false" : undefined,
      "server.allow": listed(flags.allow),
      "server.clients": listed(flags.client),
      "server.public_addresses": listed(flags.public),
      "server.decoy.origin": flags["decoy-origin"],
      "server.decoy.directory": flags["decoy-dir"],
      "server.crypto": flags.crypto,
      "server.state": flags.state,
      "server.status.port": flags["status-port"],
      "server.drain": flags.drain,
    }).server;
    await serve(config, context);
  },
});

async function serve(config: ServerConfig, context: Context): Promise<void> {
  const { log, signal } = context;
  const state = stateDirectory(config.state, context);
  const keys = await loadKeys(`${state}/server.json`, config.tickets, context);
  using store = openStore(`${state}/replay.sqlite`);
  const crypto = openCrypto(config.crypto, log);
  const metrics = new Metrics();
  const forwarder = new htx.tunnel.Forwarder({
    allow: allowList(config.allow),
    dial,
    resolve: resolveHost,
  });
  await using opened = await openHtxServer({
    ...{ config, keys, store, crypto, metrics, section: "server" },
    options: {
      classic: config.classic,
      ...(config.clients.length > 0 && { clients: config.clients }),
    },
    listen: (options) => openListeners(config, keys, options),
  }, context);
  const { server, gate, decoy, listeners: { tls, addresses } } = opened;
  htx.exposeServer(metrics, {
    ...{ server, gate, decoy, forwarder },
    tls: tls ? [tls] : [],
  });
  await using status = startStatus({
    name: "betanet-htx server",
    listen: config.status,
    metrics,
    health: () => ({ listening: server.addresses.length > 0 }),
    ready: () => ({ accepting: !signal.aborted }),
  }, context);
  const published = {
    ...{ config, keys, addresses, state },
    status: status?.address,
  };
  announce(published, context);
  const rotation = setInterval(() => rotate(published, context), EVERY_MS);
  const serving = forwardAll(server, forwarder);
  await aborted(signal);
  clearInterval(rotation);
  context.note(`draining for up to ${config.drain / 1000} s`);
  await server.close({ drainMs: config.drain, reason: "server stops" });
  await serving;
}
