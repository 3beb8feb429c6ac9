import { assert, assertEquals, assertRejects } from "@std/assert";
import { systemClock, VirtualClock } from "../../src/core/async/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import {
  type Connection,
  type Listener,
  MemoryNetwork,
} from "../../src/core/transport/mod.ts";
import type { PeerGreeting } from "../../src/http2/mod.ts";
import { Calibrations, type OriginTraits } from "../../src/htx/calibration.ts";
import type { DialHtxOptions } from "../../src/htx/client.ts";
import { Decoy } from "../../src/htx/decoy.ts";
import { HtxError } from "../../src/htx/error.ts";
import {
  greetingOf,
  type PageVisit,
  type PageVisitOptions,
  visitPage,
} from "../../src/htx/page_visit.ts";
import { tlsOuter } from "../../src/htx/tls_outer.ts";
import { listenTls } from "../../src/tls/listen.ts";
import { pinnedVerifier, SessionCache, TicketKeys } from "../../src/tls/mod.ts";
import { serverCertificate } from "../../src/tls/server_certificate.ts";
import { profileOf } from "../../src/utls/mod.ts";
import { testCertificate } from "../tls/_certificates.ts";
import { serveOrigin } from "./_http2_origin.ts";
import { overlay, World } from "./_world.ts";

const GREETING: PeerGreeting = {
  settings: [[3, 128], [4, 65_536], [5, 16_777_215]],
  windowUpdate: 2_147_418_112,
};
const CERTIFICATE = testCertificate("p256");
const ADDRESS = "tls://server:443";
const WEB_SOCKET = "wss://server:443/";

Deno.test("visitPage() fetches the origin's page through the HTX server, and sees how it behaves", async () => {
  for (const alpn of ["h2", "http/1.1"] as const) {
    await using site = await Site.open([alpn]);
    const { traits, ...visit } = await site.visit();
    visit.connection.close();
    assertEquals(visit.status, 200);
    assertEquals(visit.mediaType, "text/html; charset=utf-8");
    const length = traits.ticketLengths[0]!;
    assert(length > 100);
    assertEquals(traits, {
      alpn,
      resumed: false,
      settings: alpn === "h2" ? GREETING.settings : [],
      windowUpdate: alpn === "h2" ? GREETING.windowUpdate : 0,
      ticketLengths: [length, length],
    });
    assertEquals(site.world.gate.counts.none, 1);
  }
});

Deno.test("visitPage() waits for an answer until its time is over, or its signal aborts", async () => {
  for (const alpn of ["h2", "http/1.1"]) {
    await using mute = await MuteOrigin.open(alpn);
    const clock = new VirtualClock(Date.now());
    const late = assertRejects(() => mute.visit({ clock, timeoutMs: 700 }));
    await mute.accepted();
    await clock.run(700);
    assertEquals((await late as DOMException).name, "TimeoutError");
    const controller = new AbortController();
    const aborted = assertRejects(
      () => mute.visit({ signal: controller.signal }),
      Error,
      "Enough",
    );
    await mute.accepted();
    controller.abort(new Error("Enough"));
    await aborted;
  }
});

Deno.test("visitPage() waits for no body behind 204 and 304", async () => {
  for (const status of [204, 304]) {
    await using mute = await MuteOrigin.open("http/1.1");
    const visiting = mute.visit({});
    const connection = await mute.accepted();
    await connection.write(
      new TextEncoder().encode(`HTTP/1.1 ${status} None\r\n\r\n`),
    );
    const visit = await visiting;
    visit.connection.close();
    assertEquals(visit.status, status);
  }
});

Deno.test("dialHtx() waits for a pre-flight until its time is over", async () => {
  await using world = await World.start();
  const clock = new VirtualClock();
  const calibration = new Calibrations({
    preflight: () => new Promise(() => {}),
    clock,
    crypto: defaultProvider(),
  });
  const dialling = assertRejects(
    () => world.dial({ address: ADDRESS, calibration, clock }),
    HtxError,
  );
  await clock.run(15_000);
  assertEquals((await dialling).code, "timeout");
});

