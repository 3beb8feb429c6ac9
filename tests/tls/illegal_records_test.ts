import { assertEquals } from "@std/assert";
import { type Bytes, concat } from "../../src/core/bytes/mod.ts";
import type { TlsEndpoint } from "../../src/tls/endpoint.ts";
import { HANDSHAKE_TYPE as H } from "../../src/tls/messages/handshake_type.ts";
import { type AlertName, TlsError } from "../../src/tls/mod.ts";
import {
  CONTENT_TYPE as T,
  type ContentType,
  MAX_RECORD_CONTENT,
  RECORD_VERSION,
  writeRecordHeader,
} from "../../src/tls/record.ts";
import {
  alertOf,
  alertSent,
  asItIs,
  EditedClient,
  EditedServer,
  handshake,
} from "./_edited_peer.ts";
import { connect, newClient, newServer, offersOf } from "./_tls_pair.ts";

const NOTHING = new Uint8Array(0);
const CCS = plain(T.changeCipherSpec, Uint8Array.of(1));
const TICKET = handshake(
  H.newSessionTicket,
  concat(new Uint8Array(8), Uint8Array.of(0, 0, 1, 9, 0, 0)),
);

/** What a peer puts in the place of the first bytes it sends. */
const FIRST: Record<string, [(bytes: Bytes) => Uint8Array, AlertName]> = {
  "record of an unknown type": [
    () => plain(24 as ContentType, NOTHING),
    "unexpectedMessage",
  ],
  "record of type 0": [
    () => plain(0 as ContentType, NOTHING),
    "unexpectedMessage",
  ],
  "record above 16 KiB": [
    () => header(T.handshake, MAX_RECORD_CONTENT + 1),
    "recordOverflow",
  ],
  "empty handshake record": [
    () => plain(T.handshake, NOTHING),
    "unexpectedMessage",
  ],
  "handshake message begun and empty record": [
    (bytes) =>
      concat(
        plain(T.handshake, bytes.subarray(5, 9)),
        plain(T.handshake, NOTHING),
      ),
    "unexpectedMessage",
  ],
  "application data before keys": [
    () => plain(T.applicationData, new Uint8Array(32)),
    "unexpectedMessage",
  ],
  "empty application data before keys": [
    () => plain(T.applicationData, NOTHING),
    "unexpectedMessage",
  ],
  "change_cipher_spec of 2": [
    () => plain(T.changeCipherSpec, Uint8Array.of(2)),
    "unexpectedMessage",
  ],
  "change_cipher_spec of two bytes": [
    () => plain(T.changeCipherSpec, Uint8Array.of(1, 1)),
    "unexpectedMessage",
  ],
  "empty change_cipher_spec": [
    () => plain(T.changeCipherSpec, NOTHING),
    "unexpectedMessage",
  ],
  "empty alert": [() => plain(T.alert, NOTHING), "unexpectedMessage"],
  "alert of one byte": [
    () => plain(T.alert, Uint8Array.of(2)),
    "decodeError",
  ],
  "alert of three bytes": [
    () => plain(T.alert, Uint8Array.of(2, 40, 0)),
    "decodeError",
  ],
  "alert within a handshake message": [
    (bytes) =>
      concat(
        plain(T.handshake, bytes.subarray(5, 9)),
        plain(T.alert, Uint8Array.of(2, 40)),
      ),
    "unexpectedMessage",
  ],
  "five warnings": [
    () => concat(...Array(5).fill(plain(T.alert, Uint8Array.of(1, 90)))),
    "unexpectedMessage",
  ],
  "message above 16 KiB": [
    (bytes) => plain(T.handshake, Uint8Array.of(bytes[5]!, 0, 0x40, 1)),
    "illegalParameter",
  ],
};

