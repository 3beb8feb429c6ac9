import { assert, assertEquals, assertRejects } from "@std/assert";
import { VirtualClock } from "../../../src/core/async/mod.ts";
import { generateX25519, nodeProvider } from "../../../src/core/crypto/mod.ts";
import type { Connection } from "../../../src/core/transport/mod.ts";
import {
  MixnetError,
  type MixnetErrorCode,
} from "../../../src/mixnet/error.ts";
import { acceptLink, dialLink } from "../../../src/mixnet/link/dial_link.ts";
import {
  linkFrameLength,
  PADDING,
} from "../../../src/mixnet/link/link_frame.ts";
import { LinkHandshake } from "../../../src/mixnet/link/link_handshake.ts";
import {
  ACCEPT_OPTIONS,
  connectionPair,
  DIAL_OPTIONS,
  DIALER,
  linkPair,
  packetFrame,
  take,
} from "./_link_pair.ts";

const FRAME = linkFrameLength(DIAL_OPTIONS.packetLength);

/** `connection`, whose writes `change` may alter; it sees the number of each from 0. */
function altered(
  connection: Connection,
  change: (bytes: Uint8Array, write: number) => Uint8Array,
): Connection {
  let writes = 0;
  return new Proxy(connection, {
    get(target, name) {
      if (name === "write") {
        return (bytes: Uint8Array) =>
          target.write(change(new Uint8Array(bytes), writes++));
      }
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function codeOf(error: unknown): MixnetErrorCode {
  assert(error instanceof MixnetError, String(error));
  return error.code;
}

Deno.test("MixLink carries frames both ways, in order", async () => {
  const [a, b] = await linkPair(await connectionPair());
  assertEquals(b.remoteStaticKey, DIALER.publicKey);
  const frames = Array.from({ length: 100 }, (_, n) => packetFrame(n));
  const [, got] = await Promise.all([a.send(frames), take(b.frames(), 100)]);
  assertEquals(got, frames);
  const answers = [{ type: "collected", sequence: 7 } as const, packetFrame(1)];
  const [, back] = await Promise.all([
    b.send([PADDING, ...answers]),
    take(a.frames(), 2),
  ]);
  assertEquals(back, answers);
  assertEquals(a.stats, { sent: 100, received: 3, padding: 1 });
  assertEquals(b.stats, { sent: 3, received: 100, padding: 0 });
  await a[Symbol.asyncDispose]();
  await b[Symbol.asyncDispose]();
});

Deno.test("MixLink writes frames of one length from the first byte on", async () => {
  const [a, b] = await connectionPair();
  const lengths: number[] = [];
  const record = (bytes: Uint8Array) => (lengths.push(bytes.length), bytes);
  const [dialed, accepted] = await linkPair([
    altered(a, record),
    altered(b, record),
  ]);
  await dialed.send([PADDING]);
  await dialed.send([packetFrame(1), { type: "collected", sequence: 1 }]);
  assertEquals(lengths, [FRAME, FRAME, FRAME, FRAME, 2 * FRAME]);
  dialed.close();
  accepted.close();
});

Deno.test("MixLink refuses frames that do not fit, and sends none of them", async () => {
  const [a, b] = await linkPair(await connectionPair());
  const short = { ...packetFrame(1), packet: new Uint8Array(5) };
  await assertRejects(() => a.send([packetFrame(1), short]), RangeError);
  await a.send([packetFrame(2)]);
  assertEquals(await take(b.frames(), 1), [packetFrame(2)]);
  a.close();
  await assertRejects(() => a.send([PADDING]), MixnetError, "closed");
  b.close();
});

const ATTACKS: readonly (readonly [
  string,
  (bytes: Uint8Array) => Uint8Array,
  MixnetErrorCode,
])[] = [
  ["a changed byte", (bytes) => (bytes[5]! ^= 1, bytes), "unauthenticated"],
  [
    "frames in another order",
    (bytes) => {
      const first = bytes.slice(0, FRAME);
      bytes.copyWithin(0, FRAME, 2 * FRAME);
      bytes.set(first, FRAME);
      return bytes;
    },
    "unauthenticated",
  ],
  [
    "a frame twice",
    (bytes) => (bytes.copyWithin(FRAME, 0, FRAME), bytes),
    "unauthenticated",
  ],
  [
    "a frame that is missing",
    (bytes) => bytes.subarray(FRAME),
    "unauthenticated",
  ],
  [
    "a frame that is too long",
    (bytes) => new Uint8Array([0, ...bytes]),
    "unauthenticated",
  ],
  ["an end within a frame", (bytes) => bytes.subarray(0, -1), "truncated"],
];

for (const [name, change, code] of ATTACKS) {
  Deno.test(`MixLink ends at ${name}`, async () => {
    const [a, b] = await connectionPair();
    const [dialed, accepted] = await linkPair([
      altered(a, (bytes, write) => write === 2 ? change(bytes) : bytes),
      b,
    ]);
    await dialed.send([packetFrame(1), packetFrame(2)]);
    await a.closeWrite();
    for await (const _ of accepted.frames());
    assertEquals(codeOf(await accepted.closed), code);
    dialed.close();
  });
}

Deno.test("MixLink ends without an error when the peer ends between frames", async () => {
  const [a, b] = await connectionPair();
  const [dialed, accepted] = await linkPair([a, b]);
  await dialed.send([packetFrame(1)]);
  await a.closeWrite();
  assertEquals(await Array.fromAsync(accepted.frames()), [[packetFrame(1)]]);
  assertEquals(await accepted.closed, undefined);
  dialed.close();
});

Deno.test("dialLink() wants the key it dials, and both ends one network", async () => {
  const other = generateX25519(nodeProvider).publicKey;
  for (const wrong of [{ remoteStaticKey: other }, { network: "other" }]) {
    const [a, b] = await connectionPair();
    const dialing = dialLink(a, { ...DIAL_OPTIONS, ...wrong });
    const accepting = acceptLink(b, ACCEPT_OPTIONS);
    const [dialed, accepted] = await Promise.allSettled([dialing, accepting]);
    assert(dialed.status === "rejected" && accepted.status === "rejected");
    assertEquals(codeOf(accepted.reason), "unauthenticated");
    assertEquals(codeOf(dialed.reason), "disconnected");
  }
});

Deno.test("acceptLink() refuses whom we do not want", async () => {
  const [a, b] = await connectionPair();
  const seen: Uint8Array[] = [];
  const accepting = acceptLink(b, {
    ...ACCEPT_OPTIONS,
    isAllowed: (key) => (seen.push(key), false),
  });
  const [dialed, accepted] = await Promise.allSettled([
    dialLink(a, DIAL_OPTIONS),
    accepting,
  ]);
  assert(dialed.status === "fulfilled" && accepted.status === "rejected");
  assertEquals(codeOf(accepted.reason), "refused");
  assertEquals(seen, [DIALER.publicKey]);
  assertEquals(await Array.fromAsync(dialed.value.frames()), []);
});

Deno.test("acceptLink() makes no link of a replayed start", async () => {
  const recorded: Uint8Array[] = [];
  const [a, b] = await connectionPair();
  const record = (bytes: Uint8Array) => (recorded.push(bytes), bytes);
  const [dialed, accepted] = await linkPair([altered(a, record), b]);
  await dialed.send([packetFrame(1)]);
  dialed.close();
  accepted.close();
  const [replayer, replayed] = await connectionPair();
  for (const bytes of recorded) await replayer.write(bytes);
  const error = await assertRejects(() => acceptLink(replayed, ACCEPT_OPTIONS));
  assertEquals(codeOf(error), "unauthenticated");
});

Deno.test("acceptLink() tells a changed, a cut and a missing handshake apart", async () => {
  const cases: [(bytes: Uint8Array) => Uint8Array, MixnetErrorCode][] = [
    [(bytes) => (bytes[FRAME - 1]! ^= 1, bytes), "unauthenticated"],
    [(bytes) => bytes.subarray(1), "truncated"],
    [() => new Uint8Array(0), "disconnected"],
  ];
  for (const [change, code] of cases) {
    const [a, b] = await connectionPair();
    using handshake = new LinkHandshake(DIAL_OPTIONS);
    await a.write(change(handshake.write()));
    await a.closeWrite();
    const error = await assertRejects(() => acceptLink(b, ACCEPT_OPTIONS));
    assertEquals(codeOf(error), code);
    a.close();
  }
});

Deno.test("dialLink() gives up after its time, or when told to", async () => {
  const clock = new VirtualClock();
  const [a] = await connectionPair();
  const late = dialLink(a, { ...DIAL_OPTIONS, clock, handshakeTimeoutMs: 50 });
  const [error] = await Promise.all([assertRejects(() => late), clock.run(50)]);
  assertEquals(codeOf(error), "timeout");
  assertEquals(clock.pendingTimers, 0);
  const [c] = await connectionPair();
  const controller = new AbortController();
  const { signal } = controller;
  const cancelled = dialLink(c, { ...DIAL_OPTIONS, clock, signal });
  controller.abort(new Error("enough"));
  await assertRejects(() => cancelled, Error, "enough");
  await c.closed;
});

Deno.test("dialLink() wants packets that are long enough for the handshake", async () => {
  for (const [packetLength, fits] of [[1_226, false], [1_227, true]] as const) {
    const [a, b] = await connectionPair();
    const pairing = linkPair([a, b], { packetLength }, { packetLength });
    if (!fits) {
      await assertRejects(() => pairing, RangeError, "1248");
      continue;
    }
    for (const link of await pairing) link.close();
  }
});

Deno.test("MixLink ends when its peer sends no whole frame for too long", async () => {
  const clock = new VirtualClock();
  const [a, b] = await connectionPair({ clock });
  const [dialed, accepted] = await linkPair([a, b], { clock }, {
    clock,
    idleTimeoutMs: 1_000,
  });
  const reading = Array.fromAsync(accepted.frames());
  await clock.run(900);
  await dialed.send([PADDING]);
  await clock.run(900);
  assert(accepted.isOpen);
  await a.write(new Uint8Array(7)); // no whole frame
  await clock.run(101);
  await reading;
  assertEquals(codeOf(await accepted.closed), "timeout");
  dialed.close();
});

Deno.test("MixLink ends when its peer takes nothing for too long", async () => {
  const clock = new VirtualClock();
  const pair = await connectionPair({ clock, bufferBytes: 3 * FRAME });
  const [dialed, accepted] = await linkPair(pair, {
    clock,
    sendTimeoutMs: 500,
  }, { clock });
  const batch = [1, 2, 3, 4].map(packetFrame);
  const sending = assertRejects(() => dialed.send(batch), MixnetError);
  await clock.run(499);
  assert(dialed.isOpen);
  await clock.run(1);
  await sending;
  assertEquals(codeOf(await dialed.closed), "timeout");
  accepted.close();
});

Deno.test("MixLink reads nothing while its peer is over budget", async () => {
  const clock = new VirtualClock();
  const pair = await connectionPair({ clock, bufferBytes: 4 * FRAME });
  const spent: number[] = [];
  const [dialed, accepted] = await linkPair(pair, { clock }, {
    clock,
    idleTimeoutMs: 60,
    spend: (frames) => (spent.push(frames), 100 * frames),
  });
  const frames = accepted.frames();
  const sending = dialed.send([1, 2, 3, 4, 5, 6].map(packetFrame));
  const taking = take(frames, 6);
  await clock.run(0);
  const atOnce = spent.reduce((a, b) => a + b, 0);
  await clock.run(100 * atOnce - 1);
  assertEquals(spent.reduce((a, b) => a + b, 0), atOnce);
  await clock.run(600);
  await sending;
  assertEquals((await taking).length, 6);
  dialed.close();
  accepted.close();
});
