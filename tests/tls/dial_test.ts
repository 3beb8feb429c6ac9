import { assert, assertEquals, assertRejects } from "@std/assert";
import { VirtualClock } from "../../src/core/async/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import {
  type Connection,
  MemoryNetwork,
  TransportError,
} from "../../src/core/transport/mod.ts";
import type { TlsConnection } from "../../src/tls/connection.ts";
import { dialTls, type DialTlsOptions } from "../../src/tls/dial.ts";
import { listenTls, type TlsListener } from "../../src/tls/listen.ts";
import { SessionCache } from "../../src/tls/session_cache.ts";
import { TicketKeys } from "../../src/tls/ticket_keys.ts";
import { TlsError } from "../../src/tls/mod.ts";
import { EXTENSION, profileOf } from "../../src/utls/mod.ts";
import { protocols } from "./_client_hello.ts";
import { certificateOf, offersOf } from "./_tls_pair.ts";

Deno.test("dialTls() resumes a session with the same host, port and protocols only", async () => {
  using tickets = new TicketKeys(defaultProvider());
  using sessions = new SessionCache();
  const network = new MemoryNetwork();
  await using one = await listenAt(network, "memory://far:1", tickets);
  await using other = await listenAt(network, "memory://far:2", tickets);
  const resumes = async (
    listener: TlsListener,
    options: Partial<DialTlsOptions>,
  ) => await exchange(network, listener, { sessions, ...options });
  assertEquals(await resumes(one, {}), false);
  assertEquals(sessions.size, 2);
  assertEquals(await resumes(other, {}), false);
  assertEquals(await resumes(one, { variant: "websocket" }), false);
  assertEquals(await resumes(one, { alpn: ["h2"] }), false);
  assertEquals(await resumes(one, { serverName: "server.example" }), false);
  assertEquals(await resumes(one, { serverName: "LOCALHOST" }), true);
  assertEquals(await resumes(one, {}), true);
});

Deno.test("dialTls() resumes no session of another browser", async () => {
  using tickets = new TicketKeys(defaultProvider());
  using sessions = new SessionCache();
  const network = new MemoryNetwork();
  await using listener = await listenAt(network, "memory://far:1", tickets);
  const resumed: boolean[] = [];
  for (const version of [133, 120, 133]) {
    const profile = profileOf(version);
    resumed.push(await exchange(network, listener, { sessions, profile }));
  }
  const offers = offersOf({ with: { [EXTENSION.alpn]: protocols("h2") } });
  resumed.push(await exchange(network, listener, { sessions, offers }));
  assertEquals(resumed, [false, false, true, false]);
});

Deno.test("dialTls() judges by the server name that browsers would send", async () => {
  using tickets = new TicketKeys(defaultProvider());
  const network = new MemoryNetwork();
  await using listener = await listenAt(network, "memory://far:1", tickets);
  const names: string[] = [];
  for (const serverName of ["B\u00fccher.Example.", "[::1]", "0x7f.1"]) {
    await exchange(network, listener, {
      serverName,
      verify: (_, subject) =>
        Promise.resolve(void names.push(subject.serverName)),
    });
  }
  assertEquals(names, ["xn--bcher-kva.example", "::1", "127.0.0.1"]);
  const transport = await network.transport("near").dial(listener.address);
  await assertRejects(
    () =>
      dialTls(transport, {
        serverName: "a b",
        verify: () => Promise.resolve(),
      }),
    TypeError,
    "host name or IP address",
  );
  await transport.closed;
});

Deno.test("dialTls() tells a server whose certificates a verifier throws at", async () => {
  using tickets = new TicketKeys(defaultProvider());
  const network = new MemoryNetwork();
  await using listener = await listenAt(network, "memory://far:1", tickets);
  const transport = await network.transport("near").dial(listener.address);
  const error = await assertRejects(
    () =>
      dialTls(transport, {
        serverName: "localhost",
        verify() {
          throw new Error("Not today");
        },
      }),
    TlsError,
  );
  assertEquals(error.alert, "certificateUnknown");
});

Deno.test("dialTls() judges certificates once, at the time of its clock", async () => {
  using tickets = new TicketKeys(defaultProvider());
  using sessions = new SessionCache();
  const network = new MemoryNetwork();
  const clock = new VirtualClock();
  await using listener = await listenAt(network, "memory://far:1", tickets);
  const judged: unknown[] = [];
  for (let i = 0; i < 2; i++) {
    await exchange(network, listener, {
      sessions,
      clock,
      verify(chain, subject) {
        judged.push([chain.length, subject]);
        return Promise.resolve();
      },
    });
  }
  const subject = { serverName: "localhost", wallTimeMs: clock.wallTime() };
  assertEquals(judged, [[2, subject]]);
});

