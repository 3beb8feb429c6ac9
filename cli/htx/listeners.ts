import {
  type Address,
  formatAddress,
  listen,
  type Listener,
  parseAddress,
} from "../../src/core/transport/mod.ts";
import { listenTls, type TlsListener } from "../../src/tls/mod.ts";
import { CliError } from "../_error.ts";
import type { HtxConfig } from "./config.ts";
import { exposeCertificate, type ServerKeys } from "./keys.ts";
import type { CarrierTlsOptions } from "./open_htx_server.ts";
import { readCertificate } from "./read_certificate.ts";

type ServerConfig = HtxConfig["server"];

/** Where a server listens. */
export interface Listeners {
  /** One for each kind of carrier. */
  readonly all: readonly Listener[];
  /** That of TLS. */
  readonly tls: TlsListener | undefined;
  /** Their addresses as clients dial them, the best first. */
  readonly addresses: readonly Address[];
}

/**
 * Listens for every carrier.
 *
 * @throws {CliError} If a certificate does not hold, or QUIC cannot listen.
 */
export async function openListeners(
  config: ServerConfig,
  keys: ServerKeys,
  { importKey, ...tlsOptions }: CarrierTlsOptions,
): Promise<Listeners> {
  await using opened = new AsyncDisposableStack();
  const certificates = config.tls.enabled
    ? [readCertificate(config.tls, "server.tls", keys, importKey)]
    : [];
  const tcp = opened.use(await listen(addressOf("tcp", config, config.port)));
  const tls = config.tls.enabled
    ? opened.use(listenTls(
      await listen(addressOf("tcp", config, config.tls.port)),
      { ...tlsOptions, certificates },
    ))
    : undefined;
  const port = config.quic_port || parseAddress(tcp.address).port;
  const quic = config.quic
    ? opened.use(await listenQuic(addressOf("quic", config, port), keys))
    : undefined;
  opened.move();
  const tlsAddress = tls?.address.replace(/^tcp:/, "tls:");
  return {
    all: [tls, tcp, quic].filter((each) => each !== undefined),
    tls,
    addresses: [tlsAddress, tcp.address, quic?.address]
      .filter((address) => address !== undefined),
  };
}

async function listenQuic(
  address: Address,
  keys: ServerKeys,
): Promise<Listener> {
  try {
    return await listen(address, {
      quic: {
        certificate: exposeCertificate(keys.certificate),
        alpnProtocols: ["h3"],
      },
    });
  } catch (error) {
    const { port } = parseAddress(address);
    throw new CliError("failed", `Cannot listen for QUIC on UDP port ${port}`, {
      cause: error,
      hint: "--no-quic goes without it.",
    });
  }
}

function addressOf(
  scheme: string,
  { host: hostname }: ServerConfig,
  port: number,
): Address {
  return formatAddress({ scheme, hostname, port });
}
