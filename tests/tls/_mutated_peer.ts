/**
 * Peers that send anything: what they should, changed at random, before and behind the encryption.
 *
 * @module
 */
import { assert } from "@std/assert";
import { type Bytes, concat, DecodeError } from "../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import { decodeX509 } from "../../src/tls/certificates/x509_certificate.ts";
import { usageOf } from "../../src/tls/certificates/extensions.ts";
import { decodeCrl } from "../../src/tls/certificates/revocation.ts";
import { checkClientOffer } from "../../src/tls/client_hello_check.ts";
import { readClientOffer } from "../../src/tls/client_offer.ts";
import type { TlsEndpoint } from "../../src/tls/endpoint.ts";
import { decodeCertificate } from "../../src/tls/messages/certificate.ts";
import { decodeCertificateRequest } from "../../src/tls/messages/certificate_request.ts";
import { decodeCertificateVerify } from "../../src/tls/messages/certificate_verify.ts";
import { decodeEncryptedExtensions } from "../../src/tls/messages/encrypted_extensions.ts";
import { HANDSHAKE_TYPE as H } from "../../src/tls/messages/handshake_type.ts";
import {
  decodeNewSessionTicket,
  encodeNewSessionTicket,
} from "../../src/tls/messages/new_session_ticket.ts";
import { TlsError } from "../../src/tls/mod.ts";
import type { OfferMaker } from "../../src/tls/offer_maker.ts";
import { CONTENT_TYPE as T, type ContentType } from "../../src/tls/record.ts";
import { RecordKeys } from "../../src/tls/record_keys.ts";
import { RecordOpener } from "../../src/tls/record_opener.ts";
import { RecordSealer } from "../../src/tls/record_sealer.ts";
import { suiteOf } from "../../src/tls/suite.ts";
import {
  decodeClientHello,
  decodeServerHello,
  EXTENSION as X,
  GROUP,
} from "../../src/utls/mod.ts";
import { generator, mutate } from "../htx/_mutation.ts";
import { certificateDer } from "./_certificates.ts";
import { protocols } from "./_client_hello.ts";
import {
  asItIs,
  EditedClient,
  EditedServer,
  handshake,
} from "./_edited_peer.ts";
import {
  certificateOf,
  connect,
  newClient,
  newServer,
  offersOf,
} from "./_tls_pair.ts";

type Random = (below: number) => number;

/** How often each thing came to pass: the alert's name, `undecodable`, `waiting` or `good`. */
export type Outcomes = Record<string, number>;

/** One kind of attempts, by what is changed. */
type Attempt = (random: Random) => string;

const MAX_ANSWER_BYTES = 1 << 14;

/** Makes `count` attempts and gives their outcomes by kind; an error that is none of the peer's doing is thrown. */
export function mutateAll(
  count: number,
  seed: number,
): Record<string, Outcomes> {
  const all: Record<string, Outcomes> = {};
  for (const [name, share, attempt] of attempts()) {
    const random = generator(seed);
    const outcomes: Outcomes = all[name] = {};
    for (let i = 0; i < count * share / 1000; i++) {
      const outcome = outcomeOf(() => attempt(random));
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
  }
  return all;
}

/** What is changed, how often of a thousand times, and one try; all but the first two are given to a whole client or server. */
function attempts(): readonly (readonly [string, number, Attempt])[] {
  return [
    ["messages", 400, messages()],
    ["records", 100, records()],
    ["first hellos", 300, hellos()],
    ["answers", 140, answers()],
    ["encrypted flights of servers", 20, serverFlights()],
    ["encrypted flights of clients", 10, clientFlights()],
    ["messages after the handshake", 30, laterMessages()],
  ];
}

/** How many of `outcomes` are of attempts at a whole client or server. */
export function countWhole(outcomes: Record<string, Outcomes>): number {
  const { messages: _, records: __, ...whole } = outcomes;
  return Object.values(whole).flatMap((kind) => Object.values(kind))
    .reduce((sum, count) => sum + count);
}

function outcomeOf(attempt: () => string): string {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof DecodeError) return "undecodable";
    if (!(error instanceof TlsError)) throw error;
    if (error.alert === "internalError") throw error;
    return error.code === "received_alert" ? "received" : error.alert!;
  }
}