for (const [what, [change, alert]] of Object.entries(FIRST)) {
  const first = (bytes: Bytes, i: number) => i === 0 ? change(bytes) : bytes;
  Deno.test(`TlsServer answers a first ${what} with ${alert}`, () => {
    using server = newServer();
    using client = newClient();
    assertEquals(alertOf(server, client, first), alert);
  });

  Deno.test(`TlsClient answers a first ${what} with ${alert}`, () => {
    using server = newServer();
    using client = newClient();
    server.receive(client.takeOutput());
    // the server has changed keys, and cannot read an alert in the clear
    const bytes = change(server.takeOutput());
    assertEquals(alertThrown(() => client.receive(bytes)), alert);
  });
}

type Peer = EditedClient | EditedServer;

/** What a peer sends when the handshake is over. */
const LATER: Record<string, [(peer: Peer) => Uint8Array, AlertName]> = {
  "record in the clear": [
    () => plain(T.handshake, TICKET),
    "unexpectedMessage",
  ],
  "alert in the clear": [
    () => plain(T.alert, Uint8Array.of(2, 40)),
    "unexpectedMessage",
  ],
  "close_notify in the clear": [
    () => plain(T.alert, Uint8Array.of(1, 0)),
    "unexpectedMessage",
  ],
  "record with a bit changed": [
    (peer) => {
      const record = peer.record(T.applicationData, Uint8Array.of(1));
      record[record.length - 1]! ^= 1;
      return record;
    },
    "badRecordMac",
  ],
  "record with its header changed": [
    (peer) => {
      const record = peer.record(T.applicationData, Uint8Array.of(1));
      record[2]! ^= 1;
      return record;
    },
    "badRecordMac",
  ],
  "record twice": [
    (peer) => {
      const record = peer.record(T.applicationData, Uint8Array.of(1));
      return concat(record, record);
    },
    "badRecordMac",
  ],
  "record out of order": [
    (peer) => {
      peer.record(T.applicationData, Uint8Array.of(1));
      return peer.record(T.applicationData, Uint8Array.of(2));
    },
    "badRecordMac",
  ],
  "record shorter than a tag": [
    () => plain(T.applicationData, new Uint8Array(15)),
    "badRecordMac",
  ],
  "record of no bytes": [
    () => plain(T.applicationData, NOTHING),
    "badRecordMac",
  ],
  "record above 16 KiB and 256 bytes": [
    () => header(T.applicationData, MAX_RECORD_CONTENT + 257),
    "recordOverflow",
  ],
  "record of zeros only": [
    (peer) => peer.record(0 as ContentType, new Uint8Array(9)),
    "unexpectedMessage",
  ],
  "record of an unknown type": [
    (peer) => peer.record(99 as ContentType, Uint8Array.of(1)),
    "unexpectedMessage",
  ],
  "change_cipher_spec": [() => CCS, "unexpectedMessage"],
  "empty handshake record": [
    (peer) => peer.record(T.handshake, NOTHING),
    "unexpectedMessage",
  ],
  "empty alert": [
    (peer) => peer.record(T.alert, NOTHING),
    "unexpectedMessage",
  ],
  "data within a handshake message": [
    (peer) =>
      concat(
        peer.record(T.handshake, TICKET.subarray(0, 5)),
        peer.record(T.applicationData, Uint8Array.of(1)),
      ),
    "unexpectedMessage",
  ],
  "KeyUpdate of 2": [
    (peer) => peer.record(T.handshake, keyUpdate(2)),
    "illegalParameter",
  ],
  "KeyUpdate of two bytes": [
    (peer) => peer.record(T.handshake, keyUpdate(0, 0)),
    "decodeError",
  ],
  "KeyUpdate of none": [
    (peer) => peer.record(T.handshake, keyUpdate()),
    "decodeError",
  ],
  "message behind a KeyUpdate": [
    (peer) => peer.record(T.handshake, concat(keyUpdate(0), keyUpdate(0))),
    "unexpectedMessage",
  ],
  "33rd KeyUpdate": [
    (peer) => {
      const updates = Array.from({ length: 33 }, () => {
        peer.updateKeys(false);
        return peer.takeOutput();
      });
      return concat(...updates);
    },
    "unexpectedMessage",
  ],
  "33rd empty record": [
    (peer) =>
      concat(
        ...Array.from(
          { length: 33 },
          () => peer.record(T.applicationData, NOTHING),
        ),
      ),
    "unexpectedMessage",
  ],
  "fifth warning": [
    (peer) =>
      concat(
        ...Array.from(
          { length: 5 },
          () => peer.record(T.alert, Uint8Array.of(1, 90)),
        ),
      ),
    "unexpectedMessage",
  ],
  "ClientHello": [
    (peer) => peer.record(T.handshake, handshake(H.clientHello, NOTHING)),
    "unexpectedMessage",
  ],
  "Finished": [
    (peer) => peer.record(T.handshake, handshake(H.finished, NOTHING)),
    "unexpectedMessage",
  ],
  "CertificateRequest": [
    (peer) =>
      peer.record(T.handshake, handshake(H.certificateRequest, NOTHING)),
    "unexpectedMessage",
  ],
  "message of an unknown type": [
    (peer) => peer.record(T.handshake, handshake(99, NOTHING)),
    "unexpectedMessage",
  ],
};