Deno.test("greetingOf() says how an origin begins, and nothing of one without HTTP/2", async () => {
  await using site = await Site.open(["h2"]);
  const { network } = site.world;
  const dial = (host: string) => network.transport("server").dial(host);
  assertEquals(
    await greetingOf(await dial("memory://site"), "server"),
    GREETING,
  );
  assertEquals(
    await greetingOf(await dial("memory://origin"), "server"),
    undefined,
  );
});

Deno.test("HTX begins with a server that is as its origin was, and resumes if its pre-flight did", async () => {
  for (const alpn of ["h2", "http/1.1"] as const) {
    await using site = await Site.open([alpn]);
    const calibration = site.calibrate({});
    for (const resumed of [false, true, true]) {
      const { client, server } = await site.world.pair(
        site.dialOptions(calibration),
      );
      await client.ping();
      const samples = await calibration.of(ADDRESS, never);
      assertEquals(samples.at(-2)?.resumed, resumed, alpn);
      await client.close();
      await server.closed;
    }
    assertEquals(site.world.gate.counts.admitted, 3);
  }
});

Deno.test("a WebSocket begins only with a server that is as its origin was to a WebSocket's hello", async () => {
  await using site = await Site.open(["h2", "http/1.1"]);
  const calibration = site.calibrate({});
  const options = { ...site.dialOptions(calibration), address: WEB_SOCKET };
  const { client, server } = await site.world.pair(options);
  await client.ping();
  await client.close();
  await server.closed;
  const [seen] = await calibration.of(WEB_SOCKET, never);
  const length = seen!.ticketLengths[0]!;
  assertEquals(seen, {
    alpn: "http/1.1",
    resumed: false,
    settings: [],
    windowUpdate: 0,
    ticketLengths: [length, length],
  });
  for (
    const [change, admitted] of [
      [{ alpn: "h2" }, 1],
      [{ ticketLengths: [1] }, 2],
    ] as const
  ) {
    const error = await assertRejects(
      () =>
        site.world.dial({ ...options, calibration: site.calibrate(change) }),
      HtxError,
    );
    assertEquals(error.code, "deviation");
    assertEquals(site.world.gate.counts.admitted, admitted);
  }
});

Deno.test("a server that differs from its origin in TLS gets no ticket", async () => {
  await differing([
    ["alpn h2, not http/1.1", { alpn: "http/1.1" }],
    ["resumed false, not true", { resumed: true }],
  ], 0);
});

Deno.test("a server that differs from its origin behind TLS gets a ticket, and nothing else of HTX", async () => {
  await differing([
    ["settings 3,4,5, not 5,4,3", { settings: GREETING.settings.toReversed() }],
    ["settings[4] 65536, not 65535", {
      settings: GREETING.settings.with(1, [4, 65_535]),
    }],
    ["windowUpdate 2147418112, not 0", { windowUpdate: 0 }],
    ["windowUpdate 2147418112, not 2147418113", {
      windowUpdate: GREETING.windowUpdate + 1,
    }],
    ["ticketLengths n,n, not 1,2", { ticketLengths: [1, 2] }],
  ], 1);
});

Deno.test("a server that differs from its origin gets no ticket if that waits for SETTINGS", async () => {
  await differing(
    [
      ["settings 3,4,5, not 5,4,3", {
        settings: GREETING.settings.toReversed(),
      }],
      ["windowUpdate 2147418112, not 2147418113", {
        windowUpdate: GREETING.windowUpdate + 1,
      }],
    ],
    0,
    { start: Promise.resolve() },
  );
});

Deno.test("with a pre-flight too the request follows in the write of Finished", async () => {
  await using site = await Site.open(["h2"]);
  const writes: Uint8Array[] = [];
  const session = await site.world.dial({
    ...site.dialOptions(site.calibrate({})),
    dial: async () => {
      const connection = await site.world.connect();
      const write = (bytes: Uint8Array) => {
        writes.push(bytes.slice());
        return connection.write(bytes);
      };
      return overlay(connection, { write });
    },
  });
  const types = recordTypes(writes[1]!);
  assertEquals(types.slice(0, 4), [20, 23, 23, 23]); // CCS, Finished, greeting, HEADERS
  await session.close();
});

