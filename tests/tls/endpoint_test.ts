import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Bytes, concat } from "../../src/core/bytes/mod.ts";
import { ALERT, type AlertName } from "../../src/tls/alert.ts";
import type { TlsClient } from "../../src/tls/client.ts";
import { TlsError } from "../../src/tls/error.ts";
import { encodeKeyUpdate } from "../../src/tls/messages/key_update.ts";
import { encodeNewSessionTicket } from "../../src/tls/messages/new_session_ticket.ts";
import { CONTENT_TYPE } from "../../src/tls/record.ts";
import { RecordKeys } from "../../src/tls/record_keys.ts";
import { RecordOpener } from "../../src/tls/record_opener.ts";
import { CIPHER_SUITE, suiteOf } from "../../src/tls/suite.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import { TlsEndpoint } from "../../src/tls/endpoint.ts";
import { chromeClient } from "./_chrome_client.ts";
import { connectedClient } from "./_connected.ts";
import { ScriptedServer } from "./_scripted_server.ts";

const { handshake, applicationData, alert } = CONTENT_TYPE;
const CCS = Uint8Array.of(20, 3, 3, 0, 1, 1);
const DATA = Uint8Array.of(1, 2, 3);

Deno.test("data passes both ways, in records of up to 2^14 bytes", () => {
  const { client, server } = connectedClient();
  const bytes = crypto.getRandomValues(new Uint8Array(40_000));
  client.send(bytes);
  const records = server.open(client.takeOutput());
  assertEquals(records.map(({ content }) => content.length), [
    16_384,
    16_384,
    7_232,
  ]);
  assertEquals(concat(...records.map(({ content }) => content)), bytes);
  client.receive(server.record(applicationData, bytes));
  assertEquals(concat(...client.takeData()), bytes);
});

Deno.test("padding of the peer's records is taken off", () => {
  const { client, server } = connectedClient();
  const padded = concat(
    DATA,
    Uint8Array.of(applicationData),
    new Uint8Array(99),
  );
  client.receive(server.sealInner(padded));
  assertEquals(client.takeData(), [DATA]);
});

Deno.test("a KeyUpdate that asks for ours is answered before the next data", () => {
  const { client, server } = connectedClient();
  client.receive(server.record(handshake, encodeKeyUpdate(true)));
  server.sealer.updateKeys();
  client.send(DATA);
  assertEquals(server.openUpdating(client.takeOutput()), [
    { type: handshake, content: encodeKeyUpdate(false) },
    { type: applicationData, content: DATA },
  ]);
  client.receive(server.record(applicationData, DATA));
  assertEquals(client.takeData(), [DATA]);
});

Deno.test("KeyUpdates that come before an answer is sent get one answer", () => {
  const { client, server } = connectedClient();
  for (let i = 0; i < 5; i++) {
    client.receive(server.record(handshake, encodeKeyUpdate(true)));
    server.sealer.updateKeys();
  }
  assertEquals(server.openUpdating(client.takeOutput()).length, 1);
});

Deno.test("updateKeys() changes our key and asks for the peer's", () => {
  const { client, server } = connectedClient();
  client.updateKeys(true);
  client.send(DATA);
  assertEquals(server.openUpdating(client.takeOutput()), [
    { type: handshake, content: encodeKeyUpdate(true) },
    { type: applicationData, content: DATA },
  ]);
});

Deno.test("updateKeys() asks once until data was sent", () => {
  const { client, server } = connectedClient();
  for (let i = 0; i < 40; i++) client.updateKeys(true);
  client.send(DATA);
  for (let i = 0; i < 40; i++) client.updateKeys(true);
  assertEquals(server.openUpdating(client.takeOutput()), [
    { type: handshake, content: encodeKeyUpdate(true) },
    { type: applicationData, content: DATA },
    { type: handshake, content: encodeKeyUpdate(true) },
  ]);
});

Deno.test("receive() takes nothing while certificates wait to be judged", () => {
  const client = chromeClient();
  const server = new ScriptedServer();
  client.receive(server.answer(client.takeOutput()));
  assertThrows(() => client.receive(new Uint8Array(1)), TypeError);
  client.accept();
  server.finish(client.takeOutput());
  client.receive(server.record(applicationData, DATA));
  assertEquals(client.takeData(), [DATA]);
});

