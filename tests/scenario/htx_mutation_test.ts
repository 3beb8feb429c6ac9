import { assert, assertEquals } from "@std/assert";
import { concat, DecodeError, equal } from "../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import {
  type Connection,
  encodeResponseHead,
  TransportError,
} from "../../src/core/transport/mod.ts";
import { HtxError } from "../../src/htx/error.ts";
import { plainOuter } from "../../src/htx/outer.ts";
import { DEFAULT_TICKET_POLICY } from "../../src/htx/ticket_policy.ts";
import { FrameFuzzer } from "../htx/_frame_fuzzer.ts";
import { advance, handshakePair, taker } from "../htx/_handshake_pair.ts";
import { generator, mutate } from "../htx/_mutation.ts";
import { MuxPair, pattern, readAll } from "../htx/_mux_pair.ts";
import { repeatableCrypto } from "../htx/_repeatable_crypto.ts";
import { report } from "./_line_process.ts";

type Outcomes = Record<string, number>;

/** Counts and returns what `attempt` came to; an error of a type that callers do not know fails the test. */
function count(outcomes: Outcomes, attempt: () => string): string {
  const outcome = outcomeOf(attempt);
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  return outcome;
}

function outcomeOf(attempt: () => string): string {
  try {
    return attempt();
  } catch (error) {
    return codeOf(error);
  }
}

function codeOf(error: unknown): string {
  if (error instanceof HtxError || error instanceof TransportError) {
    return error.code;
  }
  if (error instanceof DecodeError) return "undecodable";
  throw error;
}

function print(what: string, total: number, ms: number, outcomes: Outcomes) {
  const list = Object.entries(outcomes).map(([name, n]) => `${name} ${n}`);
  report(
    `${total} ${what} in ${(ms / 1_000).toFixed(1)} s: ${list.join(", ")}`,
  );
}

Deno.test("Mux survives 20,000 mutated batches", () => {
  const random = generator(21);
  const outcomes: Outcomes = {};
  const startedAtMs = performance.now();
  const { batch } = batchPair();
  for (let i = 0; i < 20_000; i++) {
    const { server } = new MuxPair();
    const bytes = i % 50 ? mutate(batch, random) : pattern(i, i);
    count(outcomes, () => {
      const used = server.mux.feed(bytes, 0);
      assert(used <= bytes.length);
      return used === bytes.length && equal(bytes, batch.subarray(0, used))
        ? "intact"
        : "waiting";
    });
    assert(server.mux.stats.bytesIn <= 40);
  }
  print("mutated batches", 20_000, performance.now() - startedAtMs, outcomes);
  assert(outcomes["unauthenticated"]! > 10_000);
  assert(outcomes["undecodable"]! > 100);
});

/** What an honest client sends: data, a PING, the end of the stream. */
function batchPair(): { batch: Uint8Array } {
  const pair = new MuxPair({ crypto: repeatableCrypto(3) });
  const stream = pair.client.mux.open();
  pair.client.mux.offer(stream, pattern(40));
  pair.client.mux.ping(0);
  pair.client.mux.finish(stream);
  return { batch: pair.batch(pair.client) };
}

Deno.test("Mux survives 60,000 frames of a peer that owns the keys and keeps no rule", () => {
  const random = generator(22);
  const outcomes: Outcomes = {};
  const startedAtMs = performance.now();
  let sessions = 0;
  let fed = 0;
  while (fed < 60_000) {
    const { server } = new MuxPair();
    const fuzzer = new FrameFuzzer(random);
    sessions++;
    for (let outcome = "taken"; outcome === "taken" && fed < 60_000; fed++) {
      const frame = fuzzer.next();
      outcome = count(outcomes, () => {
        assertEquals(server.mux.feed(frame, 0), frame.length);
        return server.closed ? "closed" : "taken";
      });
      assert(server.mux.stats.streams <= 1_024);
      const held = server.opened.reduce((n, s) => n + s.received.length, 0);
      assert(held <= 16 * 2 ** 20);
      for (const stream of server.opened) {
        if (random(4) === 0) readAll(server, stream);
      }
      server.mux.poll(0);
    }
  }
  const ms = performance.now() - startedAtMs;
  print(`hostile frames of ${sessions} sessions`, fed, ms, outcomes);
  for (const code of ["violation", "undecodable", "malformed", "closed"]) {
    assert(outcomes[code]! > 10, code);
  }
});

Deno.test("Handshake survives 10,000 mutated messages", () => {
  const random = generator(23);
  const outcomes: Outcomes = {};
  const startedAtMs = performance.now();
  for (let i = 0; i < 10_000; i++) {
    const classic = i % 2 === 0;
    const pair = handshakePair({ classic }, { classic: true });
    const message = advance(pair, i % 3);
    const bytes = mutate(message, random);
    const end = taker(pair, i % 3);
    count(outcomes, () => {
      end.feed(bytes, 0);
      return equal(bytes.subarray(0, message.length), message)
        ? "intact"
        : "waiting";
    });
    assert(
      !end.established || equal(bytes.subarray(0, message.length), message),
    );
  }
  const ms = performance.now() - startedAtMs;
  print("mutated handshake messages", 10_000, ms, outcomes);
  for (const code of ["unauthenticated", "malformed", "incompatible"]) {
    assert(outcomes[code]! > 10, code);
  }
});

Deno.test("plainOuter() survives 10,000 mutated answers", async () => {
  const random = generator(24);
  const outcomes: Outcomes = {};
  const startedAtMs = performance.now();
  const answer = encodeResponseHead({
    status: 200,
    reason: "OK",
    fields: [
      ["Server", "nginx"],
      ["Content-Type", "application/octet-stream"],
      ["Connection", "close"],
    ],
  });
  for (let i = 0; i < 10_000; i++) {
    const bytes = mutate(concat(answer, pattern(i % 100, i)), random);
    const outcome = await plainOuter(answering(bytes), VISIT, nodeProvider)
      .then(() => "admitted", codeOf);
    count(outcomes, () => outcome);
  }
  const ms = performance.now() - startedAtMs;
  print("mutated answers", 10_000, ms, outcomes);
  for (const code of ["admitted", "refused", "undecodable", "reset"]) {
    assert(outcomes[code]! > 100, code);
  }
});

const VISIT = {
  address: "tcp://example.org:443",
  host: "example.org",
  path: "/",
  offer: {
    policy: DEFAULT_TICKET_POLICY,
    keyId: new Uint8Array(8),
    publicKey: new Uint8Array(32),
    cookieName: "__Host-sid",
  },
  ticket: new Uint8Array(129),
};

/** A connection on which `bytes` arrive, whatever is asked. */
function answering(bytes: Uint8Array): Connection {
  let at = 0;
  const connection: Pick<Connection, "read" | "write"> = {
    read(buffer) {
      const part = bytes.subarray(at, at + buffer.length);
      buffer.set(part);
      at += part.length;
      return Promise.resolve(part.length || null);
    },
    write: () => Promise.resolve(),
  };
  return connection as Connection;
}
