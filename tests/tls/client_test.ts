import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Bytes, concat } from "../../src/core/bytes/mod.ts";
import { GROUP } from "../../src/utls/mod.ts";
import { encodeCertificateRequest } from "../../src/tls/messages/certificate_request.ts";
import { decodeCertificate } from "../../src/tls/messages/certificate.ts";
import { encodeNewSessionTicket } from "../../src/tls/messages/new_session_ticket.ts";
import { CONTENT_TYPE } from "../../src/tls/record.ts";
import { CIPHER_SUITE } from "../../src/tls/suite.ts";
import { EXTENSION } from "../../src/utls/mod.ts";
import { encodeProtocolNames } from "../../src/tls/messages/protocol_name_list.ts";
import { TlsError } from "../../src/tls/error.ts";
import type { TlsClient } from "../../src/tls/client.ts";
import { chromeClient } from "./_chrome_client.ts";
import { type Script, ScriptedServer } from "./_scripted_server.ts";
import { testCertificate } from "./_certificates.ts";

const CCS = Uint8Array.of(20, 3, 3, 0, 1, 1);
const ALPN_H2 = { type: EXTENSION.alpn, data: encodeProtocolNames(["h2"]) };

for (const cipherSuite of Object.values(CIPHER_SUITE)) {
  for (const group of [GROUP.x25519, GROUP.x25519MlKem768]) {
    Deno.test(`TlsClient connects with suite ${cipherSuite.toString(16)} and group ${group.toString(16)}`, () => {
      const { client } = connected({ cipherSuite, group });
      assertEquals(client.agreement?.cipherSuite, cipherSuite);
      assertEquals(client.agreement?.group, group);
      assertEquals(
        client.agreement?.peerCertificates,
        testCertificate("p256").chain,
      );
    });
  }
}

for (const group of [GROUP.p256, GROUP.p384]) {
  Deno.test(`TlsClient answers a HelloRetryRequest for group ${group.toString(16)} and a cookie`, () => {
    using client = chromeClient();
    const server = new ScriptedServer({ group });
    const first = client.takeOutput();
    client.receive(server.retry(first, [
      { type: EXTENSION.keyShare, data: u16(group) },
      { type: EXTENSION.cookie, data: Uint8Array.of(0, 2, 7, 8) },
    ]));
    const output = client.takeOutput();
    assertEquals(output.subarray(0, 6), CCS);
    const second = output.subarray(6);
    assertEquals(second.subarray(0, 3), Uint8Array.of(22, 3, 3));
    const offer = ScriptedServer.offerOf(second);
    assertEquals(offer.keyShares?.map((share) => share.group), [group]);
    assertEquals(offer.cookie, Uint8Array.of(7, 8));
    client.receive(server.answer(second));
    client.accept();
    const flight = client.takeOutput();
    assert(flight[0] !== 20, "a second change_cipher_spec");
    server.finish(flight);
    assertEquals(client.agreement?.group, group);
  });
}

Deno.test("TlsClient reads a compressed certificate", () => {
  const { client } = connected({ compresses: true });
  assertEquals(
    client.agreement?.peerCertificates,
    testCertificate("p256").chain,
  );
});

for (const [version, type] of [[133, 17613], [131, 17513]] as const) {
  Deno.test(`TlsClient answers application settings ${type} before Finished, in the same record`, () => {
    const { client, flight } = connected({
      encryptedExtensions: [ALPN_H2, { type, data: new Uint8Array(0) }],
    }, chromeClient(undefined, version));
    assertEquals(client.agreement?.alpn, "h2");
    const [content] = flight;
    assertEquals(
      content!.subarray(0, 10),
      Uint8Array.of(8, 0, 0, 6, 0, 4, type >> 8, type & 0xff, 0, 0),
    );
    assertEquals(content![10], 20);
  });
}

Deno.test("TlsClient answers a CertificateRequest with no certificate", () => {
  const { flight } = connected({
    certificateRequest: encodeCertificateRequest({
      context: new Uint8Array(0),
      extensions: [
        {
          type: EXTENSION.signatureAlgorithms,
          data: Uint8Array.of(0, 2, 4, 3),
        },
        { type: 0xeeee, data: new Uint8Array(3) }, // unknown ones are ignored
      ],
    }),
  });
  const message = flight[0]!.subarray(0, 4 + flight[0]![3]!);
  assertEquals(decodeCertificate(message).entries, []);
});

