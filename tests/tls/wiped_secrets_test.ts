import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Bytes } from "../../src/core/bytes/mod.ts";
import {
  type Aead,
  type CryptoProvider,
  nodeProvider,
} from "../../src/core/crypto/mod.ts";
import { TlsClient } from "../../src/tls/client.ts";
import { TlsError } from "../../src/tls/mod.ts";
import { HANDSHAKE_TYPE as H } from "../../src/tls/messages/handshake_type.ts";
import type { Session } from "../../src/tls/session_cache.ts";
import { TicketKeys } from "../../src/tls/ticket_keys.ts";
import { EXTENSION } from "../../src/utls/mod.ts";
import {
  type Edit,
  EditedServer,
  handshake,
  replace,
  rewrite,
} from "./_edited_peer.ts";
import { connect, newClient, newServer, NOW, offersOf } from "./_tls_pair.ts";

/** What is in a ticket before its PSK. */
const TICKET_HEAD_LENGTH = 54;

/** Primitives that keep each secret that was derived with them. */
function watched(): { crypto: CryptoProvider; secrets: Bytes[] } {
  const secrets: Bytes[] = [];
  const publicKeys = new WeakSet<Uint8Array>(); // of Finished, whose MAC is sent
  const keep = (bytes: Bytes) => {
    secrets.push(bytes);
    return bytes;
  };
  const watchedAead = (aead: Aead): Aead => ({
    ...aead,
    open(...args) {
      const state = aead.open(...args);
      keep(state.subarray(TICKET_HEAD_LENGTH) as Bytes);
      return state;
    },
  });
  const crypto: CryptoProvider = {
    ...nodeProvider,
    hkdfExpand(hash, secret, info, length) {
      const bytes = keep(nodeProvider.hkdfExpand(hash, secret, info, length));
      const label = new TextDecoder().decode(info);
      if (label.includes("finished")) publicKeys.add(bytes);
      return bytes;
    },
    hmac(hash, key, ...data) {
      const mac = nodeProvider.hmac(hash, key, ...data);
      return publicKeys.has(key) ? mac : keep(mac);
    },
    chacha20poly1305: (key) => watchedAead(nodeProvider.chacha20poly1305(key)),
  };
  return { crypto, secrets };
}

function assertWiped(secrets: readonly Bytes[]): void {
  assert(secrets.length > 0);
  const left = secrets.filter((secret) => secret.some((byte) => byte !== 0));
  assertEquals(left.length, 0);
}

const flip = (type: number): Edit =>
  rewrite(type, (body) => {
    body[body.length - 1]! ^= 1;
    return body;
  });
const goOn = (type: number): Edit =>
  replace(type, (message) => {
    const bytes = new Uint8Array(message.length + 1);
    bytes.set(message);
    return bytes;
  });

/** Servers that break off, by what they do. */
const FAULTS: Readonly<Record<string, Edit>> = {
  "a share of small order": rewrite(H.serverHello, (body) => {
    const at = body.length - 32; // key_share is last
    return body.fill(0, at);
  }),
  "something behind ServerHello": goOn(H.serverHello),
  "wrong EncryptedExtensions": rewrite(
    H.encryptedExtensions,
    () => Uint8Array.of(9),
  ),
  "a wrong signature": flip(H.certificateVerify),
  "a wrong Finished": flip(H.finished),
  "something behind Finished": goOn(H.finished),
  "another message for Finished": replace(
    H.finished,
    () => handshake(H.newSessionTicket, new Uint8Array(4)),
  ),
};

for (const [fault, edit] of Object.entries(FAULTS)) {
  Deno.test(`TlsClient wipes every secret after ${fault}`, () => {
    const { crypto, secrets } = watched();
    const client = new TlsClient({ crypto, offers: offersOf(), nowMs: NOW });
    const server = new EditedServer(edit);
    server.receive(client.takeOutput());
    assertThrows(() => client.receive(server.takeOutput()), TlsError);
    assertWiped(secrets);
  });
}

Deno.test("TlsClient wipes every secret when the certificates are not trusted, or nobody judges them", () => {
  for (const rejects of [true, false]) {
    const { crypto, secrets } = watched();
    const client = new TlsClient({ crypto, offers: offersOf(), nowMs: NOW });
    const server = newServer();
    server.receive(client.takeOutput());
    client.receive(server.takeOutput());
    assert(client.certificatesToJudge);
    if (rejects) client.reject(new Error("Not trusted"));
    else client[Symbol.dispose]();
    assertWiped(secrets);
  }
});

Deno.test("client and server wipe every secret of a connection that ends well", () => {
  const { crypto, secrets } = watched();
  using tickets = new TicketKeys(crypto);
  const client = new TlsClient({ crypto, offers: offersOf(), nowMs: NOW });
  const server = newServer({ crypto, tickets });
  connect(client, server);
  client.closeNotify();
  client[Symbol.dispose]();
  server[Symbol.dispose]();
  assertWiped(secrets);
});

Deno.test("TlsServer wipes every secret after a wrong Finished, or when it is given up", () => {
  for (const answers of [true, false]) {
    const { crypto, secrets } = watched();
    const client = newClient();
    const server = newServer({ crypto });
    server.receive(client.takeOutput());
    server.takeOutput();
    if (answers) {
      const record = new Uint8Array(100);
      record.set([23, 3, 3, 0, 95]);
      assertThrows(() => server.receive(record), TlsError);
    } else server[Symbol.dispose]();
    assertWiped(secrets);
  }
});

/** What may be wrong with a ticket that opens. */
const TICKETS: Readonly<
  Record<string, { readonly nowMs?: number; readonly name?: string }>
> = {
  "is good": {},
  "is over": { nowMs: NOW + 7_200_000 },
  "is for another name": { name: "b" },
};

for (const [fault, { nowMs = NOW, name = "a" }] of Object.entries(TICKETS)) {
  Deno.test(`TlsServer wipes what was in a ticket that ${fault}`, () => {
    const { crypto, secrets } = watched();
    using tickets = new TicketKeys(crypto);
    const session = sessionWith(tickets, "a");
    const client = newClient(offersFor(name), session);
    const server = newServer({ crypto, tickets, wallTime: () => nowMs });
    server.receive(client.takeOutput());
    client[Symbol.dispose]();
    server[Symbol.dispose]();
    assertWiped(secrets);
  });
}

function sessionWith(tickets: TicketKeys, name: string): Session {
  using client = newClient(offersFor(name));
  using server = newServer({ tickets });
  connect(client, server);
  return client.takeSessions(NOW)[0]!;
}

function offersFor(name: string) {
  const { length } = name;
  const list = [0, length + 3, 0, 0, length, ...new TextEncoder().encode(name)];
  return offersOf({ with: { [EXTENSION.serverName]: new Uint8Array(list) } });
}
