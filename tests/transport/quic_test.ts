import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { VirtualClock } from "../../src/core/async/mod.ts";
import {
  type Address,
  dialQuic,
  listenQuic,
  quic,
  QUIC_CLOSE,
  selfSigned,
  type TransportError,
} from "../../src/core/transport/mod.ts";
import {
  assertCode,
  readAll,
  readExactly,
  testTransport,
} from "../compliance/transport.ts";

const LISTEN_AT = "quic://127.0.0.1:0";
const UNREACHABLE = "quic://127.0.0.1:1";

testTransport("quic", async () => {
  const certificate = await selfSigned({ names: ["127.0.0.1"] });
  const options = { certificate, caCerts: [certificate.certPem] };
  const transport = quic({ ...options, dialTimeoutMs: 60_000 });
  const hasty = quic({ ...options, dialTimeoutMs: 1_000 });
  return {
    dialer: {
      ...transport,
      dial: (address, dialOptions) =>
        (address === UNREACHABLE ? hasty : transport).dial(
          address,
          dialOptions,
        ),
    },
    listener: transport,
    listenAt: LISTEN_AT,
    unreachable: UNREACHABLE,
    maxBufferedBytes: 16 * 1_048_576,
  };
});

Deno.test("quic: either side opens further streams, and ends the connection with its first", async () => {
  const certificate = await selfSigned({ names: ["example.org"] });
  await using listener = listenQuic(LISTEN_AT, { certificate, maxStreams: 2 });
  const [near, far] = await Promise.all([
    dialQuic(listener.address, {
      caCerts: [certificate.certPem],
      serverName: "example.org",
    }),
    listener[Symbol.asyncIterator]().next().then(({ value }) => value),
  ]);
  const opened = await near.quic.openStream();
  await opened.write(new Uint8Array([1, 2, 3]));
  await opened.closeWrite();
  const accepted = await far.quic.acceptStream();
  assertEquals(await readAll(accepted), new Uint8Array([1, 2, 3]));
  await accepted.write(new Uint8Array([4]));
  assertEquals(await readExactly(opened, 1), new Uint8Array([4]));
  const back = await far.quic.openStream();
  await back.closeWrite();
  const end = await near.quic.acceptStream();
  assertEquals(await end!.read(new Uint8Array(1)), null);
  const waiting = assertCode("reset", () => opened.read(new Uint8Array(1)));
  const accepting = near.quic.acceptStream();
  far.close();
  await waiting;
  assertEquals(await accepting, null);
  assertEquals(await near.quic.closed, 1);
  await assertCode("closed", () => near.quic.openStream());
  await Promise.all([near.closed, far.closed]);
});

Deno.test("quic: a certificate that is not trusted, of another name or out of date is unreachable", async () => {
  const certificate = await selfSigned({ names: ["127.0.0.1"] });
  const old = await selfSigned({
    names: ["127.0.0.1"],
    notBeforeMs: Date.UTC(2020),
    validityMs: 1000,
  });
  for (
    const [shown, options] of [
      [certificate, {}],
      [certificate, {
        caCerts: [certificate.certPem],
        serverName: "example.org",
      }],
      [old, { caCerts: [old.certPem] }],
    ] as const
  ) {
    await using listener = listenQuic(LISTEN_AT, { certificate: shown });
    await assertCode("unreachable", () => dialQuic(listener.address, options));
  }
});

Deno.test("quic: no application protocol in common is unreachable", async () => {
  const certificate = await selfSigned({ names: ["127.0.0.1"] });
  const caCerts = [certificate.certPem];
  await using listener = listenQuic(LISTEN_AT, {
    certificate,
    alpnProtocols: ["h3"],
  });
  await assertCode(
    "unreachable",
    () => dialQuic(listener.address, { caCerts }),
  );
  const connection = await dialQuic(listener.address, {
    caCerts,
    alpnProtocols: ["other", "h3"],
  });
  await connection[Symbol.asyncDispose]();
});

Deno.test("quic: dial() gives up after its time and keeps the reason", async () => {
  const error = await assertRejects(
    () => dialQuic("quic://127.0.0.1:1", { dialTimeoutMs: 50 }),
  ) as TransportError;
  assertEquals(error.code, "unreachable");
});

Deno.test("quic: a peer that is killed is noticed, one that is idle is kept", async () => {
  const certificate = await selfSigned({ names: ["127.0.0.1"] });
  const script = `
    const { dialQuic } = await import(${
    JSON.stringify(import.meta.resolve("../../src/core/transport/mod.ts"))
  });
    const c = await dialQuic(Deno.args[0], {
      caCerts: [Deno.args[1]], idleTimeoutMs: 400, keepAliveIntervalMs: 100 });
    await c.write(new Uint8Array([1]));
    await c.read(new Uint8Array(1));
  `;
  await using listener = listenQuic(LISTEN_AT, {
    certificate,
    idleTimeoutMs: 400,
    keepAliveIntervalMs: 60_000,
  });
  await using process = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", "--unstable-net"],
      `data:text/javascript,${encodeURIComponent(script)}`,
      ...[listener.address, certificate.certPem],
    ],
  }).spawn();
  const { value: far } = await listener[Symbol.asyncIterator]().next();
  assertEquals(await readExactly(far, 1), new Uint8Array([1]));
  let isOver = false;
  const over = far.closed.then(() => isOver = true);
  await new Promise((resolve) => setTimeout(resolve, 900));
  assertEquals(isOver, false);
  process.kill("SIGKILL");
  const start = performance.now();
  await assertCode("reset", () => far.read(new Uint8Array(1)));
  assertLess(performance.now() - start, 2_000);
  await over;
});