/** Feeds `bytes` in up to three pieces, all certificates trusted; whatever comes, the answer is small, and no more data than came is given out. */
function feed(end: TlsEndpoint, bytes: Uint8Array, random: Random): string {
  const cuts = [random(bytes.length + 1), random(bytes.length + 1)].sort(
    (a, b) => a - b,
  );
  let at = 0;
  try {
    for (const cut of [...cuts, bytes.length]) {
      end.receive(bytes.slice(at, cut));
      if (end.certificatesToJudge) end.accept();
      at = cut;
    }
    return end.hasOutput || end.agreement ? "good" : "waiting";
  } finally {
    const data = end.takeData().reduce((sum, { length }) => sum + length, 0);
    assert(data <= bytes.length);
    assert(end.takeOutput().length <= MAX_ANSWER_BYTES);
  }
}

/** Codecs of messages and certificates. */
function messages(): Attempt {
  const { up, down } = recordedHandshake();
  const chrome = up[0]!;
  const codecs: [Bytes, (bytes: Bytes) => void][] = [
    [chrome, (bytes) => {
      checkClientOffer(readClientOffer(decodeClientHello(bytes)));
    }],
    [down.get(H.serverHello)!, decodeServerHello],
    [down.get(H.encryptedExtensions)!, decodeEncryptedExtensions],
    [down.get(H.certificateRequest)!, decodeCertificateRequest],
    [down.get(H.certificate)!, decodeCertificate],
    [down.get(H.certificateVerify)!, decodeCertificateVerify],
    [newTicket(), decodeNewSessionTicket],
    [certificateDer("p256"), (bytes) => usageOf(decodeX509(bytes))],
    [
      certificateDer("ca-ip-not-permitted"),
      (bytes) => usageOf(decodeX509(bytes)),
    ],
    [certificateDer("crl-p256"), decodeCrl],
  ];
  return (random) => {
    const [bytes, decode] = codecs[random(codecs.length)]!;
    decode(mutate(bytes, random));
    return "good";
  };
}

/** Records in the clear and sealed, to the opener alone. */
function records(): Attempt {
  const suite = suiteOf(0x1303)!;
  const keys = () => new RecordKeys(crypto, suite, new Uint8Array(32).fill(7));
  using sealer = new RecordSealer();
  const plain = sealer.seal(T.handshake, new Uint8Array(200));
  sealer.useKeys(keys());
  const sealed = concat(
    sealer.seal(T.applicationData, new Uint8Array(100)),
    sealer.seal(T.handshake, new Uint8Array(50)),
  );
  return (random) => {
    using opener = new RecordOpener();
    const isSealed = random(2) === 0;
    if (isSealed) opener.useKeys(keys());
    opener.feed(mutate(isSealed ? sealed : plain, random));
    while (opener.next());
    return "good";
  };
}

/** The first record of a client, to a server that mostly asks again, for a signature takes long. */
function hellos(): Attempt {
  const record = newClient(chromeLike()).takeOutput();
  const certificates = [certificateOf("ed25519")];
  return (random) => {
    const groups = [random(20) === 0 ? GROUP.x25519 : GROUP.p256] as const;
    using server = newServer({ certificates, preferences: { groups } });
    return feed(server, mutate(record, random), random);
  };
}

/** The first record of a server, to a client that has sent the same hello each time. */
function answers(): Attempt {
  const { offers, flight } = frozenClient();
  const [start, end] = [flight.subarray(0, 127 + 5), flight.subarray(132)];
  return (random) => {
    using client = newClient(offers);
    client.takeOutput();
    const bytes = concat(mutate(start, random), end);
    return feed(client, bytes, random);
  };
}

/** A message of the server's flight is changed before it is hashed and sealed. */
function serverFlights(): Attempt {
  return (random) => {
    const chosen = random(6);
    let sent = 0;
    const edit = (message: Bytes) => [
      sent++ === chosen ? mutatedMessage(message, random) : message,
    ];
    using server = new EditedServer(edit, {
      clientCertificates: "request",
      compressesCertificates: random(8) === 0,
      certificates: [certificateOf("ed25519")],
    });
    using client = newClient(chromeLike());
    server.receive(client.takeOutput());
    return feed(client, server.takeOutput(), random);
  };
}

