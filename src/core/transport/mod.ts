/**
 * Byte connections over TCP, WebSocket, QUIC and memory, behind one {@link Transport}; datagrams over UDP.
 *
 * @module
 */
export { type AddressParts, formatAddress, parseAddress } from "./address.ts";
export { ByteConnection } from "./byte_connection.ts";
export type {
  Address,
  Connection,
  Datagrams,
  DialOptions,
  Listener,
  Transport,
} from "./connection.ts";
export { dial, listen, type TransportOptions } from "./dial.ts";
export { TransportError, type TransportErrorCode } from "./error.ts";
export {
  type Closeable,
  HandshakeListener,
  type HandshakeSource,
} from "./handshake_listener.ts";
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
export {
  HTTP_DRAIN_MS,
  type HttpHandler,
  type HttpServer,
  serveHttp,
  type ServeHttpOptions,
} from "./http_serve.ts";
export { loopbackRefusal, type RequestRefusal } from "./loopback_only.ts";
export {
  type MessageEvents,
  type MessagePeer,
  upgradeToMessages,
} from "./message_socket.ts";
export { MemoryNetwork, type MemoryNetworkOptions } from "./memory.ts";
export {
  dialQuic,
  listenQuic,
  quic,
  type QuicByteConnection,
  type QuicDialOptions,
  type QuicListenOptions,
  type QuicOptions,
} from "./quic.ts";
export {
  QUIC_CLOSE,
  type QuicClose,
  QuicConnection,
} from "./quic_connection.ts";
export { readBody } from "./read_body.ts";
export { type ReadHead, readHead } from "./read_head.ts";
export {
  type CertificatePem,
  selfSigned,
  type SelfSignedOptions,
} from "./self_signed.ts";
export { readableOf, writableOf } from "./stream_view.ts";
export {
  dialTcp,
  listenTcp,
  tcp,
  TcpListener,
  type TcpListenerOptions,
} from "./tcp.ts";
export {
  acceptWebSocket,
  type AcceptWebSocketOptions,
  clientWebSocket,
  type ClientWebSocketOptions,
  dialWebSocket,
  listenWebSocket,
  type WebSocketListenerOptions,
  ws,
} from "./websocket.ts";
export type { WebSocketOptions } from "./websocket_connection.ts";
export { isWebSocketUpgrade } from "./websocket_upgrade.ts";
export { resolveHost } from "./resolve.ts";
export {
  bindUdp,
  type Datagram,
  type DatagramSocket,
  MAX_DATAGRAM_BYTES,
} from "./udp.ts";
