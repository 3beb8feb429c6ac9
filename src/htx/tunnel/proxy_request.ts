import { type Bytes, DecodeError } from "../../core/bytes/mod.ts";
import {
  decodeProxyRequest,
  encodeConnectGranted,
  encodeProxyError,
  type ProxyStatus,
} from "./connect.ts";
import type { BufferedDuplex, Duplex } from "../duplex.ts";
import { originResponse, requestBody } from "./http_exchange.ts";
import {
  type Credentials,
  encodeSocks5Reply,
  Socks5Handshake,
} from "./socks5.ts";
import type { OpenReply, Target } from "./target.ts";

/** What a client of the proxy wants, whichever protocol it speaks. */
export interface TunnelRequest {
  /** Where to. */
  readonly target: Target;
  /** First bytes for the target. */
  readonly early?: Bytes;
  /** What to tell the client once the tunnel stands. */
  readonly granted?: Bytes;
  /** What to tell the client if it does not. */
  refused(reply: OpenReply): Bytes;
  /** The client as it is to be spliced. */
  readonly near: Duplex;
  /** The target's stream as it is to be spliced. */
  far(stream: Duplex): Duplex;
}

/** Why a client is turned away before anything is opened, and the last word to it. */
export interface RequestRefusal {
  /** The reason. */
  readonly refusal: "ended" | "malformed" | "unauthorized" | "unsupported";
  /** What to send; nothing if the client would not understand. */
  readonly answer?: Bytes;
}

const STATUS: Readonly<Record<OpenReply, ProxyStatus>> = {
  granted: 502, // never sent
  failed: 502,
  not_allowed: 403,
  network_unreachable: 502,
  host_unreachable: 502,
  refused: 502,
  timeout: 504,
  limit: 503,
};

/**
 * Reads what a client asks for: SOCKS5 if its first byte is 5, HTTP if it is a letter.
 *
 * @throws What reading throws if the connection breaks.
 */
export async function readTunnelRequest(
  client: BufferedDuplex,
  credentials?: Credentials,
): Promise<TunnelRequest | RequestRefusal> {
  if (!await client.fill()) return { refusal: "ended" };
  const first = client.buffered[0]!;
  if (first === 0x05) return await readSocks5(client, credentials);
  const isLetter = (first | 0x20) >= 0x61 && (first | 0x20) <= 0x7a;
  if (isLetter) return await readHttp(client, credentials);
  return { refusal: "malformed" };
}

async function readSocks5(
  client: BufferedDuplex,
  credentials: Credentials | undefined,
): Promise<TunnelRequest | RequestRefusal> {
  const handshake = new Socks5Handshake(credentials);
  try {
    for (;;) {
      const step = await client.take((bytes) => handshake.next(bytes));
      if (!step) return { refusal: "ended" };
      const { target, refusal, send } = step;
      if (target) {
        return {
          target,
          granted: encodeSocks5Reply("granted"),
          refused: encodeSocks5Reply,
          near: client,
          far: (stream) => stream,
        };
      }
      if (refusal) return { refusal, ...(send && { answer: send }) };
      if (send) await client.write(send);
    }
  } catch (error) {
    if (error instanceof DecodeError) return { refusal: "malformed" };
    throw error;
  }
}

async function readHttp(
  client: BufferedDuplex,
  credentials: Credentials | undefined,
): Promise<TunnelRequest | RequestRefusal> {
  try {
    const request = await client.take((bytes) =>
      decodeProxyRequest(bytes, credentials)
    );
    if (!request) return { refusal: "ended" };
    if (request.kind === "unauthorized") {
      const answer = encodeProxyError(407, "credentials wanted");
      return { refusal: "unauthorized", answer };
    }
    const common = { target: request.target, refused: encodeHttpRefusal };
    if (request.kind === "connect") {
      const granted = encodeConnectGranted();
      return { ...common, granted, near: client, far: (stream) => stream };
    }
    return {
      ...common,
      early: request.head,
      near: requestBody(client, request.body),
      far: originResponse,
    };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const answer = encodeProxyError(400, "not a request this proxy serves");
    return { refusal: "malformed", answer };
  }
}

function encodeHttpRefusal(reply: OpenReply): Bytes {
  return encodeProxyError(STATUS[reply], reply.replaceAll("_", " "));
}
