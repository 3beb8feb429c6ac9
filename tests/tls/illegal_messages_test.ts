import { assertEquals } from "@std/assert";
import { type Bytes, concat } from "../../src/core/bytes/mod.ts";
import { HANDSHAKE_TYPE as H } from "../../src/tls/messages/handshake_type.ts";
import type { AlertName } from "../../src/tls/mod.ts";
import { GROUP } from "../../src/utls/mod.ts";
import {
  alertOf,
  asItIs,
  type Edit,
  EditedClient,
  EditedServer,
  handshake,
  replace,
} from "./_edited_peer.ts";
import { newClient, newServer, offersOf } from "./_tls_pair.ts";

const NOTHING = new Uint8Array(0);
/** The messages of a handshake in which both sides show a certificate, but the first of each side. */
const SERVER_MESSAGES = [
  "encryptedExtensions",
  "certificateRequest",
  "certificate",
  "certificateVerify",
  "finished",
] as const;
const CLIENT_MESSAGES = ["certificate", "finished"] as const;

type Name = keyof typeof H;

/** What can become of any message, and the alerts for it. */
const FAULTS: Record<string, [(message: Bytes) => Uint8Array[], AlertName]> = {
  "is left out": [() => [], "unexpectedMessage"],
  "comes twice": [(message) => [message, message], "unexpectedMessage"],
  "is a byte longer": [
    (message) => [
      handshake(message[0]!, concat(message.subarray(4), Uint8Array.of(0))),
    ],
    "decodeError",
  ],
  "is a byte shorter": [
    (message) => [handshake(message[0]!, message.subarray(4, -1))],
    "decodeError",
  ],
  "is empty": [(message) => [handshake(message[0]!, NOTHING)], "decodeError"],
  "claims 2^24 bytes": [
    (message) => [Uint8Array.of(message[0]!, 255, 255, 255)],
    "illegalParameter",
  ],
};
/** Types that come in no handshake without early data, or at no such place. */
const FOREIGN = {
  HelloRequest: 0,
  ClientHello: H.clientHello,
  ServerHello: H.serverHello,
  NewSessionTicket: H.newSessionTicket,
  EndOfEarlyData: H.endOfEarlyData,
  KeyUpdate: H.keyUpdate,
  "message of type 99": 99,
};

for (const [what, [change, alert]] of Object.entries(FAULTS)) {
  for (const name of SERVER_MESSAGES) {
    const isLast = name === "finished";
    if (name === "certificateRequest" && what === "is left out") continue; // it may be
    if (isLast && (what === "is left out" || what === "comes twice")) continue; // keys change, see below
    Deno.test(`TlsClient answers ${alert} when ${name} ${what}`, () => {
      assertEquals(alertOfClient(replace(H[name], change)), alert);
    });
  }

  for (const name of CLIENT_MESSAGES) {
    if (name === "finished" && what === "is left out") continue; // it waits
    Deno.test(`TlsServer answers ${alert} when ${name} ${what}`, () => {
      assertEquals(alertOfServer(replace(H[name], change)), alert);
    });
  }
}

for (const [what, type] of Object.entries(FOREIGN)) {
  const before = (name: Name) =>
    replace(H[name], (message) => [handshake(type, NOTHING), message]);
  for (const name of SERVER_MESSAGES) {
    Deno.test(`TlsClient answers unexpectedMessage to a ${what} before ${name}`, () => {
      assertEquals(alertOfClient(before(name)), "unexpectedMessage");
    });
  }

  for (const name of CLIENT_MESSAGES) {
    Deno.test(`TlsServer answers unexpectedMessage to a ${what} before ${name}`, () => {
      assertEquals(alertOfServer(before(name)), "unexpectedMessage");
    });
  }
}

for (const [i, name] of SERVER_MESSAGES.slice(0, -1).entries()) {
  const next = SERVER_MESSAGES[i + 1]!;
  if (next === "certificate") continue; // the one before it may be missing, and then nothing is swapped
  Deno.test(`TlsClient answers unexpectedMessage when ${next} comes before ${name}`, () => {
    const swapped: Edit = (message) => {
      if (message[0] === H[name]) return [handshake(H[next], NOTHING), message];
      return [message];
    };
    assertEquals(alertOfClient(swapped), "unexpectedMessage");
  });
}

Deno.test("TlsClient answers unexpectedMessage to a CertificateRequest behind the Certificate", () => {
  const late = replace(H.certificate, (message) => [
    message,
    handshake(H.certificateRequest, NOTHING),
  ]);
  assertEquals(alertOfClient(late), "unexpectedMessage");
});

Deno.test("TlsClient and TlsServer take what edits do not change", () => {
  assertEquals(alertOfClient(asItIs), undefined);
  assertEquals(alertOfServer(asItIs), undefined);
});

function alertOfClient(edit: Edit): AlertName | undefined {
  using server = new EditedServer(edit, {
    clientCertificates: "request",
    compressesCertificates: false,
  });
  using client = newClient(offersOf({ shared: [GROUP.x25519] }));
  return alertOf(client, server);
}

function alertOfServer(edit: Edit): AlertName | undefined {
  using server = newServer({ clientCertificates: "request" });
  using client = new EditedClient(edit, offersOf());
  return alertOf(server, client);
}
