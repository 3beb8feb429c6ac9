import { assertEquals, assertThrows } from "@std/assert";
import { type Bytes, decodeHex, encodeHex } from "../../src/core/bytes/mod.ts";
import {
  type CryptoProvider,
  nodeProvider,
  x25519KeyPair,
} from "../../src/core/crypto/mod.ts";
import { decodeFrameHeader, FRAME_TYPE } from "../../src/htx/frame.ts";
import { Handshake } from "../../src/htx/handshake.ts";
import { HtxError } from "../../src/htx/error.ts";
import { nextTrafficKeys, type TrafficKeys } from "../../src/htx/keys.ts";
import { decodeParameters } from "../../src/htx/parameters.ts";
import {
  formatPeerRecord,
  parsePeerRecord,
  signPeerRecord,
  verifyPeerRecord,
} from "../../src/htx/peer_record.ts";
import { Opener, Sealer } from "../../src/htx/protection.ts";
import type { Established } from "../../src/htx/session.ts";
import { ticketHash } from "../../src/htx/ticket.ts";
import {
  DEFAULT_TICKET_POLICY,
  formatTicketOffer,
} from "../../src/htx/ticket_policy.ts";
import vectors from "../vectors/betanet/session.json" with { type: "json" };

type Vector = typeof vectors.sessions[number];

Deno.test("signPeerRecord() and verifyPeerRecord() agree with session.json", () => {
  const { record } = vectors;
  const seed = decodeHex(record.identity_seed);
  const bytes = parsePeerRecord(record.text);
  const decoded = verifyPeerRecord(nodeProvider, bytes, { wallTimeMs: 0 });
  assertEquals(decoded, {
    publicKey: nodeProvider.ed25519.publicKey(seed),
    sequence: 1_795_000_000,
    expiresMs: 1_800_000_000_000,
    addresses: ["tcp://example.org:443", "quic://[2001:db8::1]:443"],
    staticKey: nodeProvider.x25519.publicKey(
      decodeHex(vectors.sessions[0]!.server_static),
    ),
    tickets: [{
      policy: DEFAULT_TICKET_POLICY,
      keyId: decodeHex(record.ticket_key_id),
      publicKey: decodeHex(record.ticket_public),
      cookieName: "__Host-sid",
    }],
  });
  assertEquals(formatTicketOffer(decoded.tickets[0]!), record.offer);
  const signed = signPeerRecord(nodeProvider, seed, decoded);
  assertEquals(formatPeerRecord(signed), record.text);
});

for (const vector of vectors.sessions) {
  const { suite, exporter } = vector;
  const name = `${suite}, ${exporter.length / 2} bytes of exporter`;

  Deno.test(`Handshake writes the messages and derives the keys of session.json: ${name}`, () => {
    const { client, server } = shakeHands(vector);
    for (const { keys } of [client, server]) {
      assertEquals(encodeHex(keys.client.key), vector.K0c);
      assertEquals(encodeHex(keys.server.key), vector.K0s);
      assertEquals(encodeHex(keys.client.nonceSalt), vector.NSc);
      assertEquals(encodeHex(keys.server.nonceSalt), vector.NSs);
      assertEquals(
        encodeHex(keys.client.transcriptHash),
        vector.handshake_hash,
      );
    }
    const next = nextTrafficKeys(nodeProvider, client.keys.client);
    assertEquals(encodeHex(next.key), vector.K1c);
  });

  Deno.test(`Opener and Sealer agree with the frames of session.json: ${name}`, () => {
    const { keys } = shakeHands(vector).client;
    checkFrames(keys.client, vector.client_frames);
    checkFrames(keys.server, vector.server_frames);
  });
}

/** Runs both ends over the fixed values, and checks every byte between them. */
function shakeHands(
  vector: Vector,
): { client: Established; server: Established } {
  const client = end("client", vector);
  const server = end("server", vector);
  const wire = [client.start(0)];
  for (const taker of [server, client, server]) {
    const reply = taker.feed(wire.at(-1)!, 0);
    if (reply) wire.push(reply);
  }
  assertEquals(wire.map(encodeHex), vector.wire);
  return { client: client.established!, server: server.established! };
}

function end(role: "client" | "server", vector: Vector): Handshake {
  const crypto = fixedRandom(decodeHex(vector[`${role}_random`]));
  const serverKey = decodeHex(vector.server_static);
  return new Handshake({
    role,
    crypto,
    staticKeyPair: x25519KeyPair(
      crypto,
      decodeHex(vector[`${role}_static`]),
    ),
    ...(role === "client" && {
      remoteStaticKey: crypto.x25519.publicKey(serverKey),
    }),
    ticketHash: ticketHash(crypto, decodeHex(vector.ticket)),
    parameters: decodeParameters(decodeHex(vector[`${role}_parameters`])),
    classic: vector.suite === "classic",
    wallTimeMs: Date.UTC(2026, 11, 31),
    ...(vector.exporter !== "" && { exporter: decodeHex(vector.exporter) }),
  });
}

/** Draws `bytes`, in order, and nothing else. */
function fixedRandom(bytes: Bytes): CryptoProvider {
  let at = 0;
  const random = (length: number): Bytes => {
    if (at + length > bytes.length) throw new RangeError("Drawn too much");
    return bytes.slice(at, at += length);
  };
  const { mlKem768 } = nodeProvider;
  return {
    ...nodeProvider,
    random,
    mlKem768: {
      generateKeyPair: (seed = random(64)) => mlKem768.generateKeyPair(seed),
      encapsulate: (key, seed = random(32)) => mlKem768.encapsulate(key, seed),
      decapsulate: (key, text) => mlKem768.decapsulate(key, text),
    },
  };
}

/** Opens each frame, and seals its payload to the same bytes; a KEY_UPDATE moves both on. */
function checkFrames(keys: TrafficKeys, frames: readonly string[]): void {
  const opener = new Opener(nodeProvider, copy(keys));
  const sealer = new Sealer(nodeProvider, copy(keys), 0);
  const stale = new Opener(nodeProvider, copy(keys));
  for (const hex of frames) {
    const frame = decodeHex(hex);
    const header = decodeFrameHeader(frame, 0, frame.length, 0xffff)!;
    const payload = opener.open(frame, 0, header);
    const out = new Uint8Array(frame.length);
    out.set(payload, header.headerLength);
    sealer.seal(header.type, header.streamId, header.length, out, 0);
    assertEquals(encodeHex(out), hex);
    if (opener.generation === 0) stale.open(frame, 0, header);
    else assertThrows(() => stale.open(frame, 0, header), HtxError);
    if (header.type === FRAME_TYPE.keyUpdate) {
      opener.rekey();
      sealer.rekey(0);
    }
  }
}

function copy(keys: TrafficKeys): TrafficKeys {
  return {
    key: keys.key.slice(),
    secret: keys.secret.slice(),
    nonceSalt: keys.nonceSalt.slice(),
    transcriptHash: keys.transcriptHash.slice(),
  };
}