Deno.test("listenQuic() closes a connection that says nothing for 10 s, and serves others meanwhile", async () => {
  const certificate = await selfSigned({ names: ["127.0.0.1"] });
  const clock = new VirtualClock();
  await using listener = listenQuic(LISTEN_AT, { certificate, clock });
  using endpoint = new SilentEndpoint(listener.address, certificate.certPem);
  const slow = await endpoint.connect();
  const [near, { value: far }] = await Promise.all([
    dialQuic(listener.address, { caCerts: [certificate.certPem] }),
    listener[Symbol.asyncIterator]().next(),
  ]);
  assertEquals(clock.pendingTimers, 1);
  clock.advance(10_000);
  assertEquals((await slow.closed).closeCode, QUIC_CLOSE.dropped);
  assertEquals(listener.refused, 1);
  await Promise.all([near, far].map((end) => end[Symbol.asyncDispose]()));
});

Deno.test("listenQuic() closes the oldest of 256 handshakes for a new one, and the rest with itself", async () => {
  const certificate = await selfSigned({ names: ["127.0.0.1"] });
  const listener = listenQuic(LISTEN_AT, { certificate });
  using endpoint = new SilentEndpoint(listener.address, certificate.certPem);
  const oldest = await endpoint.connect();
  const others = [];
  for (let i = 0; i < 256; i++) others.push(await endpoint.connect());
  assertEquals((await oldest.closed).closeCode, QUIC_CLOSE.dropped);
  assertEquals(listener.refused, 1);
  await listener[Symbol.asyncDispose]();
  assertEquals(listener.refused, 257);
  for (const { closed } of others) await closed.catch(() => {});
});

Deno.test("listenQuic() closes who does not start with a zero byte", async () => {
  const certificate = await selfSigned({ names: ["127.0.0.1"] });
  await using listener = listenQuic(LISTEN_AT, { certificate });
  using endpoint = new SilentEndpoint(listener.address, certificate.certPem);
  const conn = await endpoint.connect();
  const { writable } = await conn.createBidirectionalStream();
  await writable.getWriter().write(new Uint8Array([1]));
  assertEquals((await conn.closed).closeCode, QUIC_CLOSE.dropped);
  assertEquals(listener.refused, 1);
});

Deno.test("quic: the peer can open no more streams than we allow, its first alone by default", async () => {
  const certificate = await selfSigned({ names: ["127.0.0.1"] });
  for (const [allowed, options] of [[1, {}], [3, { maxStreams: 3 }]] as const) {
    await using listener = listenQuic(LISTEN_AT, { certificate, ...options });
    const [near, { value: far }] = await Promise.all([
      dialQuic(listener.address, { caCerts: [certificate.certPem] }),
      listener[Symbol.asyncIterator]().next(),
    ]);
    for (let i = 1; i < allowed; i++) await near.quic.openStream();
    await assertCode("limit", () => near.quic.openStream());
    near.close();
    await Promise.all([near.closed, far.closed]);
  }
});

Deno.test("quic: what a peer sends on unidirectional streams is refused", async () => {
  const certificate = await selfSigned({ names: ["127.0.0.1"] });
  await using listener = listenQuic(LISTEN_AT, { certificate });
  using endpoint = new SilentEndpoint(listener.address, certificate.certPem);
  const conn = await endpoint.connect();
  for (let i = 0; i < 3; i++) {
    const stream = await conn.createUnidirectionalStream({
      waitUntilAvailable: true,
    });
    const writer = stream.getWriter();
    await assertRejects(async () => {
      for (;;) await writer.write(new Uint8Array(65_536));
    });
  }
  conn.close();
  await conn.closed.catch(() => {});
});

Deno.test("quic: datagrams beyond 256 unreceived ones are dropped and counted", async () => {
  const certificate = await selfSigned({ names: ["127.0.0.1"] });
  await using listener = listenQuic(LISTEN_AT, { certificate });
  const [near, { value: far }] = await Promise.all([
    dialQuic(listener.address, { caCerts: [certificate.certPem] }),
    listener[Symbol.asyncIterator]().next(),
  ]);
  for (let i = 0; far.datagrams.dropped === 0; i++) {
    assert(i < 100_000, "nothing was dropped");
    await near.datagrams.send(new Uint8Array(10));
    if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  let received = 0;
  for (; received < 256; received++) assert(await far.datagrams.receive());
  near.close();
  far.close();
  await Promise.all([near.closed, far.closed]);
});

Deno.test("quic() cannot listen without a certificate", async () => {
  await assertRejects(() => quic().listen(LISTEN_AT), TypeError);
});

/** Clients that connect, keep their connections and send nothing. */
class SilentEndpoint implements Disposable {
  readonly #endpoint = new Deno.QuicEndpoint({ hostname: "127.0.0.1" });
  readonly #port: number;
  readonly #certPem: string;

  constructor(address: Address, certPem: string) {
    this.#port = Number(new URL(address).port);
    this.#certPem = certPem;
  }

  async connect(): Promise<Deno.QuicConn> {
    return await Deno.connectQuic({
      hostname: "127.0.0.1",
      port: this.#port,
      endpoint: this.#endpoint,
      caCerts: [this.#certPem],
      alpnProtocols: ["betanet"],
      keepAliveInterval: 1_000,
    });
  }

  [Symbol.dispose](): void {
    this.#endpoint.close();
  }
}
