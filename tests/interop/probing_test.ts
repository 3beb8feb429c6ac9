import { assertEquals, assertNotEquals } from "@std/assert";
import { concat } from "../../src/core/bytes/mod.ts";
import { CARRIERS } from "../../src/htx/carrier.ts";
import type { TicketOffer } from "../../src/htx/ticket_policy.ts";
import {
  ticketRequest,
  type TicketRequestChoice,
} from "../htx/_ticket_request.ts";
import { isAvailable } from "./_peers.ts";
import {
  IMPATIENT,
  makeSite,
  ORIGIN_KINDS,
  type OriginKind,
  type Patience,
  PATIENT,
  type ProbedServer,
  startProbedNginx,
  startProbedServer,
} from "./_probed_servers.ts";
import { greeting, inHttp2 } from "./_http2_probes.ts";
import { http2, PATIENCE_PROBES, PROBES } from "./_probes.ts";
import { type Probe, probe } from "./_tls_prober.ts";

/**
 * What tells HtxServer from the nginx behind it, and why; docs/threat_model.md has the same reasons.
 *
 * Everything else that is asked must be answered the same.
 */
const DIFFERENCES: readonly {
  readonly why: string;
  readonly probes: readonly string[];
  /** Whether only what comes before the end, and how it ends, may differ, and need not. */
  readonly races?: boolean;
  readonly only?: readonly OriginKind[];
}[] = [
  {
    why:
      "we take record_size_limit (RFC 8449) and no maximal fragment length, OpenSSL 3.0 the other way round",
    probes: [
      "handshake: a record_size_limit",
      "handshake: a maximal fragment length",
    ],
  },
  {
    why:
      "we answer at most 32 key updates without data between them, as BoringSSL, and several at once by one",
    probes: ["TLS: 40 key updates"],
  },
  {
    why: "an alert of one byte is a decode_error, as RFC 8446 has it",
    probes: ["TLS: a broken alert"],
  },
  {
    why: "nginx closes on what it has not read, and so resets the connection",
    probes: ["handshake: an oversized record"],
  },
  {
    why: "a reset by the origin may overtake its alert on the way through us",
    races: true,
    only: ["https", "https 1.2"],
    probes: ["handshake: a message of 200 KiB"],
  },
  {
    why:
      "an origin without TLS cannot say what nginx says to those who speak none at its TLS port",
    only: ["plain"],
    probes: [
      "handshake: HTTP/1.1 without TLS",
      "handshake: HTTP/1.1 slowly without TLS",
      "handshake: HTTP/2 without TLS",
      "handshake: SSH",
      "handshake: SOCKS5",
      "handshake: zeros",
      "handshake: random bytes",
      "handshake: an unknown record type",
      "handshake: a heartbeat",
      "handshake: application data first",
      "handshake: an alert first",
      "handshake: a warning first",
      "handshake: close_notify first",
      "handshake: a long alert first",
      "handshake: change_cipher_spec first",
      "handshake: change_cipher_spec and a hello",
    ],
  },
  {
    why:
      "our own alerts for broken hellos are those of RFC 8446, RFC 9001 and RFC 6066; OpenSSL has others, or none",
    only: ["plain"],
    probes: [
      "handshake: SSL 2",
      "handshake: SSL 3",
      "handshake: an empty name",
      "handshake: no suites",
      "handshake: no compression methods",
      "handshake: an empty handshake record",
      "handshake: random bytes that begin as a record",
      "handshake: QUIC parameters",
    ],
  },
  {
    why: "OpenSSL has X448, P-521 and finite fields",
    only: ["plain"],
    probes: ["handshake: groups of OpenSSL alone"],
  },
  {
    why: "an origin without TLS does not know that its visitors use it",
    only: ["plain"],
    probes: ["TLS: a folder", "HTTP/2: a folder"],
  },
  {
    why:
      "without TLS at the origin, its patience being at an end looks like any other end",
    only: ["plain"],
    probes: ["TLS: half a request"],
  },
];

/** What is sent before TLS stands, and may reach the origin's own TLS; behind it nothing depends on the version. */
const HANDSHAKES = Object.fromEntries(
  Object.entries(PROBES).filter(([name]) => name.startsWith("handshake:")),
);

const noNginx = !isAvailable("nginx", ["-v"], "probing_test");

for (const kind of ORIGIN_KINDS) {
  Deno.test({
    name: `whoever probes HtxServer sees the nginx behind it, ${kind}`,
    ignore: noNginx,
    async fn(t) {
      await using pair = await startPair(kind, PATIENT);
      const { server, nginx } = pair;

      await t.step("tickets that are damaged", async () => {
        const probes = damagedTickets(server);
        const expected = await probeAll(nginx, probes);
        assertEquals(await probeAll(server.address, probes), expected);
        assertEquals(server.gate.counts.forged, Object.keys(probes).length);
      });

      for (const [name, make] of Object.entries(TICKET_PROBES)) {
        await t.step(`a ticket again, over ${name}`, async () => {
          const again = make(server.offer);
          const admitted = await probe(server.address, again);
          const expected = await probe(nginx, again);
          assertNotEquals(admitted, expected);
          assertEquals(await probe(server.address, again), expected);
        });
      }
      const { admitted, replayed } = server.gate.counts;
      assertEquals([admitted, replayed], [3, 3]);

      await t.step("sessions of TLS, and those of another server", async () => {
        const expected = await resumptions(nginx, server.address);
        assertEquals(await resumptions(server.address, nginx), expected);
      });

      await compare(t, pair, kind === "https 1.2" ? HANDSHAKES : PROBES);
    },
  });

  Deno.test({
    name: `HtxServer loses its patience as the nginx behind it, ${kind}`,
    ignore: noNginx,
    async fn(t) {
      await using pair = await startPair(kind, IMPATIENT);
      await compare(t, pair, PATIENCE_PROBES);
    },
  });
}

