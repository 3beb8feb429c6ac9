/**
 * Byte connections over TCP, WebSocket, QUIC and memory, behind one {@link Transport}.
 *
 * @module
 */
export { type AddressParts, formatAddress, parseAddress } from "./address.ts";
export type {
  Address,
  Connection,
  Datagrams,
  DialOptions,
  Listener,
  Transport,
} from "./connection.ts";
export { TransportError, type TransportErrorCode } from "./error.ts";
export {
  type Decoded,
  decodeRequestHead,
  decodeResponseHead,
  encodeRequestHead,
  encodeResponseHead,
  fieldValue,
  HTTP_HEAD_LIMIT,
  type HttpFields,
  type RequestHead,
  type ResponseHead,
} from "./http_head.ts";
export { MemoryNetwork, type MemoryNetworkOptions } from "./memory.ts";
export { readableOf, writableOf } from "./stream_view.ts";
export {
  dialTcp,
  listenTcp,
  tcp,
  TcpListener,
  type TcpListenerOptions,
} from "./tcp.ts";
