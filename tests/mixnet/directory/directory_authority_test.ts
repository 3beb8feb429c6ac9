import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { VirtualClock } from "../../../src/core/async/mod.ts";
import {
  decodeCbor,
  encodeCbor,
  encodeHex,
} from "../../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../../src/core/crypto/mod.ts";
import { memoryStore } from "../../../src/core/storage/mod.ts";
import { sign } from "../../../src/mixnet/directory/signed_form.ts";
import { VOTE } from "../../../src/mixnet/directory/vote.ts";
import {
  directory,
  DirectoryError,
  verifyDocument,
} from "../../../src/mixnet/mod.ts";
import {
  addressOf,
  Directories,
  seedOf,
  STEP_MS,
  steps,
  submitAll,
  trustOf,
} from "./_authorities.ts";
import { DESCRIPTORS, EPOCH, EPOCH_MS, START_MS } from "./_network.ts";

const NEXT = EPOCH + 1;
const NONE = new Uint8Array(0);

Deno.test("Two authorities agree on a document before its epoch, and each has it signed by both", async () => {
  const clock = new VirtualClock(START_MS);
  const directories = new Directories();
  const trust = trustOf(2, 2);
  const both = [0, 1].map((i) => directories.authority(i, trust, clock));
  submitAll(both);
  await steps(clock, both, EPOCH_MS * 3 / 4);
  assertEquals(both[0]!.documentBytes(NEXT), undefined);
  await steps(clock, both, EPOCH_MS / 4 - STEP_MS);
  for (const authority of both) {
    const bytes = authority.documentBytes(NEXT)!;
    const document = verifyDocument(crypto, bytes, trust);
    assertEquals(document.epoch, NEXT);
    assertEquals(document.nodes.length, 11);
    assertEquals(document.beacon.value, new Uint8Array(32).fill(7));
  }
  assertEquals(
    both[0]!.document(NEXT)!.hash,
    both[1]!.document(NEXT)!.hash,
  );
});

Deno.test("Documents of following epochs are chained", async () => {
  const clock = new VirtualClock(START_MS);
  const directories = new Directories();
  const authority = directories.authority(0, trustOf(1, 1), clock);
  submitAll([authority]);
  await steps(clock, [authority], 2 * EPOCH_MS);
  assertEquals(authority.document(NEXT)!.previousHash, NONE);
  assertEquals(
    authority.document(NEXT + 1)!.previousHash,
    authority.document(NEXT)!.hash,
  );
});

Deno.test("Three of four authorities do without the fourth, which gets the document when it is back", async () => {
  const clock = new VirtualClock(START_MS);
  const directories = new Directories();
  const trust = trustOf(4, 3);
  const three = [0, 1, 2].map((i) => directories.authority(i, trust, clock));
  submitAll(three);
  await steps(clock, three, EPOCH_MS);
  const { hash } = three[0]!.document(NEXT)!;
  const fourth = directories.authority(3, trust, clock);
  await steps(clock, [fourth], STEP_MS);
  assertEquals(fourth.document(NEXT)!.hash, hash);
});

Deno.test("Two of four authorities make no document where three must sign", async () => {
  const clock = new VirtualClock(START_MS);
  const directories = new Directories();
  const two = [0, 1].map((i) => directories.authority(i, trustOf(4, 3), clock));
  submitAll(two);
  await steps(clock, two, 2 * EPOCH_MS);
  assertEquals(two.map((each) => each.documentBytes(NEXT)), [
    undefined,
    undefined,
  ]);
});

Deno.test("An authority that tells each of the others another vote is convicted by all, and its votes count nowhere", async () => {
  const clock = new VirtualClock(START_MS);
  const directories = new Directories();
  const trust = trustOf(4, 3);
  const honest = [0, 1, 2].map((i) => directories.authority(i, trust, clock));
  submitAll(honest);
  const lies = [1, 2, 3].map((byte) =>
    sign(crypto, VOTE, seedOf(3), {
      authority: trust.authorities[3]!,
      network: "test",
      epoch: NEXT,
      descriptors: [],
      components: new Map([["drand", new Uint8Array(32).fill(byte)]]),
      previousHash: NONE,
    })
  );
  let asked = 0;
  directories.handlers.set(
    addressOf(3),
    (request) =>
      new URL(request.url).pathname === `/votes/${NEXT}`
        ? new Response(encodeCbor([lies[asked++ % 3]!]))
        : new Response(null, { status: 404 }),
  );
  await steps(clock, honest, EPOCH_MS);
  const liar = encodeHex(trust.authorities[3]!);
  for (const authority of honest) {
    const [evidence] = authority.evidence.about(liar);
    const { kind, epoch, signed } = directory.verifyEvidence(
      crypto,
      evidence!,
      trust,
    );
    assertEquals([kind, epoch], ["vote", NEXT]);
    assertNotEquals(signed[0], signed[1]);
    assertEquals(authority.document(NEXT)!.nodes.length, 11);
    assertEquals(
      authority.document(NEXT)!.hash,
      honest[0]!.document(NEXT)!.hash,
    );
  }
});

Deno.test("A node that enough authorities know is fetched by the one that does not, and one that too few know is left out", async () => {
  const clock = new VirtualClock(START_MS);
  const directories = new Directories();
  const trust = trustOf(3, 2);
  const three = [0, 1, 2].map((i) => directories.authority(i, trust, clock));
  submitAll(three.slice(0, 1));
  for (const descriptor of DESCRIPTORS.slice(1)) three[1]!.submit(descriptor);
  await steps(clock, three, EPOCH_MS);
  for (const authority of three) {
    assertEquals(authority.document(NEXT)!.nodes.length, 10);
  }
  assertEquals(three[2]!.nodes, 0);
});

