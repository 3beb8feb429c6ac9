import { assertEquals } from "@std/assert";
import { type Bytes, concat } from "../../src/core/bytes/mod.ts";
import type { AlertName } from "../../src/tls/alert.ts";
import { encodeNewSessionTicket } from "../../src/tls/messages/new_session_ticket.ts";
import { CONTENT_TYPE } from "../../src/tls/record.ts";
import { EXTENSION } from "../../src/utls/mod.ts";
import { assertAlert } from "./_assert_alert.ts";
import { asks } from "./_certificate_request.ts";
import { connectedClient } from "./_connected.ts";

const X = EXTENSION;
const NONE = new Uint8Array(0);

/** What may not follow a handshake: a record's type and content, and the alert. */
const AFTERWARDS: Readonly<Record<string, readonly [AlertName, Bytes]>> = {
  "a ClientHello": ["unexpectedMessage", Uint8Array.of(1, 0, 0, 0)],
  "a second Finished": ["unexpectedMessage", Uint8Array.of(20, 0, 0, 0)],
  "a CertificateRequest": ["unexpectedMessage", Uint8Array.of(13, 0, 0, 0)],
  "a KeyUpdate that asks for 2": [
    "illegalParameter",
    Uint8Array.of(24, 0, 0, 1, 2),
  ],
  "a KeyUpdate of 2 bytes": [
    "decodeError",
    Uint8Array.of(24, 0, 0, 2, 0, 0),
  ],
  "something behind a KeyUpdate": [
    "unexpectedMessage",
    Uint8Array.of(24, 0, 0, 1, 0, 4),
  ],
  "an empty ticket": [
    "decodeError",
    encodeNewSessionTicket({
      lifetimeS: 1,
      ageAdd: 0,
      nonce: NONE,
      ticket: NONE,
      extensions: [],
    }),
  ],
  "a ticket with early_data of 3 bytes": [
    "decodeError",
    ticketWith(X.earlyData, new Uint8Array(3)),
  ],
  "a ticket with early_data of 5 bytes": [
    "decodeError",
    ticketWith(X.earlyData, new Uint8Array(5)),
  ],
  ...Object.fromEntries(
    (["keyShare", "alpn", "serverName", "preSharedKey", "cookie"] as const)
      .map((name) => [
        `a ticket with ${name}`,
        ["illegalParameter", ticketWith(X[name], NONE)],
      ]),
  ),
};

for (const [fault, [alertName, message]] of Object.entries(AFTERWARDS)) {
  Deno.test(`TlsClient answers ${fault} after the handshake with ${alertName}`, () => {
    const { client, server } = connectedClient();
    assertAlert(client, server, alertName, () => {
      client.receive(server.record(CONTENT_TYPE.handshake, message));
    });
  });
}

Deno.test("TlsClient passes over unknown extensions of a CertificateRequest and a ticket", () => {
  const { client, server } = connectedClient(asks({
    0xeeee: NONE,
    [X.compressCertificate]: Uint8Array.of(2, 0, 2),
    [X.certificateAuthorities]: Uint8Array.of(0, 3, 0, 1, 9),
  }));
  const tickets = concat(
    ticketWith(0xeeee, NONE),
    ticketWith(X.earlyData, new Uint8Array(4)),
  );
  client.receive(server.record(CONTENT_TYPE.handshake, tickets));
  assertEquals(client.takeSessions(0).length, 2);
});

function ticketWith(type: number, data: Bytes): Bytes {
  return encodeNewSessionTicket({
    lifetimeS: 1,
    ageAdd: 0,
    nonce: NONE,
    ticket: Uint8Array.of(1),
    extensions: [{ type, data }],
  });
}
