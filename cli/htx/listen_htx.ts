import type { Address, Listener } from "../../src/core/transport/mod.ts";
import { listenTls, type TlsListener } from "../../src/tls/mod.ts";
import { htx } from "../../mod.ts";
import type { Context } from "../_main.ts";
import type { BehindHtxConfig } from "./behind_htx.ts";
import { exposeCertificate, type ServerKeys } from "./keys.ts";
import { listenAt } from "./listen_at.ts";
import {
  type CarrierTlsOptions,
  type HtxServerParts,
  openHtxServer,
} from "./open_htx_server.ts";
import { readCertificate } from "./read_certificate.ts";

/** Parts of {@link listenHtx}. */
export interface ListenHtxParts
  extends Omit<HtxServerParts<HtxListeners>, "config" | "listen"> {
  /** What is behind the addresses. */
  readonly config: BehindHtxConfig;
  /** Whether to listen for QUIC too, on the UDP ports of the same numbers. Default false. */
  readonly quic?: boolean;
}

/** A server at `htx:` addresses. */
export interface HtxDoor extends AsyncDisposable {
  /** Takes sessions there. */
  readonly server: htx.HtxServer;
  /** Where it listens, `htx:` addresses with the ports that the system chose. */
  readonly addresses: readonly Address[];
}

/** What listens. */
interface HtxListeners {
  readonly all: readonly Listener[];
  readonly tls: readonly TlsListener[];
}

/**
 * Listens at `htx:` addresses; whoever has no ticket sees the decoy there.
 *
 * @throws {CliError} If the certificate or the decoy do not hold, or an address cannot be listened at.
 */
export async function listenHtx(
  addresses: readonly Address[],
  { quic = false, ...parts }: ListenHtxParts,
  context: Pick<Context, "log" | "signal">,
): Promise<HtxDoor> {
  const { config, section, keys, metrics } = parts;
  const opened = await openHtxServer({
    ...parts,
    listen: ({ importKey, ...options }) => {
      const certificate = readCertificate(config, section, keys, importKey);
      const tls = { ...options, certificates: [certificate] };
      return listenAll(addresses, tls, quic ? keys : undefined);
    },
  }, context);
  const { server, gate, decoy, listeners: { tls } } = opened;
  htx.exposeServer(metrics, { server, gate, decoy, tls });
  return {
    server,
    addresses: tls.map(({ address }) => address.replace(/^tcp:/, "htx:")),
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

async function listenAll(
  addresses: readonly Address[],
  options: Omit<CarrierTlsOptions, "importKey"> & {
    readonly certificates: Parameters<typeof listenTls>[1]["certificates"];
  },
  quicKeys: ServerKeys | undefined,
): Promise<HtxListeners> {
  await using opened = new AsyncDisposableStack();
  const tls: TlsListener[] = [];
  const quic: Listener[] = [];
  for (const address of addresses) {
    const listener = opened.use(listenTls(await listenAt(address), options));
    tls.push(listener);
    if (!quicKeys) continue;
    quic.push(opened.use(
      await listenAt(listener.address.replace(/^tcp:/, "quic:"), {
        certificate: exposeCertificate(quicKeys.certificate),
        alpnProtocols: ["h3"],
      }),
    ));
  }
  opened.move();
  return { all: [...tls, ...quic], tls };
}
