/**
 * Capture files: what TCP and UDP carry in pcap and pcapng, and streams put in order.
 *
 * @module
 */
export {
  IP_PROTOCOL,
  type NoTransport,
  type TransportPacket,
} from "./decode_packet.ts";
export { type Endpoint, endpointsOf, flowsOf } from "./endpoint.ts";
export { FlowTable, MAX_FLOWS } from "./flow_table.ts";
export type { CapturedPacket } from "./pcap.ts";
export {
  MAX_PENDING_BYTES,
  MAX_PENDING_PIECES,
  Reassembly,
} from "./reassembly.ts";
export { type CaptureDrop, isCapture, readCapture } from "./read_capture.ts";
