import type { Clock } from "../async/mod.ts";
import type { Bytes } from "../bytes/mod.ts";
import { formatAddress, parseAddress } from "./address.ts";
import type {
  Address,
  Connection,
  DialOptions,
  Transport,
} from "./connection.ts";
import { TransportError } from "./error.ts";
import { HandshakeListener } from "./handshake_listener.ts";
import {
  decodeRequestHead,
  decodeResponseHead,
  encodeRequestHead,
  encodeResponseHead,
  type HttpFields,
  type RequestHead,
} from "./http_head.ts";
import { type ReadHead, readHead } from "./read_head.ts";
import { dialTcp, listenTcp } from "./tcp.ts";
import {
  WebSocketConnection,
  type WebSocketOptions,
} from "./websocket_connection.ts";
import {
  checkUpgradeResponse,
  isWebSocketUpgrade,
  upgradeRequest,
  upgradeResponse,
} from "./websocket_upgrade.ts";

/**
 * WebSocket (RFC 6455) over TCP: `ws://host:port/path`, each write of up to 64 KiB one binary message.
 *
 * A close frame with code 1000 ends one side, as `closeWrite` does; the other may go on, which RFC 6455 §5.5.1 allows
 * but implementations other than this one do not use: they answer at once.
 * `close` sends code 1001 if the connection takes it at once; the peer reads that, any other code and a connection
 * that ends without a close frame as `reset`.
 */
export const ws: Transport = {
  scheme: "ws",
  dial: dialWebSocket,
  listen: (address) => Promise.resolve().then(() => listenWebSocket(address)),
};

/** Options of {@link clientWebSocket}. */
export interface ClientWebSocketOptions extends WebSocketOptions, DialOptions {
  /** The request's `Host`: a name, and `:port` unless it is the scheme's own. */
  readonly host: string;
  /** The request's target, such as `/path?query`. */
  readonly path: string;
  /** Further header fields, such as cookies. */
  readonly fields?: HttpFields;
  /** Draws unpredictable bytes for the nonce and the masking keys. */
  readonly random: (byteLength: number) => Bytes;
  /** Gives the request its final form, which must keep the fields of the handshake; as it is if not given. */
  readonly arrange?: (request: RequestHead) => RequestHead;
}

/**
 * Opens a WebSocket over `connection`, which it takes over and closes if it fails.
 *
 * @throws {TransportError} `unreachable` if the server answers with another status than 101, `malformed` if its answer
 *   does not fit, `reset` if the connection breaks.
 * @throws The reason of the signal.
 */
export async function clientWebSocket(
  connection: Connection,
  options: ClientWebSocketOptions,
): Promise<Connection> {
  const { host, path, fields = [], random, signal } = options;
  const plain = upgradeRequest({ host, path, fields, nonce: random(16) });
  const request = options.arrange?.(plain) ?? plain;
  return await orClose(connection, signal, async () => {
    await connection.write(encodeRequestHead(request));
    const { head, leftover } = await readHead(connection, decodeResponseHead);
    await checkUpgradeResponse(request, head);
    return new WebSocketConnection(connection, {
      ...webSocketAddresses(connection, { remotePath: path }),
      ...options,
      leftover,
    });
  });
}

/** Options of {@link acceptWebSocket}. */
export interface AcceptWebSocketOptions extends WebSocketOptions {
  /** Further header fields of the answer. */
  readonly fields?: HttpFields;
}

/**
 * Answers a request that {@link isWebSocketUpgrade}, already read from `connection`, with 101.
 *
 * @throws {TypeError} If the request is not for a WebSocket.
 * @throws {TransportError} If the connection breaks.
 */
export async function acceptWebSocket(
  connection: Connection,
  { head, leftover }: ReadHead<RequestHead>,
  options: AcceptWebSocketOptions = {},
): Promise<Connection> {
  if (!isWebSocketUpgrade(head)) {
    throw new TypeError("Want a request for a WebSocket");
  }
  const response = await upgradeResponse(head, options.fields ?? []);
  await connection.write(encodeResponseHead(response));
  return new WebSocketConnection(connection, {
    ...webSocketAddresses(connection, { localPath: head.target }),
    ...options,
    leftover,
  });
}

/**
 * Connects to `ws://host:port/path`.
 *
 * @throws As {@link dialTcp} and {@link clientWebSocket}.
 */
export async function dialWebSocket(
  address: Address,
  options: DialOptions & WebSocketOptions = {},
): Promise<Connection> {
  const parts = parseAddress(address);
  const connection = await dialTcp(address, options);
  return await clientWebSocket(connection, {
    host: formatAddress({ ...parts, path: "" }).slice("ws://".length),
    path: parts.path || "/",
    random: (byteLength) => crypto.getRandomValues(new Uint8Array(byteLength)),
    ...options,
  });
}

/** Options of {@link listenWebSocket}. */
export interface WebSocketListenerOptions extends WebSocketOptions {
  /** Times handshakes, which may take 10 s; the machine's clock if not given. */
  readonly clock?: Clock;
}

/**
 * Listens at `ws://host:port/path`; other paths and other requests get 404.
 *
 * @throws As {@link listenTcp}.
 */
export function listenWebSocket(
  address: Address,
  options: WebSocketListenerOptions = {},
): HandshakeListener<Connection> {
  const { path, scheme } = parseAddress(address);
  const listener = listenTcp(address, options);
  return new HandshakeListener({
    address: formatAddress({ ...parseAddress(listener.address), scheme, path }),
    arrivals: listener,
    handshake: (connection: Connection, signal) =>
      acceptAt(path || "/", connection, signal, options),
    close: () => listener.close(),
  }, options.clock);
}

async function acceptAt(
  path: string,
  connection: Connection,
  signal: AbortSignal,
  options: WebSocketOptions,
): Promise<Connection> {
  return await orClose(connection, signal, async () => {
    const request = await readHead(connection, decodeRequestHead);
    if (request.head.target === path && isWebSocketUpgrade(request.head)) {
      return await acceptWebSocket(connection, request, options);
    }
    await connection.write(encodeResponseHead(NOT_FOUND));
    throw new TransportError("malformed", "Want a request for a WebSocket");
  });
}

const NOT_FOUND = {
  status: 404,
  reason: "Not Found",
  fields: [["Content-Length", "0"], ["Connection", "close"]],
} as const;

/** Runs `handshake`; closes `connection` if it fails or the signal aborts it. */
async function orClose<T>(
  connection: Connection,
  signal: AbortSignal | undefined,
  handshake: () => Promise<T>,
): Promise<T> {
  const onAbort = () => connection.close();
  try {
    signal?.throwIfAborted();
    signal?.addEventListener("abort", onAbort, { once: true });
    return await handshake();
  } catch (error) {
    connection.close();
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

function webSocketAddresses(
  connection: Connection,
  { localPath = "", remotePath = "" },
): Pick<Connection, "localAddress" | "remoteAddress"> {
  const from = (address: Address, path: string) =>
    address.replace(/^[a-z0-9]+/, "ws") + path;
  return {
    localAddress: from(connection.localAddress, localPath),
    remoteAddress: from(connection.remoteAddress, remotePath),
  };
}