/** Dials servers that differ so, and says how many tickets they may see. */
async function differing(
  changes: readonly [difference: string, change: Partial<OriginTraits>][],
  admitted: number,
  options: Partial<DialHtxOptions> = {},
): Promise<void> {
  for (const [difference, change] of changes) {
    await using site = await Site.open(["h2"]);
    const calibration = site.calibrate(change);
    const sessions = new SessionCache();
    const error = await assertRejects(
      () =>
        site.world.dial({
          ...site.dialOptions(calibration, sessions),
          ...options,
        }),
      HtxError,
    );
    // Lengths of tickets follow a number that is drawn.
    const message = error.message.replace(/Lengths \d+,\d+/, "Lengths n,n");
    assertEquals(
      [error.code, message],
      ["deviation", `Server is not as its origin was: ${difference}`],
    );
    await site.world.server.close();
    const { established, handshakeRejected } = site.world.server.counts;
    assertEquals(
      [site.world.gate.counts.admitted, established, handshakeRejected],
      [admitted, 0, 0],
    );
  }
}

Deno.test("a server that gives fewer tickets than its origin gets nothing behind ours", async () => {
  await using site = await Site.open(["h2"]);
  const [length] = await ticketLengthsOf(site);
  const calibration = site.calibrate({
    ticketLengths: [length!, length!, length!],
  });
  const error = await assertRejects(
    () => site.world.dial(site.dialOptions(calibration)),
    HtxError,
  );
  assertEquals(error.code, "deviation");
  await site.world.server.close();
  const { established, handshakeRejected } = site.world.server.counts;
  assertEquals([established, handshakeRejected], [0, 0]);
});

Deno.test("an origin that has changed is looked at again after a deviation", async () => {
  await using site = await Site.open(["h2"]);
  const changes = [{ windowUpdate: 1 }, {}];
  let visits = 0;
  const calibration = new Calibrations({
    ...site.calibrationOptions(() => changes[visits++]!),
    reuseMs: 3_600_000,
  });
  const options = site.dialOptions(calibration);
  await assertRejects(() => site.world.dial(options), HtxError);
  await (await site.world.dial(options)).close();
  assertEquals(visits, 2);
});

Deno.test("the ticket waits for `start`, TLS and the greeting do not", async () => {
  for (
    const [address, alpn] of [
      [ADDRESS, ["h2"]],
      [ADDRESS, ["http/1.1"]],
      ["wss://server:443", ["http/1.1"]],
    ] as const
  ) {
    await using site = await Site.open(alpn);
    const { promise: start, resolve } = Promise.withResolvers<void>();
    const { calibration: _, ...options } = site.dialOptions(site.calibrate({}));
    const dialling = site.world.dial({ ...options, address, start });
    await site.accepted;
    assertEquals(site.world.gate.counts.admitted, 0);
    resolve();
    await (await dialling).close();
    assertEquals(site.world.gate.counts.admitted, 1);
    const late = Promise.reject(new Error("Too late"));
    const failing = site.world.dial({ ...options, address, start: late });
    await assertRejects(() => failing, Error, "Too late");
    assertEquals(site.world.gate.counts.admitted, 1);
  }
});

/** The content types of the TLS records in `bytes`. */
function recordTypes(bytes: Uint8Array): number[] {
  const types: number[] = [];
  for (let at = 0; at < bytes.length;) {
    types.push(bytes[at]!);
    at += 5 + (bytes[at + 3]! << 8 | bytes[at + 4]!);
  }
  return types;
}

const { signal } = new AbortController();
const never = { signal };

async function ticketLengthsOf(site: Site): Promise<readonly number[]> {
  const { traits, connection } = await site.visit();
  connection.close();
  return traits.ticketLengths;
}

/** A server that says nothing behind the handshake of TLS. */
class MuteOrigin implements AsyncDisposable {
  readonly #network: MemoryNetwork;
  readonly #listener: Listener;

