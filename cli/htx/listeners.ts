import { DecodeError } from "../../src/core/bytes/mod.ts";
import { CryptoError } from "../../src/core/crypto/mod.ts";
import { readTextFile } from "../../src/core/storage/mod.ts";
import {
  type Address,
  formatAddress,
  listen,
  type Listener,
  parseAddress,
} from "../../src/core/transport/mod.ts";
import {
  listenTls,
  type ListenTlsOptions,
  type ServerCertificate,
  serverCertificate,
  type ServerCertificateOptions,
  type TlsListener,
} from "../../src/tls/mod.ts";
import { CliError } from "../_error.ts";
import type { HtxConfig } from "./config.ts";
import { exposeCertificate, type ServerKeys } from "./keys.ts";

type ServerConfig = HtxConfig["server"];

type ImportKey = NonNullable<ServerCertificateOptions["importKey"]>;

/** How the carrier on TLS listens, but for the certificate. */
export interface CarrierTlsOptions
  extends Omit<ListenTlsOptions, "certificates"> {
  /** Makes the certificate's key of PKCS #8. */
  readonly importKey: ImportKey;
}

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
    ? [readCertificate(config, keys, importKey)]
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

/** The operator's certificate, or that of the state. */
function readCertificate(
  { tls: { certificate, key } }: ServerConfig,
  keys: ServerKeys,
  importKey: ImportKey,
): ServerCertificate {
  if (certificate === undefined && key === undefined) {
    const { certPem, keyPem } = exposeCertificate(keys.certificate);
    return serverCertificate({ chainPem: certPem, keyPem, importKey });
  }
  if (certificate === undefined || key === undefined) {
    throw new CliError(
      "usage",
      "server.tls.certificate and server.tls.key go together",
    );
  }
  const [chainPem, keyPem] = [readTextFile(certificate), readTextFile(key)];
  try {
    return serverCertificate({ chainPem, keyPem, importKey });
  } catch (cause) {
    const isTheirs = [DecodeError, CryptoError, TypeError, RangeError]
      .some((type) => cause instanceof type);
    if (!isTheirs) throw cause;
    throw new CliError("failed", `Cannot use ${certificate} with ${key}`, {
      cause,
      hint: "openssl pkcs8 -topk8 -nodes -in <key> writes PKCS #8.",
    });
  }
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
