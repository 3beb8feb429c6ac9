import { assert, assertEquals } from "@std/assert";
import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import { decodeX509 } from "../../src/tls/certificates/x509_certificate.ts";
import type { Session } from "../../src/tls/session_cache.ts";
import { TicketKeys } from "../../src/tls/ticket_keys.ts";
import { testCertificate } from "./_certificates.ts";
import { connect, newClient, newServer, NOW, offersOf } from "./_tls_pair.ts";

const HOUR_MS = 3_600_000;
const WEEK_MS = 168 * HOUR_MS;

/** The sessions of a connection at `nowMs` that resumes `session`, if given. */
function sessionOf(
  tickets: TicketKeys,
  nowMs: number,
  session?: Session,
): Session {
  using client = newClient(offersOf(), session, nowMs);
  using server = newServer({ tickets, wallTime: () => nowMs });
  connect(client, server);
  assertEquals(client.agreement!.resumed, session !== undefined);
  return client.takeSessions(nowMs)[0]!;
}

Deno.test("a row of resumed sessions is trusted for seven days from the first handshake, at both ends", () => {
  const hours = 100;
  using tickets = new TicketKeys(crypto, { lifetimeMs: hours * HOUR_MS });
  const first = sessionOf(tickets, NOW);
  assertEquals(first.trustedUntilMs, NOW + WEEK_MS);
  const laterMs = NOW + 99 * HOUR_MS;
  const { ticket, trustedUntilMs } = sessionOf(tickets, laterMs, first);
  assertEquals(trustedUntilMs, NOW + WEEK_MS);
  assert(tickets.open(ticket, NOW + WEEK_MS - 1));
  assertEquals(tickets.open(ticket, NOW + WEEK_MS), undefined);
});

Deno.test("a session is trusted no longer than the server's certificate", () => {
  using tickets = new TicketKeys(crypto);
  const [der] = testCertificate("p256").chain;
  const { notAfterMs } = decodeX509(der!);
  const session = sessionOf(tickets, notAfterMs - HOUR_MS);
  assertEquals(session.trustedUntilMs, notAfterMs);
});