  private constructor(network: MemoryNetwork, listener: Listener) {
    this.#network = network;
    this.#listener = listener;
  }

  static async open(alpn: string): Promise<MuteOrigin> {
    const network = new MemoryNetwork();
    const { certPem: chainPem, keyPem } = CERTIFICATE;
    const certificates = [serverCertificate({ chainPem, keyPem })];
    const listener = listenTls(
      await network.transport("mute").listen("memory://mute"),
      { certificates, alpn: [alpn] },
    );
    return new MuteOrigin(network, listener);
  }

  visit(options: Partial<PageVisitOptions>): Promise<PageVisit> {
    return visitPage(ADDRESS, {
      verify: pinnedVerifier(CERTIFICATE.chain[0]!),
      serverName: "server.example",
      dial: () => this.#network.transport("client").dial("memory://mute"),
      ...options,
    });
  }

  /** The next connection. */
  async accepted(): Promise<Connection> {
    for await (const connection of this.#listener) return connection;
    throw new Error("The listener was closed");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener[Symbol.asyncDispose]();
  }
}

/** An HTX server over TLS with a web site behind it. */
class Site implements AsyncDisposable {
  readonly world: World;
  /** Resolves when the first TLS connection stands. */
  readonly accepted: Promise<void>;
  readonly #origin: Listener;
  readonly #serving: Promise<void>;
  readonly #sessions = new SessionCache();
  readonly #tls = {
    profile: profileOf("latest"),
    verify: pinnedVerifier(CERTIFICATE.chain[0]!),
    serverName: "server.example",
    sessions: this.#sessions,
  };

  private constructor(
    world: World,
    origin: Listener,
    accepted: Promise<void>,
  ) {
    this.world = world;
    this.accepted = accepted;
    this.#origin = origin;
    this.#serving = serveOrigin(origin, GREETING);
  }

  static async open(alpn: readonly string[]): Promise<Site> {
    const accepted = Promise.withResolvers<void>();
    const network: { of?: MemoryNetwork } = {};
    const decoy = new Decoy({
      dial: (options) =>
        network.of!.transport("server").dial("memory://site", options),
    });
    const tickets = new TicketKeys(defaultProvider());
    const { certPem: chainPem, keyPem } = CERTIFICATE;
    const certificates = [serverCertificate({ chainPem, keyPem })];
    const world = await World.start(
      { decoy, http2Greeting: GREETING },
      {},
      undefined,
      (listener) =>
        telling(
          listenTls(listener, { certificates, alpn, tickets }),
          accepted.resolve,
        ),
    );
    network.of = world.network;
    const origin = await world.network.transport("site")
      .listen("memory://site");
    return new Site(world, origin, accepted.promise);
  }

  visit(options: { readonly signal?: AbortSignal } = {}, address = ADDRESS) {
    const dial = () => this.world.connect();
    return visitPage(address, { ...this.#tls, dial, ...options });
  }

  calibrate(change: Partial<OriginTraits>): Calibrations {
    return new Calibrations(this.calibrationOptions(() => change));
  }

  calibrationOptions(change: () => Partial<OriginTraits>) {
    return {
      preflight: async (
        address: string,
        options: { readonly signal: AbortSignal },
      ) => {
        const { traits, connection } = await this.visit(options, address);
        connection.close();
        return { ...traits, ...change() };
      },
      clock: systemClock,
      crypto: defaultProvider(),
    };
  }

  dialOptions(calibration: Calibrations, sessions = this.#sessions) {
    const outer = tlsOuter({ ...this.#tls, sessions });
    return { address: ADDRESS, outer, calibration };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
    this.#origin.close();
    await this.#serving;
  }
}

/** `listener`, which tells of what it accepts. */
function telling(listener: Listener, tell: () => void): Listener {
  return {
    address: listener.address,
    close: () => listener.close(),
    async *[Symbol.asyncIterator]() {
      for await (const connection of listener) {
        tell();
        yield connection;
      }
    },
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  };
}