Deno.test("32 KeyUpdates without data pass, 33 are refused, data in between starts over", () => {
  const { client, server } = connectedClient();
  const update = () => {
    client.receive(server.record(handshake, encodeKeyUpdate(false)));
    server.sealer.updateKeys();
  };
  for (let i = 0; i < 32; i++) update();
  client.receive(server.record(applicationData, DATA));
  for (let i = 0; i < 32; i++) update();
  assertFatal(client, server, "unexpectedMessage", update);
});

Deno.test("32 empty records in a row pass, 33 are refused", () => {
  const { client, server } = connectedClient();
  const empty = () =>
    client.receive(server.record(applicationData, new Uint8Array(0)));
  for (let i = 0; i < 32; i++) empty();
  client.receive(server.record(applicationData, DATA));
  for (let i = 0; i < 32; i++) empty();
  assertFatal(client, server, "unexpectedMessage", empty);
});

Deno.test("32 change_cipher_spec records pass in a handshake, 33 are refused", () => {
  using client = chromeClient();
  const server = new ScriptedServer();
  const hello = client.takeOutput();
  for (let i = 0; i < 16; i++) client.receive(CCS);
  client.receive(server.serverHello(hello));
  server.messages(); // its keys
  for (let i = 0; i < 16; i++) client.receive(CCS);
  assertFatal(client, server, "unexpectedMessage", () => client.receive(CCS));
});

Deno.test("a change_cipher_spec is refused when malformed, and after the handshake", () => {
  for (const wrong of [[20, 3, 3, 0, 1, 2], [20, 3, 3, 0, 2, 1, 1]]) {
    using client = chromeClient();
    client.takeOutput();
    const bytes = Uint8Array.from(wrong);
    assertFatal(client, undefined, "unexpectedMessage", () => {
      client.receive(bytes);
    });
  }
  const { client, server } = connectedClient();
  assertFatal(client, server, "unexpectedMessage", () => client.receive(CCS));
});

Deno.test("close_notify ends the peer's side only, and what follows it is ignored", () => {
  const { client, server } = connectedClient();
  client.receive(concat(
    server.record(applicationData, DATA),
    server.record(alert, Uint8Array.of(1, ALERT.closeNotify)),
    Uint8Array.of(9, 9, 9, 9, 9, 9),
  ));
  client.receive(Uint8Array.of(9));
  client.receiveEnd();
  assert(client.isPeerClosed);
  assertEquals(client.takeData(), [DATA]);
  client.send(DATA);
  client.closeNotify();
  client.closeNotify();
  assertEquals(server.open(client.takeOutput()), [
    { type: applicationData, content: DATA },
    { type: alert, content: Uint8Array.of(1, 0) },
  ]);
  assertThrows(() => client.send(DATA), TypeError);
});

Deno.test("an end without close_notify is a truncation, and no alert is sent", () => {
  const { client } = connectedClient();
  const error = assertThrows(() => client.receiveEnd(), TlsError);
  assertEquals([error.code, error.alert], ["truncated", undefined]);
  assert(!client.hasOutput);
});

Deno.test("an alert of the peer ends the connection, named where it is known, and is not answered", () => {
  const cases = [[2, 40, "handshakeFailure"], [1, 40, "handshakeFailure"], [
    2,
    99,
    undefined,
  ]] as const;
  for (const [level, description, name] of cases) {
    const { client, server } = connectedClient();
    const bytes = server.record(alert, Uint8Array.of(level, description));
    const error = assertThrows(() => client.receive(bytes), TlsError);
    assertEquals([error.code, error.alert], ["received_alert", name]);
    assert(!client.hasOutput);
    assertThrows(() => client.send(DATA), TlsError);
    assertThrows(
      () => client.exportKeyingMaterial("EXPERIMENTAL", 32),
      TypeError,
    );
  }
});

