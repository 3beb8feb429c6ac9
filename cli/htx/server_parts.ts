import {
  readFileTree,
  sqliteStore,
  StorageError,
  type Store,
} from "../../src/core/storage/mod.ts";
import {
  listen,
  type Listener,
  parseAddress,
  serveHttp,
} from "../../src/core/transport/mod.ts";
import { htx } from "../../mod.ts";
import { CliError } from "../_error.ts";
import type { HtxConfig } from "./config.ts";
import { exposeCertificate, type ServerKeys } from "./keys.ts";
import { tcpAddress } from "./settings.ts";

type ServerConfig = HtxConfig["server"];

/** Opens the replay memory. */
export function openStore(path: string): Store {
  try {
    return sqliteStore(path);
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    throw new CliError("failed", `Cannot open the replay memory ${path}`, {
      cause: error,
      hint: "Is the folder writable, and is no other server using it?",
    });
  }
}

/** Starts the web server behind the decoy, or names the operator's. */
export function startOrigin(
  decoy: ServerConfig["decoy"],
  keys: ServerKeys,
): AsyncDisposable & { readonly address: string } {
  if (decoy.origin !== undefined) {
    return {
      address: tcpAddress(decoy.origin, "server.decoy.origin"),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  const files = decoy.directory === undefined
    ? htx.placeholderSite(keys.siteSeed.expose())
    : readFileTree(decoy.directory);
  const server = serveHttp(htx.decoySite(files), {
    hostname: "127.0.0.1",
    port: 0,
  });
  return {
    address: server.address.replace(/^http:/, "tcp:"),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
    },
  };
}

/** What clients may reach. */
export function allowList(rules: readonly string[]): htx.tunnel.AllowList {
  try {
    return new htx.tunnel.AllowList(rules);
  } catch (error) {
    throw new CliError("usage", "A rule of the allow-list is wrong", {
      cause: error,
      hint:
        'Write targets as "example.org:443", "*.example.org:443" or "10.0.0.0/8:22".',
    });
  }
}

/** Listens for every carrier. */
export async function openListeners(
  { host, port, quic, quic_port }: ServerConfig,
  keys: ServerKeys,
): Promise<Listener[]> {
  const at = host.includes(":") ? `[${host}]` : host;
  const tcp = await listen(`tcp://${at}:${port}`);
  if (!quic) return [tcp];
  const udp = quic_port || parseAddress(tcp.address).port;
  try {
    return [
      tcp,
      await listen(`quic://${at}:${udp}`, {
        quic: {
          certificate: exposeCertificate(keys.certificate),
          alpnProtocols: ["h3"],
        },
      }),
    ];
  } catch (error) {
    tcp.close();
    throw new CliError("failed", `Cannot listen for QUIC on UDP port ${udp}`, {
      cause: error,
      hint: "--no-quic goes without it.",
    });
  }
}
