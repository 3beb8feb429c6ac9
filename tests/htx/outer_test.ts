import { assertEquals, assertRejects } from "@std/assert";
import { concat, utf8 } from "../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import {
  type Connection,
  TransportError,
} from "../../src/core/transport/mod.ts";
import { findTicket } from "../../src/htx/carrier.ts";
import { HtxError } from "../../src/htx/error.ts";
import {
  type Outer,
  outerFor,
  plainOuter,
  type Visit,
  webSocketOuter,
} from "../../src/htx/outer.ts";
import { DEFAULT_TICKET_POLICY } from "../../src/htx/ticket_policy.ts";
import { connectionPair } from "./tunnel/_pair.ts";

const ADMITTED = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream";

function visit(odds = DEFAULT_TICKET_POLICY.odds): Visit {
  return {
    address: "tcp://example.org:443",
    host: "example.org",
    path: "/path",
    offer: {
      policy: { ...DEFAULT_TICKET_POLICY, odds },
      keyId: new Uint8Array(8),
      publicKey: new Uint8Array(32),
      cookieName: "__Host-sid",
    },
    ticket: new Uint8Array(140).fill(5),
  };
}

/** What `outer` makes of a server that answers with `answer` once it has the ticket. */
async function present(outer: Outer, answer: Uint8Array, of: Visit = visit()) {
  const [near, far] = await connectionPair();
  const serving = serve(far, answer);
  try {
    const { connection, leftover } = await outer(near, of, nodeProvider);
    assertEquals(connection.remoteAddress !== "", true);
    return new TextDecoder().decode(leftover);
  } finally {
    near.close();
    await serving.catch(() => {});
    far.close();
  }
}

async function serve(far: Connection, answer: Uint8Array): Promise<void> {
  const buffer = new Uint8Array(4_096);
  for (let length = 0;;) {
    const n = await far.read(buffer.subarray(length));
    if (n === null) return;
    length += n;
    const found = findTicket(buffer.subarray(0, length), "__Host-sid");
    if (typeof found !== "object") continue;
    assertEquals(found.payload, visit().ticket);
    await far.write(answer);
    return await far.closeWrite();
  }
}

Deno.test("plainOuter() gives what arrived behind the server's answer", async () => {
  const answer = concat(utf8(`${ADMITTED}\r\n\r\n`), utf8("frames"));
  assertEquals(await present(plainOuter, answer), "frames");
});

for (
  const [name, head] of [
    ["404", "HTTP/1.1 404 Not Found"],
    ["a redirect", `HTTP/1.1 301 Moved\r\nLocation: /`],
    ["a page", "HTTP/1.1 200 OK\r\nContent-Type: text/html"],
    ["no type", "HTTP/1.1 200 OK\r\nServer: nginx"],
    ["a file", `${ADMITTED}\r\nContent-Length: 9`],
    ["a chunked file", `${ADMITTED}\r\nTransfer-Encoding: chunked`],
  ] as const
) {
  Deno.test(`plainOuter() takes ${name} for the decoy`, async () => {
    const error = await assertRejects(
      () => present(plainOuter, utf8(`${head}\r\n\r\n`)),
      HtxError,
    );
    assertEquals(error.code, "refused");
  });
}

Deno.test("plainOuter() passes on that the connection ended", async () => {
  for (const answer of ["", "HTTP/1.1 200 OK\r\nContent-"]) {
    await assertRejects(
      () => present(plainOuter, utf8(answer)),
      TransportError,
    );
  }
});

Deno.test("webSocketOuter() takes any answer but 101 for the decoy, and a wrong 101 for a failure", async () => {
  const refused = await assertRejects(
    () => present(webSocketOuter, utf8("HTTP/1.1 404 Not Found\r\n\r\n")),
    HtxError,
  );
  assertEquals(refused.code, "refused");
  assertEquals((refused.cause as TransportError).code, "unreachable");
  const upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n" +
    "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n";
  const wrong = await assertRejects(
    () =>
      present(
        webSocketOuter,
        utf8(`HTTP/1.1 101 Switching Protocols\r\n${upgrade}`),
      ),
    TransportError,
  );
  assertEquals(wrong.code, "malformed");
});

Deno.test("webSocketOuter() cannot use a policy that knows only bodies", async () => {
  const odds = { cookie: 0, query: 0, body: 10_000 };
  const error = await assertRejects(
    () => present(webSocketOuter, new Uint8Array(0), visit(odds)),
    HtxError,
  );
  assertEquals(error.code, "incompatible");
});

Deno.test("outerFor() goes by the scheme", () => {
  assertEquals(outerFor("ws://example.org:80/path"), webSocketOuter);
  for (const address of ["tcp://a:1", "quic://a:1"]) {
    assertEquals(outerFor(address), plainOuter);
  }
});
