import { assert, assertEquals } from "@std/assert";
import { concat } from "../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import { profileOffers } from "../../src/tls/offer_maker.ts";
import { TicketKeys } from "../../src/tls/ticket_keys.ts";
import { checkClientOffer } from "../../src/tls/client_hello_check.ts";
import { readClientOffer } from "../../src/tls/client_offer.ts";
import { negotiate, type Preferences } from "../../src/tls/negotiate.ts";
import { SERVER_GROUPS } from "../../src/tls/server_key_share.ts";
import { CIPHER_SUITE } from "../../src/tls/suite.ts";
import { asFatal } from "../../src/tls/error.ts";
import { TlsError } from "../../src/tls/mod.ts";
import { decodeClientHello, profileOf } from "../../src/utls/mod.ts";
import {
  certificateOf,
  connect,
  newClient,
  newServer,
  NOW,
} from "./_tls_pair.ts";

const SEED = 20_261_122;
const NEGOTIATIONS = 100_000;
const HANDSHAKES = 600;

Deno.test(`negotiate() judges ${NEGOTIATIONS} mutated hellos without other errors than alerts`, () => {
  using tickets = new TicketKeys(crypto);
  const random = generator(SEED);
  const hellos = sampleHellos(tickets);
  const preferences: Preferences = {
    suites: Object.values(CIPHER_SUITE),
    groups: SERVER_GROUPS,
    alpn: ["h2", "http/1.1"],
    certificates: [certificateOf("p256"), certificateOf("rsa")],
    openTicket: (ticket) => tickets.open(ticket, NOW),
  };
  let agreed = 0;
  for (let i = 0; i < NEGOTIATIONS; i++) {
    const hello = mutate(hellos[i % hellos.length]!.subarray(5), random);
    try {
      const offer = readClientOffer(decodeClientHello(hello));
      checkClientOffer(offer);
      negotiate(offer, preferences, crypto);
      agreed++;
    } catch (error) {
      assert(asFatal(error).alert !== "internalError", String(error));
    }
  }
  assert(agreed > NEGOTIATIONS / 100 && agreed < NEGOTIATIONS);
});

Deno.test(`TlsServer ends ${HANDSHAKES} mutated handshakes by an alert, or goes on`, () => {
  using tickets = new TicketKeys(crypto);
  const random = generator(SEED);
  const hellos = sampleHellos(tickets);
  const ends = new Map<string, number>();
  for (let i = 0; i < HANDSHAKES; i++) {
    const server = newServer({ tickets, alpn: ["h2", "http/1.1"] });
    const end = endOf(() => {
      const bytes = mutate(hellos[i % hellos.length]!, random);
      const cut = random(bytes.length + 1);
      server.receive(bytes.subarray(0, cut));
      server.receive(bytes.subarray(cut));
      for (let j = 0; j < 3; j++) server.receive(randomRecord(random));
    });
    assert(server.takeOutput().length < 8_192);
    ends.set(end, (ends.get(end) ?? 0) + 1);
  }
  assertEquals(ends.has("internalError"), false);
  assert(ends.size > 6, [...ends].join());
});

/** Records of first flights: Chrome's with and without a ticket, of some versions. */
function sampleHellos(tickets: TicketKeys): Uint8Array[] {
  return [106, 119, 131, "latest" as const].flatMap((version) => {
    const offers = () =>
      profileOffers(profileOf(version), { crypto, serverName: "localhost" });
    const first = newClient(offers());
    connect(first, newServer({ tickets }));
    const [session] = first.takeSessions(NOW);
    return [newClient(offers()), newClient(offers(), session!)]
      .map((client) => client.takeOutput());
  });
}

/** One to four bytes changed, inserted, left out, or the end cut off. */
function mutate(bytes: Uint8Array, random: (below: number) => number) {
  let mutated = bytes.slice();
  for (let count = 1 + random(4); count > 0; count--) {
    const at = random(mutated.length);
    switch (random(5)) {
      case 0:
        mutated[at]! ^= 1 << random(8);
        break;
      case 1:
        mutated[at] = random(256);
        break;
      case 2:
        mutated = concat(
          mutated.subarray(0, at),
          Uint8Array.of(random(256)),
          mutated.subarray(at),
        );
        break;
      case 3:
        mutated.copyWithin(at, at + 1 + random(40));
        break;
      case 4:
        if (random(8) === 0) mutated = mutated.slice(0, at + 1);
    }
  }
  return mutated;
}

function randomRecord(random: (below: number) => number): Uint8Array {
  const length = random(64);
  const record = new Uint8Array(5 + length).map(() => random(256));
  record.set([20 + random(4), 3, 3, 0, length]);
  return record;
}

function endOf(run: () => void): string {
  try {
    run();
    return "open";
  } catch (error) {
    assert(error instanceof TlsError, String(error));
    return error.alert ?? error.code;
  }
}

/** Numbers below a limit, the same each time (xorshift). */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