for (const [what, [bytes, alert]] of Object.entries(LATER)) {
  for (const victimIsServer of [true, false]) {
    const name = victimIsServer ? "TlsServer" : "TlsClient";
    Deno.test(`${name} answers a later ${what} with ${alert}`, () => {
      using client = new EditedClient(asItIs, offersOf());
      using server = new EditedServer(asItIs);
      connect(client, server);
      const [victim, peer] = victimIsServer
        ? [server, client]
        : [client, server];
      assertEquals(alertFor(victim, peer, bytes(peer)), alert);
    });
  }
}

/** What only one side may send, or may not send so. */
const TICKETS: Record<string, [Uint8Array, AlertName]> = {
  "without a ticket": [
    concat(new Uint8Array(8), Uint8Array.of(0, 0, 0, 0, 0)),
    "decodeError",
  ],
  "cut short": [new Uint8Array(8), "decodeError"],
  "with a byte behind": [
    concat(TICKET.subarray(4), Uint8Array.of(0)),
    "decodeError",
  ],
};

for (const [what, [body, alert]] of Object.entries(TICKETS)) {
  Deno.test(`TlsClient answers a NewSessionTicket ${what} with ${alert}`, () => {
    using client = new EditedClient(asItIs, offersOf());
    using server = new EditedServer(asItIs);
    connect(client, server);
    const record = server.record(
      T.handshake,
      handshake(H.newSessionTicket, body),
    );
    assertEquals(alertFor(client, server, record), alert);
  });
}

Deno.test("TlsServer answers a NewSessionTicket with unexpectedMessage", () => {
  using client = new EditedClient(asItIs, offersOf());
  using server = new EditedServer(asItIs);
  connect(client, server);
  const record = client.record(T.handshake, TICKET);
  assertEquals(alertFor(server, client, record), "unexpectedMessage");
});

Deno.test("TlsServer and TlsClient take 32 change_cipher_spec records in the handshake, and no more", () => {
  for (
    const [count, alert] of [[31, undefined], [
      32,
      "unexpectedMessage",
    ]] as const
  ) {
    const many = Array<Bytes>(count).fill(CCS);
    const behindFirst = (bytes: Bytes, i: number) =>
      i === 0 ? concat(bytes, ...many) : bytes;
    using server = newServer();
    using client = newClient();
    assertEquals(alertOf(server, client, behindFirst), alert);
  }
});

Deno.test("TlsServer answers a change_cipher_spec before the ClientHello with unexpectedMessage", () => { // §5
  using server = newServer();
  using client = newClient();
  const before = (bytes: Bytes) => concat(CCS, bytes);
  assertEquals(alertOf(server, client, before), "unexpectedMessage");
});