Deno.test("A component of the beacon counts only if enough authorities got the same", async () => {
  const clock = new VirtualClock(START_MS);
  const directories = new Directories();
  const trust = trustOf(3, 2);
  const three = [0, 1, 2].map((i) =>
    directories.authority(i, trust, clock, {
      beacon: () =>
        Promise.resolve(
          new Map([
            ["drand", i === 2 ? undefined : new Uint8Array(32).fill(7)],
            ["nist", new Uint8Array(32).fill(i)],
          ]),
        ),
    })
  );
  submitAll(three);
  await steps(clock, three, EPOCH_MS);
  const { components, missing } = three[2]!.document(NEXT)!.beacon;
  assertEquals([...components.keys()], ["drand"]);
  assertEquals(missing, ["nist"]);
});

Deno.test("Without a component of the beacon there is no document", async () => {
  const clock = new VirtualClock(START_MS);
  const authority = new Directories().authority(0, trustOf(1, 1), clock, {
    beacon: () => Promise.resolve(new Map([["drand", undefined]])),
  });
  submitAll([authority]);
  await steps(clock, [authority], EPOCH_MS);
  assertEquals(authority.documentBytes(NEXT), undefined);
});

Deno.test("After a restart an authority keeps its vote, signature, nodes and document", async () => {
  const clock = new VirtualClock(START_MS);
  const directories = new Directories();
  const trust = trustOf(1, 1);
  const store = memoryStore();
  let asked = 0;
  const beacon = () =>
    Promise.resolve(new Map([["drand", new Uint8Array(32).fill(++asked)]]));
  const start = () => directories.authority(0, trust, clock, { beacon }, store);
  const first = start();
  submitAll([first]);
  await steps(clock, [first], EPOCH_MS * 3 / 4 + STEP_MS);
  const votes = first.known("vote", NEXT);
  const second = start();
  assertEquals(second.nodes, 11);
  await steps(clock, [second], STEP_MS);
  assertEquals(second.known("vote", NEXT), votes);
  assertEquals(asked, 1);
  await steps(clock, [second], EPOCH_MS / 8);
  const document = second.documentBytes(NEXT)!;
  assertEquals(start().documentBytes(NEXT), document);
});

Deno.test("Authorities that restart between voting and signing sign the votes that they gave", async () => {
  const clock = new VirtualClock(START_MS);
  const directories = new Directories();
  const trust = trustOf(2, 2);
  const stores = [memoryStore(), memoryStore()];
  const start = () =>
    stores.map((store, i) => directories.authority(i, trust, clock, {}, store));
  const first = start();
  submitAll(first);
  await steps(clock, first, EPOCH_MS * 3 / 4 + 3 * STEP_MS);
  const [votes] = decodeCbor(first[0]!.known("vote", NEXT)!) as Uint8Array[];
  const second = start();
  await steps(clock, second, EPOCH_MS / 4 - 4 * STEP_MS);
  assertEquals(
    (decodeCbor(second[0]!.known("vote", NEXT)!) as Uint8Array[])[0],
    votes,
  );
  assertEquals(
    second[0]!.document(NEXT)!.hash,
    second[1]!.document(NEXT)!.hash,
  );
});

Deno.test("DirectoryAuthority runs by its clock until its signal aborts", async () => {
  const clock = new VirtualClock(START_MS);
  const authority = new Directories().authority(0, trustOf(1, 1), clock);
  submitAll([authority]);
  const ended = new AbortController();
  const running = authority.run(ended.signal);
  await clock.run(EPOCH_MS);
  assertEquals(authority.document(NEXT)?.nodes.length, 11);
  ended.abort();
  await running;
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("Three of five authorities make documents though the others take connections and say nothing", async () => {
  const clock = new VirtualClock(START_MS);
  const directories = new Directories();
  const trust = trustOf(5, 3);
  const silent = [0, 1].map(addressOf);
  const ask: directory.DirectoryFetch = (request, signal) =>
    silent.includes(request.address)
      ? new Promise((_, reject) => {
        signal.addEventListener(
          "abort",
          () => reject(new DirectoryError("unreachable", "No answer")),
        );
      })
      : directories.ask(request, signal);
  const three = [2, 3, 4].map((i) =>
    directories.authority(i, trust, clock, { ask })
  );
  submitAll(three);
  const ended = new AbortController();
  const running = three.map((authority) => authority.run(ended.signal));
  for (const epoch of [NEXT, NEXT + 1]) {
    await clock.run(EPOCH_MS);
    for (const authority of three) {
      assertEquals(authority.document(epoch)?.nodes.length, 11);
    }
  }
  assertEquals(three[0]!.refused.get("unreachable")! > 10, true);
  ended.abort();
  await Promise.all(running);
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("DirectoryAuthority wants to be one of the authorities, and a threshold of more than half", () => {
  const clock = new VirtualClock(START_MS);
  const directories = new Directories();
  assertThrows(
    () => directories.authority(2, trustOf(2, 2), clock),
    RangeError,
    "none of the authorities",
  );
  for (const threshold of [0, 1, 2, 5, NaN]) {
    assertThrows(
      () => directories.authority(0, trustOf(4, threshold), clock),
      RangeError,
      "threshold",
    );
  }
});
