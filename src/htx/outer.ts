import type { Bytes } from "../core/bytes/mod.ts";
import type { CryptoProvider } from "../core/crypto/mod.ts";
import {
  type Address,
  clientWebSocket,
  type Connection,
  decodeResponseHead,
  encodeRequestHead,
  fieldValue,
  type HttpFields,
  parseAddress,
  readHead,
  type ResponseHead,
  TransportError,
} from "../core/transport/mod.ts";
import { type Carrier, CARRIERS, makeTicketRequest } from "./carrier.ts";
import type { Profile } from "../utls/mod.ts";
import type { OriginTraits } from "./calibration.ts";
import { HtxError } from "./error.ts";
import { drawCarrier, type TicketOffer } from "./ticket_policy.ts";

/** What a client presents to be admitted. */
export interface Visit {
  /** Where the server is. */
  readonly address: Address;
  /** The `Host` to ask for, e.g. `example.org`. */
  readonly host: string;
  /** The path to ask for. */
  readonly path: string;
  /** What the server publishes about its tickets. */
  readonly offer: TicketOffer;
  /** The ticket's payload. */
  readonly ticket: Bytes;
  /** The browser to look like; the newest known by default. */
  readonly profile?: Profile;
  /** The request waits for it, what comes before does not; if it rejects, so does the outer. */
  readonly start?: Promise<unknown>;
  /** What the origin showed in pre-flights, which the server has to show too. */
  readonly samples?: readonly OriginTraits[];
}

/** A connection whose server accepted our ticket: what follows on it is the inner handshake. */
export interface Admission {
  /** The connection. */
  readonly connection: Connection;
  /** Bytes that arrived behind the server's answer. */
  readonly leftover: Uint8Array;
  /** The secure channel below, if `dialHtx` has not dialled it itself. */
  readonly channel?: Pick<Connection, "datagrams" | "exportKeyingMaterial">;
}

/**
 * One way to present a ticket over an open connection: the port that outer camouflage implements.
 *
 * It rejects with {@link HtxError} `refused` if the server shows its decoy.
 */
export type Outer = (
  connection: Connection,
  visit: Visit,
  crypto: CryptoProvider,
) => Promise<Admission>;

/** The media type of the answer whose body is the session. */
export const SESSION_MEDIA_TYPE = "application/octet-stream";

/** The way of `address`: WebSocket for `ws:`, else plain HTTP. */
export function outerFor(address: Address): Outer {
  return parseAddress(address).scheme === "ws" ? webSocketOuter : plainOuter;
}

/** HTTP/1.1 whose answer has no length: everything behind its head is the session. */
export async function plainOuter(
  connection: Connection,
  visit: Visit,
  crypto: CryptoProvider,
): Promise<Admission> {
  const { head, body } = request(
    visit,
    drawCarrier(crypto, visit.offer.policy),
  );
  await visit.start;
  await connection.write(encodeRequestHead(head));
  await connection.write(body);
  const answer = await readHead(connection, decodeResponseHead);
  if (!isAdmission(answer.head)) throw refused();
  return { connection, leftover: answer.leftover };
}

/** WebSocket (RFC 6455), whose messages carry the session. */
export async function webSocketOuter(
  connection: Connection,
  visit: Visit,
  crypto: CryptoProvider,
): Promise<Admission> {
  const among = CARRIERS.filter((carrier) => carrier !== "body");
  const carrier = drawCarrier(crypto, visit.offer.policy, among);
  await visit.start;
  try {
    const socket = await clientWebSocket(connection, {
      host: visit.host,
      path: visit.path,
      random: (length) => crypto.random(length),
      arrange: ({ fields }) => request(visit, carrier, fields).head,
    });
    return { connection: socket, leftover: new Uint8Array(0) };
  } catch (cause) {
    if (!(cause instanceof TransportError)) throw cause;
    throw cause.code === "unreachable" ? refused({ cause }) : cause;
  }
}

function request(visit: Visit, carrier: Carrier, upgrade?: HttpFields) {
  return makeTicketRequest({
    carrier,
    ...(upgrade && { upgrade }),
    ...(visit.profile && { profile: visit.profile }),
    payload: visit.ticket,
    host: visit.host,
    path: visit.path,
    cookieName: visit.offer.cookieName,
  });
}

function isAdmission({ status, fields }: ResponseHead): boolean {
  return status === 200 &&
    fieldValue(fields, "Content-Type") === SESSION_MEDIA_TYPE &&
    fieldValue(fields, "Content-Length") === undefined &&
    fieldValue(fields, "Transfer-Encoding") === undefined;
}

/** What a client learns whose ticket was not taken. */
export function refused(options?: ErrorOptions): HtxError {
  return new HtxError(
    "refused",
    "Server shows its decoy: wrong ticket key, a clock off by an hour, or too many tickets",
    options,
  );
}