Deno.test("TlsClient and TlsServer shake hands over records of one byte", () => {
  using server = newServer();
  using client = newClient();
  const hello = client.takeOutput().subarray(5);
  for (const byte of hello) {
    server.receive(plain(T.handshake, Uint8Array.of(byte)));
  }
  client.receive(server.takeOutput());
  client.accept();
  server.receive(client.takeOutput());
  assertEquals(server.agreement?.resumed, false);
});

Deno.test("TlsClient answers a message behind the ServerHello in its record with unexpectedMessage", () => { // §5.1
  using server = newServer();
  using client = newClient();
  server.receive(client.takeOutput());
  const flight = server.takeOutput();
  const length = flight[3]! << 8 | flight[4]!;
  const both = concat(flight.subarray(5, 5 + length), handshake(8, NOTHING));
  const record = plain(T.handshake, both);
  assertEquals(alertThrown(() => client.receive(record)), "unexpectedMessage");
});

Deno.test("TlsClient answers records of a flight in another order with badRecordMac", () => {
  using server = newServer();
  using client = newClient();
  server.receive(client.takeOutput());
  const [hello, ccs, extensions, certificate] = split(server.takeOutput());
  client.receive(concat(hello!, ccs!));
  const swapped = concat(certificate!, extensions!);
  assertEquals(alertThrown(() => client.receive(swapped)), "badRecordMac");
});

Deno.test("TlsServer answers a record under the keys of the handshake after it with badRecordMac", () => {
  using server = newServer();
  using client = newClient();
  server.receive(client.takeOutput());
  client.receive(server.takeOutput());
  client.accept();
  const [, finished] = split(client.takeOutput());
  server.receive(finished!);
  assertEquals(alertThrown(() => server.receive(finished!)), "badRecordMac");
});

Deno.test("TlsServer answers application data under the keys of the handshake with unexpectedMessage", () => {
  using server = newServer();
  using client = new EditedClient((message) => {
    if (message[0] === H.finished) {
      early = client.record(T.applicationData, Uint8Array.of(1));
    }
    return [message];
  }, offersOf());
  let early: Bytes | undefined;
  server.receive(client.takeOutput());
  client.receive(server.takeOutput());
  client.accept();
  assertEquals(alertThrown(() => server.receive(early!)), "unexpectedMessage");
});

Deno.test("TlsServer and TlsClient give out data before a fault, and nothing behind it", () => {
  using client = new EditedClient(asItIs, offersOf());
  using server = new EditedServer(asItIs);
  connect(client, server);
  const bytes = concat(
    client.record(T.applicationData, Uint8Array.of(1)),
    CCS,
    client.record(T.applicationData, Uint8Array.of(2)),
  );
  assertEquals(alertFor(server, client, bytes), "unexpectedMessage");
  assertEquals(server.takeData(), [Uint8Array.of(1)]);
  assertEquals(alertThrown(() => server.receive(CCS)), "unexpectedMessage");
});

/** The alert that `victim` sends after `bytes` of `peer`. */
function alertFor(
  victim: TlsEndpoint,
  peer: TlsEndpoint,
  bytes: Uint8Array,
): AlertName | undefined {
  try {
    victim.receive(bytes);
    return undefined;
  } catch (error) {
    return alertSent(victim, peer, error);
  }
}

function alertThrown(act: () => void): AlertName | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (!(error instanceof TlsError)) throw error;
    return error.alert;
  }
}

function split(bytes: Bytes): Bytes[] {
  const records: Bytes[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 5 + (bytes[at + 3]! << 8 | bytes[at + 4]!);
    records.push(bytes.slice(at, end));
    at = end;
  }
  return records;
}

function keyUpdate(...body: readonly number[]): Bytes {
  return handshake(H.keyUpdate, new Uint8Array(body));
}

/** A record in the clear. */
function plain(type: ContentType, content: Uint8Array): Bytes {
  return concat(header(type, content.length), content);
}

function header(type: ContentType, length: number): Bytes {
  const header = new Uint8Array(5);
  writeRecordHeader(header, 0, type, RECORD_VERSION, length);
  return header;
}