/** A server of ours and the nginx to compare it with. */
interface Pair extends AsyncDisposable {
  readonly kind: OriginKind;
  readonly server: ProbedServer;
  /** Where an nginx like the one behind our server listens. */
  readonly nginx: string;
}

async function startPair(kind: OriginKind, patience: Patience): Promise<Pair> {
  await using stack = new AsyncDisposableStack();
  const site = stack.use(await makeSite());
  const bare = stack.use(await startProbedNginx(site, patience));
  const origin = stack.use(await startProbedNginx(site, patience));
  const server = stack.use(
    await startProbedServer(site, origin, kind, patience),
  );
  const owned = stack.move();
  return {
    kind,
    server,
    nginx: kind === "https 1.2" ? bare.tls12 : bare.tls13,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Fails for each of `probes` that tells the two apart and is not in {@link DIFFERENCES}, or is there and does not. */
async function compare(
  t: Deno.TestContext,
  { kind, server, nginx }: Pair,
  probes: Readonly<Record<string, Probe>>,
): Promise<void> {
  const [expected, seen] = await Promise.all([
    probeAll(nginx, probes),
    probeAll(server.address, probes),
  ]);
  const listed = DIFFERENCES.filter(({ only = [kind] }) => only.includes(kind));
  for (const [name, each] of Object.entries(probes)) {
    const known = listed.find(({ probes }) => probes.includes(name));
    const reason = known?.why;
    await t.step(reason ? `${name}: ${reason}` : name, async () => {
      const same = `${seen[name]}` === `${expected[name]}`;
      if (known?.races) {
        const possible = ["FIN", "RST", ...expected[name]!];
        return assertEquals(
          seen[name]!.filter((each) => !possible.includes(each)),
          [],
        );
      }
      if (known) return assertNotEquals(seen[name], expected[name]);
      if (same) return;
      // Many probes at once may have made one of them late.
      const again = await probe(nginx, each);
      assertEquals(await probe(server.address, each), again);
    });
  }
}

/** A request with a ticket as the first thing that is said. */
const TICKET_PROBES: Readonly<
  Record<string, (offer: TicketOffer, choice?: TicketRequestChoice) => Probe>
> = {
  "HTTP/1.1": (offer, choice) =>
    inHttp1(ticketRequest(offer, Date.now(), choice)),
  "a WebSocket": (offer, choice) =>
    inHttp1(ticketRequest(offer, Date.now(), { ...choice, upgrades: true })),
  "HTTP/2": (offer, choice) => {
    const request = ticketRequest(offer, Date.now(), choice);
    return http2([concat(greeting(), inHttp2(request))]);
  },
};

function inHttp1(request: Uint8Array): Probe {
  return async (to) => {
    await to.handshake();
    await to.send(request);
  };
}

function damagedTickets({ offer }: ProbedServer): Record<string, Probe> {
  const probes: Record<string, Probe> = {};
  for (const carrier of CARRIERS) {
    for (const [name, make] of Object.entries(TICKET_PROBES)) {
      if (carrier === "body" && name === "a WebSocket") continue; // it has none
      probes[`${carrier} over ${name}`] = make(offer, { carrier, damage: 1 });
    }
  }
  return probes;
}

/** What a server answers to a session of its own, to the same again, and to one of another server. */
async function resumptions(
  address: string,
  other: string,
): Promise<string[][]> {
  const own = await sessionOf(address);
  const foreign = await sessionOf(other);
  const seen: string[][] = [];
  for (const session of [own, own, foreign]) {
    const copy = { ...session, psk: session.psk.slice() };
    seen.push(await probe(address, (to) => to.handshake({ session: copy })));
  }
  return seen;
}

async function sessionOf(address: string) {
  let sessions: ReturnType<Parameters<Probe>[0]["takeSessions"]> = [];
  await probe(address, async (to) => {
    await to.handshake();
    await to.quiet();
    sessions = to.takeSessions();
  });
  assertEquals(sessions.length, 2);
  return sessions[0]!;
}

/** Enough at once to spend the time on more than silence. */
const AT_ONCE = 16;

async function probeAll(
  address: string,
  probes: Readonly<Record<string, Probe>>,
): Promise<Record<string, string[]>> {
  const seen: Record<string, string[]> = {};
  const waiting = Object.entries(probes);
  const work = async () => {
    for (let next; (next = waiting.shift());) {
      const [name, each] = next;
      seen[name] = await probe(address, each);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return seen;
}
