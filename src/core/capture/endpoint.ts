import { encodeHex, formatIp } from "../bytes/mod.ts";
import type { TransportPacket } from "./decode_packet.ts";

/** One end of a connection. */
export interface Endpoint {
  /** Its IP address as text. */
  readonly address: string;
  /** Its port. */
  readonly port: number;
}

/** Who sent a packet, and who received it. */
export function endpointsOf(
  packet: TransportPacket,
): { readonly source: Endpoint; readonly destination: Endpoint } {
  return {
    source: { address: formatIp(packet.source), port: packet.sourcePort },
    destination: {
      address: formatIp(packet.destination),
      port: packet.destinationPort,
    },
  };
}

/** Names of the packet's flow and of the one in the other direction. */
export function flowsOf(packet: TransportPacket): [string, string] {
  const source = `${encodeHex(packet.source)}:${packet.sourcePort}`;
  const to = `${encodeHex(packet.destination)}:${packet.destinationPort}`;
  return [`${source} ${to}`, `${to} ${source}`];
}