Deno.test("TlsClient ignores the ECH configs that GREASE draws", () => {
  const config = Uint8Array.of(0, 6, 0xfe, 0x0d, 0, 2, 1, 2);
  connected({
    encryptedExtensions: [
      { type: EXTENSION.encryptedClientHello, data: config },
    ],
  });
});

Deno.test("TlsClient sends nothing but the hello until its certificates are accepted", () => {
  using client = chromeClient();
  const server = new ScriptedServer();
  client.receive(server.answer(client.takeOutput()));
  assertEquals(client.certificatesToJudge, testCertificate("p256").chain);
  assert(!client.hasOutput);
  assertThrows(() => client.send(Uint8Array.of(1)), TypeError);
});

Deno.test("TlsClient keeps what follows the server's flight until the verdict", () => {
  using client = chromeClient();
  const server = new ScriptedServer();
  const answer = server.answer(client.takeOutput());
  server.finishEarly();
  const early = server.record(CONTENT_TYPE.applicationData, Uint8Array.of(5));
  const bytes = concat(answer, early);
  client.receive(bytes);
  bytes.fill(0); // the caller may reuse its array
  assertEquals(client.takeData(), []);
  client.accept();
  assertEquals(client.takeData(), [Uint8Array.of(5)]);
});

Deno.test("TlsClient says with an alert why it rejects certificates, and is over", () => {
  using client = chromeClient();
  const server = new ScriptedServer();
  client.receive(server.answer(client.takeOutput()));
  const verdict = new TlsError("sent_alert", "certificateExpired", "Expired");
  assertEquals(client.reject(verdict), verdict);
  const output = client.takeOutput();
  assertEquals(output.subarray(0, 6), CCS);
  assertEquals(output[6], 23, "the alert is encrypted");
  const [, record] = server.open(output);
  assertEquals(record, { type: 21, content: Uint8Array.of(2, 45) });
  assertThrows(() => client.receive(Uint8Array.of(1)), TlsError, "Expired");
});

Deno.test("TlsClient resumes with a ticket, once judged not at all", () => {
  const { client, server } = connected({
    encryptedExtensions: [ALPN_H2],
    cipherSuite: CIPHER_SUITE.aes256GcmSha384,
  });
  client.receive(server.record(CONTENT_TYPE.handshake, ticket(1)));
  const [session] = client.takeSessions(1_000);
  const psk = session!.psk.slice();
  using resumed = chromeClient(session);
  const second = new ScriptedServer({
    psk,
    cipherSuite: CIPHER_SUITE.aes256GcmSha384,
  });
  const hello = resumed.takeOutput();
  const [identity] = ScriptedServer.offerOf(hello).psks!.identities;
  assertEquals(identity!.identity, session!.ticket);
  assertEquals(identity!.obfuscatedTicketAge, 77);
  resumed.receive(second.answer(hello));
  second.finish(resumed.takeOutput());
  assert(resumed.agreement?.resumed);
  assertEquals(
    resumed.agreement.peerCertificates,
    client.agreement!.peerCertificates,
  );
  assertEquals(session!.psk, new Uint8Array(48));
});

Deno.test("TlsClient goes on with certificates when the server does not take the ticket", () => {
  const { client, server } = connected();
  client.receive(server.record(CONTENT_TYPE.handshake, ticket(1)));
  using second = chromeClient(client.takeSessions(1_000)[0]);
  const other = new ScriptedServer();
  second.receive(other.answer(second.takeOutput()));
  second.accept();
  other.finish(second.takeOutput());
  assert(!second.agreement?.resumed);
});

