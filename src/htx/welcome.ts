import type { Clock } from "../core/async/mod.ts";
import type { CryptoProvider } from "../core/crypto/mod.ts";
import {
  acceptWebSocket,
  type Connection,
  encodeResponseHead,
  type HttpFields,
  isWebSocketUpgrade,
  TransportError,
} from "../core/transport/mod.ts";
import type { TicketRequest } from "./carrier.ts";
import type { BufferedDuplex } from "./duplex.ts";
import type { Http2Search } from "./http2_search.ts";
import { type Admission, SESSION_MEDIA_TYPE } from "./outer.ts";
import { ServerStreamPair } from "./stream_pair.ts";

const EMPTY = new Uint8Array(0);

/** A visitor whose ticket is good. */
export interface Guest {
  /** The connection. */
  readonly connection: Connection;
  /** Its reader. */
  readonly visitor: BufferedDuplex;
  /** The request that the ticket came in. */
  readonly request: TicketRequest;
  /** Who has read that, if it came over HTTP/2. */
  readonly search: Http2Search | undefined;
}

/**
 * Answers in the fields that an answer of the built-in site has, but without a length.
 *
 * @throws {TransportError} If the connection breaks, or the visitor has ended the stream of its request by then.
 */
export async function welcome(
  guest: Guest,
  { clock, crypto }: { clock: Clock; crypto: CryptoProvider },
): Promise<Admission> {
  const { connection, visitor, request, search } = guest;
  const fields: HttpFields = [
    ["content-type", SESSION_MEDIA_TYPE],
    ["date", new Date(clock.wallTime()).toUTCString()],
  ];
  if (search) {
    const { http2, streamId, rest: events } = search;
    try {
      http2.respond(streamId, [[":status", "200"], ...fields]);
    } catch (cause) { // what came behind the request ended its stream
      throw new TransportError("reset", "Visitor has left", { cause });
    }
    await connection.write(http2.takeOutgoing()!);
    const init = {
      connection,
      http2,
      downlink: streamId,
      events,
      clock,
      crypto,
    };
    return { connection: new ServerStreamPair(init), leftover: EMPTY };
  }
  visitor.skip(request.length);
  const leftover = visitor.buffered;
  const { head } = request;
  if (isWebSocketUpgrade(head)) {
    return {
      connection: await acceptWebSocket(connection, { head, leftover }),
      leftover: EMPTY,
    };
  }
  await connection.write(
    encodeResponseHead({ status: 200, reason: "OK", fields }),
  );
  return { connection, leftover };
}