Deno.test("close_notify in the handshake is a refusal", () => {
  using client = chromeClient();
  client.takeOutput();
  const error = assertThrows(
    () => client.receive(Uint8Array.of(21, 3, 3, 0, 2, 1, 0)),
    TlsError,
  );
  assertEquals([error.code, error.alert], ["received_alert", "closeNotify"]);
});

Deno.test("four user_canceled alerts are ignored, a fifth is refused", () => {
  const { client, server } = connectedClient();
  const cancel = () =>
    client.receive(server.record(alert, Uint8Array.of(1, ALERT.userCanceled)));
  for (let i = 0; i < 4; i++) cancel();
  assertFatal(client, server, "unexpectedMessage", cancel);
});

Deno.test("an alert that is not encrypted is taken in the handshake only, where it ends all", () => {
  const close = Uint8Array.of(21, 3, 3, 0, 2, 1, 0);
  const { client, server } = connectedClient();
  assertFatal(client, server, "unexpectedMessage", () => client.receive(close));
  using early = chromeClient();
  const other = new ScriptedServer();
  early.receive(other.serverHello(early.takeOutput()));
  const error = assertThrows(() => early.receive(close), TlsError);
  assertEquals([error.code, error.alert], ["received_alert", "closeNotify"]);
});

/** What is wrong with the bytes of a server, and the alert for it. */
const MALFORMED: Readonly<
  Record<string, readonly [AlertName, (server: ScriptedServer) => Bytes]>
> = {
  "an alert of 3 bytes": [
    "decodeError",
    (server) => server.record(alert, Uint8Array.of(2, 40, 0)),
  ],
  "a record that does not open": ["badRecordMac", (server) => {
    const record = server.record(applicationData, DATA);
    record[7]! ^= 1;
    return record;
  }],
  "a record whose header is changed": ["badRecordMac", (server) => {
    const record = server.record(applicationData, DATA);
    record[2] = 4;
    return record;
  }],
  "a record that comes twice": ["badRecordMac", (server) => {
    const record = server.record(applicationData, DATA);
    return concat(record, record);
  }],
  "a record that is too short to open": [
    "badRecordMac",
    () => Uint8Array.of(23, 3, 3, 0, 3, 1, 2, 3),
  ],
  "a record of more than 2^14 + 256 bytes": [
    "recordOverflow",
    () => Uint8Array.of(23, 3, 3, 0x41, 0x01),
  ],
  "a record that holds 2^14 + 1 bytes": [
    "recordOverflow",
    (server) =>
      server.sealInner(concat(
        new Uint8Array(16_385),
        Uint8Array.of(applicationData),
      )),
  ],
  "a record of zeros": [
    "unexpectedMessage",
    (server) => server.sealInner(new Uint8Array(64)),
  ],
  "an encrypted change_cipher_spec": [
    "unexpectedMessage",
    (server) => server.sealInner(Uint8Array.of(1, 20)),
  ],
  "a record of an unknown type": [
    "unexpectedMessage",
    () => Uint8Array.of(24, 3, 3, 0, 1, 0),
  ],
  "a handshake record in the clear": [
    "unexpectedMessage",
    () => Uint8Array.of(22, 3, 3, 0, 4, 24, 0, 0, 1),
  ],
  "an empty handshake record": [
    "unexpectedMessage",
    (server) => server.record(handshake, new Uint8Array(0)),
  ],
  "data in the middle of a handshake message": [
    "unexpectedMessage",
    (server) =>
      concat(
        server.record(handshake, Uint8Array.of(24, 0)),
        server.record(applicationData, DATA),
      ),
  ],
  "an alert in the middle of a handshake message": [
    "unexpectedMessage",
    (server) =>
      concat(
        server.record(handshake, Uint8Array.of(24, 0)),
        server.record(alert, Uint8Array.of(1, 0)),
      ),
  ],
};

for (const [fault, [name, bytes]] of Object.entries(MALFORMED)) {
  Deno.test(`${fault} is answered with ${name}`, () => {
    const { client, server } = connectedClient();
    assertFatal(client, server, name, () => client.receive(bytes(server)));
  });
}