Deno.test("dialTls() without a cache resumes nothing", async () => {
  using tickets = new TicketKeys(defaultProvider());
  const network = new MemoryNetwork();
  await using listener = await listenAt(network, "memory://far:1", tickets);
  for (let i = 0; i < 2; i++) {
    assertEquals(await exchange(network, listener, {}), false);
  }
});

Deno.test("dialTls() leaves a session where it is if told not to resume, and keeps the new ones", async () => {
  using tickets = new TicketKeys(defaultProvider());
  using sessions = new SessionCache();
  const network = new MemoryNetwork();
  await using listener = await listenAt(network, "memory://far:1", tickets);
  for (let i = 0; i < 2; i++) {
    const options = { sessions, resume: false };
    assertEquals(await exchange(network, listener, options), false);
    assertEquals(sessions.size, 2);
  }
  assertEquals(await exchange(network, listener, { sessions }), true);
});

Deno.test("a client's connection knows the lengths of its tickets", async () => {
  using tickets = new TicketKeys(defaultProvider());
  using sessions = new SessionCache();
  const network = new MemoryNetwork();
  await using listener = await listenAt(network, "memory://far:1", tickets);
  const seen: (readonly number[])[] = [];
  const see = ({ ticketLengths }: TlsConnection) => seen.push(ticketLengths);
  await exchange(network, listener, { sessions }, see);
  await exchange(network, listener, { sessions }, see);
  const [length] = seen[0]!;
  assert(length === 208 || length === 224, `${length}`);
  assertEquals(seen, [[length, length], [length]]);
});

Deno.test("dialTls() reaches addresses, and says where nobody is", async () => {
  const error = await assertRejects(
    () =>
      dialTls("tcp://127.0.0.1:1", {
        serverName: "localhost",
        verify: () => Promise.resolve(),
      }),
    TransportError,
  );
  assertEquals(error.code, "unreachable");
  await assertRejects(
    () =>
      dialTls("gopher://127.0.0.1:1", {
        serverName: "localhost",
        verify: () => Promise.resolve(),
      }),
    TypeError,
  );
});

Deno.test("dialTls() closes a connection that it cannot draw a hello for", async () => {
  const network = new MemoryNetwork();
  await using listener = await network.transport("far").listen("memory://far");
  const transport = await network.transport("near").dial(listener.address);
  const offers = {
    ...offersOf(),
    first(): never {
      throw new RangeError("No hello today");
    },
  };
  using sessions = new SessionCache();
  const psk = new Uint8Array(32).fill(1);
  sessions.put(JSON.stringify(["localhost", "", "page", "own offers"]), {
    cipherSuite: 0x1301,
    psk,
    ticket: new Uint8Array(100),
    ageAdd: 0,
    lifetimeS: 7_200,
    receivedAtMs: 0,
    trustedUntilMs: Infinity,
    peerCertificates: [],
  });
  await assertRejects(
    () =>
      dialTls(transport, {
        serverName: "localhost",
        verify: () => Promise.resolve(),
        offers,
        sessions,
        clock: new VirtualClock(),
      }),
    RangeError,
    "No hello today",
  );
  await transport.closed;
  assertEquals(psk, new Uint8Array(32));
});

async function listenAt(
  network: MemoryNetwork,
  address: string,
  tickets: TicketKeys,
): Promise<TlsListener> {
  return listenTls(await network.transport("far").listen(address), {
    certificates: [certificateOf("p256")],
    alpn: ["h2", "http/1.1"],
    tickets,
  });
}

/** Whether a connection was resumed over which a byte went forth and back. */
async function exchange(
  network: MemoryNetwork,
  listener: TlsListener,
  options: Partial<DialTlsOptions>,
  see: (connection: TlsConnection) => void = () => {},
): Promise<boolean> {
  const accepted = listener[Symbol.asyncIterator]().next();
  const transport = await network.transport("near").dial(listener.address);
  await using near = await dialTls(transport, {
    serverName: "localhost",
    verify: () => Promise.resolve(),
    ...options,
  });
  await using far: Connection = (await accepted).value;
  await far.write(Uint8Array.of(1));
  assertEquals(await near.read(new Uint8Array(9)), 1);
  assert(near.alpn);
  see(near);
  return near.resumed;
}
