import { assertEquals, assertRejects } from "@std/assert";
import { HtxIdentity } from "../../cli/htx/htx_identity.ts";
import { HtxSessions } from "../../cli/mixnode/htx_sessions.ts";
import { NodeDialer } from "../../cli/mixnode/node_dialer.ts";
import { openHtx } from "../../cli/mixnode/open_htx.ts";
import { readMixnodeConfig } from "../../cli/mixnode/settings.ts";
import { VirtualClock } from "../../src/core/async/mod.ts";
import { DecodeError } from "../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import { silentLogger as log } from "../../src/core/log/mod.ts";
import { Metrics } from "../../src/core/metrics/mod.ts";
import { memoryStore } from "../../src/core/storage/mod.ts";
import type { Connection } from "../../src/core/transport/mod.ts";
import { HtxError } from "../../src/htx/error.ts";
import { makeFolder } from "./_htx_process.ts";

const HELLO = new TextEncoder().encode("hello");
const { signal } = new AbortController();

Deno.test("HtxSessions opens streams of one session at an address, which end with it", async () => {
  await using door = await openDoor();
  await using sessions = new HtxSessions({ crypto, log });
  const open = () => sessions.open(door.address, door.record, signal);
  const pairs: [Connection, Connection][] = [];
  for (let i = 0; i < 2; i++) {
    const ours = await open();
    await ours.write(HELLO);
    pairs.push([ours, await door.next()]);
  }
  for (const [, theirs] of pairs) {
    const buffer = new Uint8Array(64);
    const length = await theirs.read(buffer);
    assertEquals(buffer.subarray(0, length!), HELLO);
  }
  assertEquals([sessions.size, await door.sessions()], [1, 1]);
  await sessions[Symbol.asyncDispose]();
  for (const [ours, theirs] of pairs) {
    await Promise.all([ours.closed, theirs.closed]);
  }
  const late = await assertRejects(open, HtxError);
  assertEquals([late.code, sessions.size], ["closed", 0]);
});

Deno.test("HtxSessions lets a session without streams go, and dials again for the next", async () => {
  const clock = new VirtualClock(Date.now());
  await using door = await openDoor();
  await using sessions = new HtxSessions({ crypto, log, clock });
  for (const established of [1, 2]) {
    const ours = await sessions.open(door.address, door.record, signal);
    await ours.write(HELLO);
    const theirs = await door.next();
    assertEquals(await door.sessions(), established);
    clock.advance(60_000);
    assertEquals(sessions.size, 1);
    ours.close();
    await theirs.closed;
    clock.advance(59_999);
    assertEquals(sessions.size, 1);
    clock.advance(1);
    assertEquals(sessions.size, 0);
  }
});

Deno.test("NodeDialer says what is wrong with a node's record", async () => {
  await using door = await openDoor();
  await using dialer = new NodeDialer({ crypto, log });
  const { address, record } = door;
  const dial = (peer: { readonly peerRecord?: Uint8Array }) =>
    dialer.dial(address, signal, peer);
  await assertRejects(() => dial({}), Error, "no peer record");
  await assertRejects(() => dial({ peerRecord: HELLO }), DecodeError);
  const forged = record.slice();
  forged[forged.length - 1]! ^= 1;
  await assertRejects(() => dial({ peerRecord: forged }), HtxError);
  await using another = await openDoor();
  await assertRejects(
    () => dialer.dial(address, signal, { peerRecord: another.record }),
    Error,
    "certificate",
  );
});

Deno.test("HtxStreams closed lets streams that were taken live on, and takes no others", async () => {
  await using door = await openDoor();
  await using sessions = new HtxSessions({ crypto, log });
  const open = () => sessions.open(door.address, door.record, signal);
  const ours = await open();
  await ours.write(HELLO);
  const theirs = await door.next();
  door.streams.close();
  await theirs.write(HELLO);
  const buffer = new Uint8Array(64);
  assertEquals(await ours.read(buffer), HELLO.length);
  const late = await open();
  await late.closed;
  assertEquals(await door.streams[Symbol.asyncIterator]().next(), {
    done: true,
    value: undefined,
  });
});

/** What a node shows at an `htx:` address of loopback. */
async function openDoor() {
  await using opened = new AsyncDisposableStack();
  const { path } = opened.use(await makeFolder());
  await Deno.writeTextFile(
    `${path}/mixnode.toml`,
    `[node]\nlisten = ["htx://127.0.0.1:0"]\n`,
  );
  const { node } = readMixnodeConfig(`${path}/mixnode.toml`);
  const context = { log, signal, note: () => {} };
  const identity = await HtxIdentity.load(path, node.htx, context);
  const metrics = new Metrics();
  const store = memoryStore();
  const { streams, addresses } = opened.use(
    await openHtx(node, identity, { store, crypto, metrics }, context),
  );
  const taken = streams[Symbol.asyncIterator]();
  const closing = opened.move();
  return {
    streams,
    address: addresses[0]!,
    record: identity.record(addresses)!,
    /** The next stream that a peer opens. */
    next: async () => (await taken.next()).value as Connection,
    /** How many sessions there were. */
    async sessions() {
      const admitted = (await metrics.snapshot()).find(({ name }) =>
        name === "htx_handshakes_total"
      )!;
      return admitted.series.find(({ labels }) =>
        labels.result === "established"
      )!.value;
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
