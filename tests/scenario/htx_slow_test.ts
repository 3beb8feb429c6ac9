import { assert, assertEquals } from "@std/assert";
import { concat, utf8 } from "../../src/core/bytes/mod.ts";
import { type Connection, dialTcp } from "../../src/core/transport/mod.ts";
import { readAll } from "../htx/_prober.ts";
import { ticketRequest } from "../htx/_ticket_request.ts";
import { report } from "./_line_process.ts";
import { ServerKeys, ServerProcess } from "./_server_process.ts";

const CLIENTS = 50;
const DEADLINE_MS = 1_500;
/** How late a busy machine may be. */
const LATE_MS = 15_000;
const NEVER_ENDING = utf8(`Cookie: ${"a".repeat(1_000)}`);
const NEVER_ENDING_HANDSHAKE = concat(
  Uint8Array.of(0x02, 0x04, 0xe0),
  new Uint8Array(1_200),
);

Deno.test("HTX cuts 100 slow clients over TCP while it serves others", async () => {
  const keys = new ServerKeys();
  await using server = await ServerProcess.start({
    server: { requestTimeoutMs: DEADLINE_MS, handshakeTimeoutMs: DEADLINE_MS },
  }, keys);
  const many = (first: () => Uint8Array, rest: Uint8Array) =>
    Promise.all(
      Array.from({ length: CLIENTS }, async () => {
        const connection = await dialTcp(server.address);
        return await trickle(connection, first(), rest);
      }),
    );
  const ticket = () => ticketRequest(keys.offer, Date.now());
  const heads = many(() => utf8("GET / HTTP/1.1\r\n"), NEVER_ENDING);
  const handshakes = many(ticket, NEVER_ENDING_HANDSHAKE);
  await using session = await server.dial();
  assert(await session.ping() >= 0);
  const asked = await heads;
  const shaken = await handshakes;
  const { counts, gate } = await server.stats();
  for (const { answer } of asked) assertEquals(answer.slice(9, 12), "404");
  for (const { answer, ms } of shaken) {
    assertEquals(answer.slice(9, 12), "200");
    assert(ms >= DEADLINE_MS && ms < DEADLINE_MS + LATE_MS, `${ms} ms`);
  }
  assertEquals(counts.incomplete, CLIENTS);
  assertEquals(counts.handshakeBroken, CLIENTS);
  assertEquals(gate["admitted"], CLIENTS + 1);
  const last = Math.max(...shaken.map(({ ms }) => ms));
  report(
    `${CLIENTS} slow requests to the decoy, ${CLIENTS} slow handshakes cut after ${DEADLINE_MS} to ${
      last.toFixed(0)
    } ms`,
  );
});

/** Writes `first`, and a byte of `rest` every 20 ms, until the server has had enough. */
async function trickle(
  connection: Connection,
  first: Uint8Array,
  rest: Uint8Array,
): Promise<{ answer: string; ms: number }> {
  await using _ = connection;
  const startedAtMs = performance.now();
  let ended = false;
  const answer = readAll(connection).finally(() => ended = true);
  try {
    await connection.write(first);
    for (let at = 0; at < rest.length && !ended; at++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      await connection.write(rest.subarray(at, at + 1));
    }
  } catch {
    // It was cut, which is what the test is about.
  }
  const text = new TextDecoder().decode(await answer);
  return { answer: text, ms: performance.now() - startedAtMs };
}
