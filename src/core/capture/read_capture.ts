import { DecodeError } from "../bytes/mod.ts";
import {
  decodePacket,
  type NoTransport,
  type TransportPacket,
} from "./decode_packet.ts";
import { type CapturedPacket, isPcap, readPcap } from "./pcap.ts";
import { isPcapng, readPcapng } from "./pcapng.ts";

/** Why a part of a capture file gave no packet of TCP or UDP. */
export type CaptureDrop =
  | NoTransport // a packet of another link type or protocol, or a fragment
  | "malformed" // a packet whose headers do not decode, or that was cut before its end
  | "truncated"; // the packet in which the file ends

/** Whether `file` starts as a pcap or pcapng file does. */
export function isCapture(file: Uint8Array): boolean {
  return isPcapng(file) || isPcap(file);
}

/**
 * What TCP and UDP carry in the pcap or pcapng file `capture`; `drop` counts the rest.
 *
 * @throws {DecodeError} If the file is neither, or damaged.
 */
export function* readCapture(
  capture: Uint8Array,
  drop: (reason: CaptureDrop) => void,
): Generator<
  { readonly captured: CapturedPacket; readonly packet: TransportPacket }
> {
  for (const captured of readPackets(capture, () => drop("truncated"))) {
    let packet: TransportPacket | NoTransport;
    try {
      packet = decodePacket(captured);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      drop("malformed");
      continue;
    }
    if (typeof packet === "string") drop(packet);
    else yield { captured, packet };
  }
}

function readPackets(
  capture: Uint8Array,
  onTruncated: () => void,
): Iterable<CapturedPacket> {
  if (isPcapng(capture)) return readPcapng(capture, onTruncated);
  if (isPcap(capture)) return readPcap(capture, onTruncated);
  throw new DecodeError("capture", "neither pcap nor pcapng");
}