Deno.test("TlsClient leaves the ticket out after a HelloRetryRequest for another hash", () => {
  const { client, server } = connected({
    cipherSuite: CIPHER_SUITE.aes256GcmSha384,
  });
  client.receive(server.record(CONTENT_TYPE.handshake, ticket(1)));
  const session = client.takeSessions(1_000)[0]!;
  for (const cipherSuite of [0x1301, 0x1302]) {
    using second = chromeClient({ ...session, psk: session.psk.slice() });
    const other = new ScriptedServer({ cipherSuite });
    second.receive(other.retry(second.takeOutput(), [
      { type: EXTENSION.keyShare, data: u16(GROUP.p256) },
    ]));
    const { psks } = ScriptedServer.offerOf(second.takeOutput().subarray(6));
    assertEquals(psks !== undefined, cipherSuite === 0x1302);
  }
});

Deno.test("TlsClient makes sessions of the first 16 tickets, none of a ticket without a lifetime", () => {
  const { client, server } = connected();
  client.receive(server.record(CONTENT_TYPE.handshake, ticket(0, 0)));
  for (let i = 0; i < 20; i++) {
    client.receive(server.record(CONTENT_TYPE.handshake, ticket(i)));
  }
  const sessions = client.takeSessions(5);
  assertEquals(sessions.length, 16);
  assertEquals(new Set(sessions.map(({ psk }) => psk.toHex())).size, 16);
  assertEquals(client.takeSessions(5), []);
});

Deno.test("TlsClient makes no session of a ticket above 4 KiB", () => {
  const { client, server } = connected();
  for (const length of [4_097, 4_096]) {
    const message = encodeNewSessionTicket({
      lifetimeS: 7_200,
      ageAdd: 0,
      nonce: Uint8Array.of(0),
      ticket: new Uint8Array(length),
      extensions: [],
    });
    client.receive(server.record(CONTENT_TYPE.handshake, message));
  }
  const lengths = client.takeSessions(5).map(({ ticket }) => ticket.length);
  assertEquals(lengths, [4_096]);
});

Deno.test("TlsClient takes 32 tickets without data in between, no more", () => {
  const { client, server } = connected();
  for (const round of [1, 2]) {
    const data = new Uint8Array(round - 1);
    client.receive(server.record(CONTENT_TYPE.applicationData, data));
    for (let i = 0; i < 32; i++) {
      client.receive(server.record(CONTENT_TYPE.handshake, ticket(i)));
    }
  }
  const error = assertThrows(
    () => client.receive(server.record(CONTENT_TYPE.handshake, ticket(0))),
    TlsError,
  );
  assertEquals(error.alert, "unexpectedMessage");
});

Deno.test("TlsClient takes no ticket for longer than seven days", () => {
  const { client, server } = connected();
  client.receive(
    server.record(CONTENT_TYPE.handshake, ticket(1, 0xffffffff)),
  );
  assertEquals(client.takeSessions(0)[0]!.lifetimeS, 604_800);
});

Deno.test("TlsClient exports the same keying material without and with an empty context, another for another label", () => {
  const { client } = connected();
  const one = client.exportKeyingMaterial("EXPERIMENTAL one", 32);
  assertEquals(
    client.exportKeyingMaterial("EXPERIMENTAL one", 32, new Uint8Array(0)),
    one,
  );
  assert(
    client.exportKeyingMaterial("EXPERIMENTAL two", 32).toHex() !== one.toHex(),
  );
  assertThrows(() => client.exportKeyingMaterial("", 32), RangeError);
  client[Symbol.dispose]();
  assertThrows(
    () => client.exportKeyingMaterial("EXPERIMENTAL one", 32),
    TypeError,
  );
});

interface Pair {
  readonly client: TlsClient;
  readonly server: ScriptedServer;
  /** The contents of the client's last handshake records. */
  readonly flight: Bytes[];
}

function connected(script: Script = {}, client = chromeClient()): Pair {
  const server = new ScriptedServer(script);
  client.receive(server.answer(client.takeOutput()));
  client.accept();
  const output = client.takeOutput();
  assertEquals(output.subarray(0, 6), CCS);
  return { client, server, flight: server.finish(output) };
}

function ticket(nonce: number, lifetimeS = 7_200): Bytes {
  return encodeNewSessionTicket({
    lifetimeS,
    ageAdd: 77,
    nonce: Uint8Array.of(nonce),
    ticket: new Uint8Array(160).fill(nonce + 1),
    extensions: [],
  });
}

function u16(value: number): Bytes {
  return Uint8Array.of(value >> 8, value & 0xff);
}
