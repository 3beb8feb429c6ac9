import type { Address } from "../../src/core/transport/mod.ts";
import {
  type ConvergenceLayer,
  HttpLayer,
  MtcpLayer,
  TcpclLayer,
  UdpLayer,
} from "../../src/dtn/mod.ts";
import type { DtnConfig } from "./config.ts";

/** The convergence layer of addresses of `scheme`. */
export function layerOf(
  scheme: string,
  { id, lenient }: DtnConfig["node"],
): ConvergenceLayer {
  if (scheme === "mtcp") return new MtcpLayer();
  if (scheme === "udp") return new UdpLayer();
  if (scheme === "http") return new HttpLayer();
  return new TcpclLayer({ nodeId: `${id}`, ignorePeerTransferMru: lenient });
}

/** What carries the layer's bytes, as transports name it. */
export function carrierOf(address: Address): Address {
  return address.replace(/^(?:tcpcl|mtcp|http):/, "tcp:");
}
