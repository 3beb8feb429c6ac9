import { type Address, parseAddress } from "../../src/core/transport/mod.ts";
import {
  type ContactListener,
  type ConvergenceLayer,
  HttpLayer,
  MtcpLayer,
  TcpclLayer,
  UdpLayer,
} from "../../src/dtn/mod.ts";
import { CliError } from "../_error.ts";
import type { Context } from "../_main.ts";
import { isHtx } from "../htx/htx_address.ts";
import type { DtnNodeConfig } from "./config.ts";
import { isMix, schemeOf } from "./addresses.ts";
import { secureOf } from "./tls_secure.ts";
import { type HtxParts, type OpenHtx, openHtx } from "./open_htx.ts";
import { openMix } from "./open_mix.ts";

/** The convergence layers of a node. */
export interface Layers extends AsyncDisposable {
  /** That of the neighbour at `address`. */
  of(address: Address): ConvergenceLayer;
  /**
   * Listens everywhere that `node.listen` says, once.
   *
   * @throws {CliError} If an address cannot be listened at.
   */
  listen(): Promise<Listening>;
}

/** Where a node listens. */
export interface Listening {
  /** What takes contacts. */
  readonly listeners: readonly {
    readonly listener: ContactListener;
    /** What of `node.listen` it is for, or the first of these. */
    readonly address: Address;
  }[];
  /** In the order of `node.listen`, with the ports that the system chose. */
  readonly addresses: readonly Address[];
}

/**
 * Makes the convergence layers that `config` describes.
 *
 * @throws {CliError} As {@link openHtx}.
 */
export async function openLayers(
  config: DtnNodeConfig,
  parts: HtxParts,
  context: Pick<Context, "env" | "log" | "note" | "signal">,
): Promise<Layers> {
  const { listen, peers } = config.node;
  const tcpcl = tcpclLayer(config, context);
  const usesHtx = listen.some(isHtx) ||
    peers.some(({ address }) => isHtx(address));
  const htx = usesHtx ? await openHtx(config, parts, context) : undefined;
  await using opened = new AsyncDisposableStack();
  if (htx) opened.use(htx);
  const mix = await openMix(config, parts, context);
  if (mix) opened.use(mix);
  const layers = {
    tcpcl,
    htx: htx?.layer,
    mix: mix?.layer,
  };
  const of = (address: Address) => layerOf(address, layers);
  const wanted = mix ? [...listen, mix.layer.address] : listen;
  const closing = opened.move();
  return {
    of,
    listen: () => listenAll(wanted, of, htx),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** What carries the layer's bytes, as transports name it. */
export function carrierOf(address: Address): Address {
  return address.replace(/^(?:tcpcl|mtcp|http):/, "tcp:");
}

function layerOf(
  address: Address,
  { tcpcl, htx, mix }: {
    readonly tcpcl: TcpclLayer;
    readonly htx: ConvergenceLayer | undefined;
    readonly mix: ConvergenceLayer | undefined;
  },
): ConvergenceLayer {
  if (isMix(address)) return mix!;
  switch (parseAddress(address).scheme) {
    case "mtcp":
      return new MtcpLayer();
    case "udp":
      return new UdpLayer();
    case "http":
      return new HttpLayer();
    case "htx":
      return htx!;
  }
  return tcpcl;
}

function tcpclLayer(
  { node: { id, lenient }, tls }: DtnNodeConfig,
  context: Pick<Context, "log">,
): TcpclLayer {
  const secure = secureOf(tls, context);
  return new TcpclLayer({
    nodeId: `${id}`,
    ignorePeerTransferMru: lenient,
    ...secure && { secure, requireTls: tls.required },
  });
}

async function listenAll(
  wanted: readonly Address[],
  of: (address: Address) => ConvergenceLayer,
  htx: OpenHtx | undefined,
): Promise<Listening> {
  await using opened = new AsyncDisposableStack();
  const listeners: { listener: ContactListener; address: Address }[] = [];
  const addresses: Address[] = [];
  const behindHtx = htx?.addresses.values();
  for (const address of wanted) {
    const scheme = schemeOf(address);
    const known = isHtx(address) ? behindHtx!.next().value : undefined;
    // One listener takes the sessions of all addresses of HTX.
    if (!known || known === htx!.addresses[0]) {
      const listener = await of(address).listen(carrierOf(address))
        .catch((cause) => {
          throw new CliError("failed", `Cannot listen at ${address}`, {
            cause,
          });
        });
      opened.use(listener);
      listeners.push({ listener, address });
    }
    addresses.push(
      known ?? listeners.at(-1)!.listener.address.replace(/^[a-z]+/, scheme),
    );
  }
  opened.move();
  return { listeners, addresses };
}