/** A message of the client's last flight is changed before it is hashed and sealed. */
function clientFlights(): Attempt {
  return (random) => {
    const edit = (message: Bytes) => [
      random(2) === 0 ? mutatedMessage(message, random) : message,
    ];
    using server = newServer({
      clientCertificates: "request",
      certificates: [certificateOf("ed25519")],
    });
    using client = new EditedClient(edit, chromeLike());
    server.receive(client.takeOutput());
    client.receive(server.takeOutput());
    if (client.certificatesToJudge) client.accept();
    return feed(server, client.takeOutput(), random);
  };
}

/** Anything that a peer can seal once it has the keys; one connection is used until it ends. */
function laterMessages(): Attempt {
  let pair: [EditedClient, EditedServer] | undefined;
  return (random) => {
    pair ??= connected();
    const [client, server] = pair;
    const [victim, peer] = random(2) === 0
      ? [client, server]
      : [server, client];
    try {
      const outcome = feed(victim, laterRecord(peer, random), random);
      peer.takeOutput();
      return outcome;
    } catch (error) {
      for (const end of pair) end[Symbol.dispose]();
      pair = undefined;
      throw error;
    }
  };
}

function laterRecord(peer: EditedClient | EditedServer, random: Random): Bytes {
  if (random(5) === 0) {
    peer.updateKeys(random(2) === 0);
    return peer.takeOutput();
  }
  const contents: [ContentType, Uint8Array][] = [
    [T.handshake, newTicket()],
    [T.handshake, handshake(H.keyUpdate, Uint8Array.of(1))],
    [T.alert, Uint8Array.of(1, 90)],
    [T.applicationData, new Uint8Array(100)],
    [T.applicationData, new Uint8Array(0)],
  ];
  const [type, content] = contents[random(contents.length)]!;
  const isChanged = type === T.handshake || random(9) === 0;
  return peer.record(
    random(20) === 0 ? random(256) as ContentType : type,
    isChanged ? mutate(content, random) : content,
  );
}

function connected(): [EditedClient, EditedServer] {
  const client = new EditedClient(asItIs, offersOf());
  const server = new EditedServer(asItIs, {
    certificates: [certificateOf("ed25519")],
  });
  connect(client, server);
  return [client, server];
}

/** Header and body changed, or the body alone, or the message split into two. */
function mutatedMessage(message: Bytes, random: Random): Uint8Array {
  if (random(4) === 0) return mutate(message, random);
  return handshake(message[0]!, mutate(message.subarray(4), random));
}

function chromeLike(): OfferMaker {
  return offersOf({
    shared: [GROUP.x25519],
    groups: [GROUP.x25519, GROUP.p256],
    with: {
      [X.alpn]: protocols("h2", "http/1.1"),
      [X.compressCertificate]: Uint8Array.of(2, 0, 2),
      [X.applicationSettings]: protocols("h2"),
    },
  });
}

/** A client that makes one hello only, and a server's flight in answer to that. */
function frozenClient(): { offers: OfferMaker; flight: Bytes } {
  const offer = chromeLike().first(undefined);
  const offers: OfferMaker = {
    first: () => ({
      ...offer,
      message: offer.message.slice(),
      [Symbol.dispose]() {},
    }),
    retry: (_offer, change) => chromeLike().retry(offer, change),
  };
  using client = newClient(offers);
  using server = newServer({ certificates: [certificateOf("ed25519")] });
  server.receive(client.takeOutput());
  return { offers, flight: server.takeOutput() };
}

/** The messages of a handshake, in the clear. */
function recordedHandshake(): { up: Bytes[]; down: Map<number, Bytes> } {
  const up: Bytes[] = [];
  const down = new Map<number, Bytes>();
  using server = new EditedServer((message) => {
    down.set(message[0]!, message);
    return [message];
  }, { clientCertificates: "request", compressesCertificates: false });
  using client = newClient(chromeLike());
  const hello = client.takeOutput();
  up.push(hello.slice(5));
  server.receive(hello);
  return { up, down };
}

function newTicket(): Bytes {
  return encodeNewSessionTicket({
    lifetimeS: 7200,
    ageAdd: 1,
    nonce: new Uint8Array(8),
    ticket: new Uint8Array(100),
    extensions: [{ type: X.earlyData, data: new Uint8Array(4) }],
  });
}
