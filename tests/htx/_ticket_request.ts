import { type Bytes, concat } from "../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import {
  type Connection,
  encodeRequestHead,
} from "../../src/core/transport/mod.ts";
import { type Carrier, makeTicketRequest } from "../../src/htx/carrier.ts";
import { makeTicket } from "../../src/htx/ticket.ts";
import type { TicketOffer } from "../../src/htx/ticket_policy.ts";

/** What {@link ticketRequest} varies. */
export interface TicketRequestChoice {
  /** Where the ticket goes; in the cookie by default. */
  readonly carrier?: Carrier;
  /** Bits of the accessTicket to flip. */
  readonly damage?: number;
  /** Whether it asks for a WebSocket; not with the carrier `body`. */
  readonly upgrades?: boolean;
}

/** RFC 6455 §1.2. */
const UPGRADE = [["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="]] as const;

/** A request with a fresh ticket as a client with this clock sends it. */
export function ticketRequest(
  offer: TicketOffer,
  wallTimeMs: number,
  { carrier = "cookie", damage = 0, upgrades = false }: TicketRequestChoice =
    {},
): Bytes {
  const payload = makeTicket(nodeProvider, {
    ticketPublicKey: offer.publicKey,
    keyId: offer.keyId,
    wallTimeMs,
  });
  payload[100]! ^= damage;
  const { cookieName } = offer;
  const host = "example.org";
  const { head, body } = makeTicketRequest({
    carrier,
    payload,
    host,
    cookieName,
    ...(upgrades && { upgrade: UPGRADE }),
  });
  return concat(encodeRequestHead(head), body);
}

/** The status of the answer to `request`: 200 if its ticket was taken, 404 if the decoy answered. */
export async function statusOf(
  connecting: Promise<Connection>,
  request: Uint8Array,
): Promise<number> {
  await using connection = await connecting;
  await connection.write(request);
  const buffer = new Uint8Array(64);
  const length = await connection.read(buffer);
  const text = new TextDecoder().decode(buffer.subarray(0, length ?? 0));
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1]);
}