Deno.test("data before the handshake is over is answered with unexpectedMessage", () => {
  using client = chromeClient();
  const server = new ScriptedServer();
  client.receive(server.serverHello(client.takeOutput()));
  server.messages();
  assertFatal(client, server, "unexpectedMessage", () => {
    client.receive(server.record(applicationData, DATA));
  });
});

Deno.test("a plaintext record of more than 2^14 bytes is answered before it has come", () => {
  using client = chromeClient();
  client.takeOutput();
  assertFatal(client, undefined, "recordOverflow", () => {
    client.receive(Uint8Array.of(22, 3, 3, 0x40, 0x01));
  });
});

Deno.test("encrypted data before any keys is answered with unexpectedMessage", () => {
  using client = chromeClient();
  client.takeOutput();
  assertFatal(client, undefined, "unexpectedMessage", () => {
    client.receive(Uint8Array.of(23, 3, 3, 0, 1, 0));
  });
});

Deno.test("a handshake message may come in records of one byte, or share one with others", () => {
  using client = chromeClient();
  const server = new ScriptedServer();
  client.receive(server.serverHello(client.takeOutput()));
  const messages = concat(...server.messages());
  for (const byte of messages) {
    client.receive(server.record(handshake, Uint8Array.of(byte)));
  }
  client.accept();
  server.finish(client.takeOutput());
  const tickets = concat(ticket(1), ticket(2), ticket(3));
  client.receive(server.record(handshake, tickets.subarray(0, 150)));
  assertEquals(client.takeSessions(0).length, 1);
  client.receive(server.record(handshake, tickets.subarray(150)));
  assertEquals(client.takeSessions(0).length, 2);
});

Deno.test("send() changes the key before the suite's limit of records is passed", () => {
  using endpoint = new BareEndpoint(10);
  const types: number[] = [];
  for (let i = 0; i < 25; i++) {
    endpoint.send(DATA);
    endpoint.peer.feed(endpoint.takeOutput());
    for (let record; (record = endpoint.peer.next());) {
      types.push(record.type);
      if (record.type === handshake) endpoint.peer.updateKeys();
    }
  }
  const updates = types.flatMap((type, at) => type === handshake ? [at] : []);
  assertEquals(updates, [9, 19]);
  assertEquals(types.length, 25 + 2);
});

Deno.test("a disposed endpoint takes and sends nothing", () => {
  const { client } = connectedClient();
  client[Symbol.dispose]();
  assertThrows(() => client.send(DATA), TlsError);
  assertThrows(() => client.receive(DATA), TlsError);
});

/** An endpoint without a handshake, whose suite allows `maxRecords` under one key, and what opens its records. */
class BareEndpoint extends TlsEndpoint {
  readonly peer = new RecordOpener();

  constructor(maxRecords: number) {
    super(nodeProvider);
    const suite = { ...suiteOf(CIPHER_SUITE.aes128GcmSha256)!, maxRecords };
    const secret = new Uint8Array(32);
    this.peer.useKeys(new RecordKeys(nodeProvider, suite, secret.slice()));
    this.useWriteKeys(suite, secret.slice());
    this.establish(
      {
        alpn: undefined,
        cipherSuite: suite.id,
        group: 0,
        resumed: false,
        peerCertificates: [],
      },
      suite,
      secret,
    );
  }

  protected override handshakeMessage(): void {}
  protected override certificatesAccepted(): void {}
  protected override wipeHandshake(): void {}
}

function ticket(nonce: number): Bytes {
  return encodeNewSessionTicket({
    lifetimeS: 100,
    ageAdd: 0,
    nonce: Uint8Array.of(nonce),
    ticket: new Uint8Array(80),
    extensions: [],
  });
}

/** Fails unless `act` throws, and the last record sent is the alert `name`. */
function assertFatal(
  client: TlsClient,
  server: ScriptedServer | undefined,
  name: AlertName,
  act: () => void,
): void {
  const error = assertThrows(act, TlsError);
  assertEquals([error.code, error.alert], ["sent_alert", name]);
  const output = client.takeOutput();
  const [last] = server ? server.open(output).slice(-1) : [
    { type: output[0]!, content: output.slice(5) },
  ];
  assertEquals(last, { type: alert, content: Uint8Array.of(2, ALERT[name]) });
}
