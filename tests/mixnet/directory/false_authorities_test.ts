import { assert, assertEquals } from "@std/assert";
import { VirtualClock } from "../../../src/core/async/mod.ts";
import {
  decodeCbor,
  encodeCbor,
  encodeHex,
  equal,
} from "../../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../../src/core/crypto/mod.ts";
import { memoryStore } from "../../../src/core/storage/mod.ts";
import { ENDORSEMENT } from "../../../src/mixnet/directory/endorsement.ts";
import { ROLL } from "../../../src/mixnet/directory/roll.ts";
import {
  sign,
  type SignedForm,
  verify,
} from "../../../src/mixnet/directory/signed_form.ts";
import { VOTE } from "../../../src/mixnet/directory/vote.ts";
import {
  beacon,
  directory,
  verifyDescriptor,
} from "../../../src/mixnet/mod.ts";
import { seededRandom } from "../node/_draws.ts";
import {
  addressOf,
  Directories,
  seedOf,
  STEP_MS,
  steps,
  submitAll,
  trustOf,
} from "./_authorities.ts";
import { DESCRIPTORS, EPOCH, EPOCH_MS, signed, START_MS } from "./_network.ts";

const NEXT = EPOCH + 1;
const TRUST = trustOf(4, 3);
const COMPONENTS = new Map([["drand", new Uint8Array(32).fill(7)]]);
const SCHEDULE = directory.epochSchedule(NEXT, { epochSeconds: 3_600 });
/** When the beacon of the next epoch can be known, from the start on. */
const BEACON_MS = beacon.beaconSeconds(NEXT, 3_600) * 1_000 - START_MS;
const NONE = new Uint8Array(0);
const NO_SIGNAL = new AbortController().signal;
/** A node whose key was chosen for the layer that it gives. */
const CHOSEN = signed(50);

Deno.test("the list of an epoch is closed an eighth of an epoch before the time of its beacon, whatever its length", () => {
  for (const epochSeconds of [1, 5, 60, 3_599, 3_600, 86_400]) {
    for (const epoch of [1, 2, 487_548]) {
      const { rollMs, closeMs, voteMs, votedMs, signMs, beginMs, endMs } =
        directory.epochSchedule(epoch, { epochSeconds });
      const beaconMs = beacon.beaconSeconds(epoch, epochSeconds) * 1_000;
      assert(closeMs <= beaconMs - epochSeconds * 1_000 / 8);
      const times = [rollMs, closeMs, voteMs, votedMs, signMs, beginMs, endMs];
      assertEquals(times, times.toSorted((a, b) => a - b));
    }
  }
});

/** Three honest authorities and a false one, of which the test makes the answers. */
function world() {
  const clock = new VirtualClock(START_MS);
  const directories = new Directories();
  const stores = [memoryStore(), memoryStore(), memoryStore()];
  const start = (i: number) =>
    directories.authority(i, TRUST, clock, {}, stores[i]);
  const honest = stores.map((_, i) => start(i));
  const says = new Map<string, () => Response>();
  directories.handlers.set(
    addressOf(3),
    (request) =>
      says.get(new URL(request.url).pathname)?.() ??
        new Response(null, { status: 404 }),
  );
  submitAll(honest);
  return { clock, directories, honest, says, start };
}

function falselySigned<T>(
  form: SignedForm<T>,
  value: Omit<T, "authority" | "network" | "epoch">,
) {
  return sign(crypto, form, seedOf(3), {
    ...{ network: "test", epoch: NEXT, authority: TRUST.authorities[3] },
    ...value,
  } as T);
}

function hashOf(descriptor: Uint8Array) {
  return crypto.hash("sha256", descriptor);
}

function listOf(...bytes: readonly Uint8Array[]) {
  return () => new Response(encodeCbor([...bytes]));
}

function idsIn(authority: directory.DirectoryAuthority | undefined) {
  return authority?.document(NEXT)?.nodes
    .map(({ identityKey }) => identityKey[0]);
}

const CHOSEN_ID = crypto.ed25519.publicKey(new Uint8Array(32).fill(150))[0];

Deno.test("a node that comes when the beacon can be known is in no document of the epoch, though a false authority holds its roll back", async () => {
  const { clock, honest, says } = world();
  submitAll(honest.slice(0, 2), [CHOSEN]); // one roll more, and it is in
  await steps(clock, honest, BEACON_MS);
  submitAll(honest, [signed(51)]);
  says.set(
    `/rolls/${NEXT}`,
    listOf(falselySigned(ROLL, { descriptors: [hashOf(CHOSEN)] })),
  );
  says.set(
    `/votes/${NEXT}`,
    listOf(falselySigned(VOTE, {
      descriptors: [hashOf(CHOSEN)],
      components: COMPONENTS,
      previousHash: NONE,
    })),
  );
  await steps(clock, honest, EPOCH_MS - BEACON_MS);
  for (const authority of honest) {
    assertEquals(authority.document(NEXT)!.nodes.length, 11);
    assert(!idsIn(authority)!.includes(CHOSEN_ID));
  }
});

Deno.test("a roll that comes when the list is closed is refused as late", async () => {
  const { clock, honest, says } = world();
  const lateMs = SCHEDULE.closeMs - START_MS;
  await steps(clock, honest, lateMs - STEP_MS);
  const roll = falselySigned(ROLL, { descriptors: [hashOf(CHOSEN)] });
  says.set(`/rolls/${NEXT}`, () => {
    clock.advance(STEP_MS); // the answer takes as long
    return listOf(roll)();
  });
  await honest[0]!.step(NO_SIGNAL);
  assertEquals(honest[0]!.refused.get("late"), 1);
});

Deno.test("a roll that one honest authority alone heard in time does not get its nodes into the document", async () => {
  const { clock, honest, says } = world();
  submitAll(honest.slice(0, 2), [CHOSEN]);
  await steps(clock, honest, SCHEDULE.closeMs - START_MS - STEP_MS);
  says.set(
    `/rolls/${NEXT}`,
    listOf(falselySigned(ROLL, { descriptors: [hashOf(CHOSEN)] })),
  );
  await honest[0]!.step(NO_SIGNAL);
  clock.advance(STEP_MS);
  await steps(clock, honest, EPOCH_MS / 4);
  const [of0, of1] = honest.map((each) => each.known("roll", NEXT)!.length);
  assert(of0! > of1!);
  // With its vote it decides whether there is a document, not which.
  const descriptors = sortedHashes(DESCRIPTORS);
  says.set(
    `/votes/${NEXT}`,
    listOf(falselySigned(VOTE, {
      ...{ descriptors, components: COMPONENTS, previousHash: NONE },
    })),
  );
  await steps(clock, honest, EPOCH_MS / 2);
  for (const authority of honest) {
    assert(!idsIn(authority)!.includes(CHOSEN_ID));
  }
});

Deno.test("what convicts an authority of two rolls is kept over restarts, given to whoever asks, and verifies", async () => {
  const { clock, directories, honest, says, start } = world();
  await steps(clock, honest, SCHEDULE.rollMs - START_MS);
  const rolls = [[], [hashOf(CHOSEN)]].map((descriptors) =>
    falselySigned(ROLL, { descriptors })
  );
  says.set(`/rolls/${NEXT}`, listOf(...rolls));
  await steps(clock, honest, STEP_MS);
  const restarted = start(0);
  assertEquals(restarted.evidence.all.length, 1);
  const client = new directory.DirectoryClient({
    ...{ crypto, clock, trust: TRUST, epochSeconds: 3_600 },
    ...{ ask: directories.ask, store: memoryStore(), random: () => 0 },
    authorities: [0, 1, 2, 3].map(addressOf),
  });
  await client.gatherEvidence(NO_SIGNAL);
  const [evidence, ...others] = client.evidence.all;
  assertEquals(others, []);
  assertEquals(evidence!.kind, "roll");
  assertEquals(evidence!.authority, TRUST.authorities[3]);
  assertEquals([...evidence!.signed], rolls);
});

Deno.test("an authority that endorses two documents of an epoch is convicted, and the document is made without it", async () => {
  const { clock, honest, says } = world();
  says.set(
    `/endorsements/${NEXT}`,
    listOf(
      ...[1, 2].map((byte) =>
        falselySigned(ENDORSEMENT, { hash: new Uint8Array(32).fill(byte) })
      ),
    ),
  );
  await steps(clock, honest, EPOCH_MS);
  for (const authority of honest) {
    assertEquals(authority.document(NEXT)!.nodes.length, 11);
    const [evidence] = authority.evidence.all;
    assertEquals(evidence?.kind, "endorsement");
    assertEquals(evidence?.authority, TRUST.authorities[3]);
  }
});

Deno.test("what others say in vain is counted by its reason, and the rest of it taken", async () => {
  const { clock, honest, says } = world();
  const stranger = sign(crypto, ROLL, seedOf(9), {
    authority: crypto.ed25519.publicKey(seedOf(9)),
    ...{ network: "test", epoch: NEXT, descriptors: [] },
  });
  const good = falselySigned(ROLL, { descriptors: [] });
  const wrong = sign(crypto, ROLL, seedOf(3), {
    authority: TRUST.authorities[3]!,
    ...{ network: "other", epoch: NEXT, descriptors: [] },
  });
  says.set(
    `/rolls/${NEXT}`,
    listOf(stranger, wrong, good.with(-1, good.at(-1)! ^ 1), good),
  );
  await steps(clock, honest, SCHEDULE.rollMs - START_MS + STEP_MS);
  const { refused } = honest[0]!;
  assertEquals(refused.get("not_admitted"), 1);
  assertEquals(refused.get("wrong_network"), 1);
  assertEquals(refused.get("unsigned"), 1);
  assertEquals(honest[0]!.known("roll", NEXT)!.length > good.length, true);
});

Deno.test("whatever a false authority says to whom and when, honest ones make one document at most, of a list that one of them closed before", async () => {
  const candidates = [50, 51, 52, 53].map((i) => signed(i));
  const lists = Array.from({ length: 16 }, (_, bits) =>
    sortedHashes([
      ...DESCRIPTORS,
      ...candidates.filter((_, i) => bits >> i & 1),
    ]));
  const counts = { made: 0, convicted: 0 };
  for (let seed = 1; seed <= 12; seed++) {
    const random = seededRandom(seed);
    const pick = <T>(items: readonly T[]) =>
      items[Math.floor(random() * items.length)]!;
    const { clock, honest, says } = world();
    for (const authority of honest) {
      submitAll([authority], candidates.filter(() => random() < 0.6));
    }
    // It may tell one thing to all, but at times that suit it; or two.
    const some = <T>(items: readonly T[]) =>
      items.slice(0, seed % 2 === 0 ? 1 : 2);
    const rolls = some(
      [pick(lists), pick(lists)].map((descriptors) =>
        falselySigned(ROLL, { descriptors })
      ),
    );
    const chance = 0.02 + 0.1 * random();
    const { rollMs, signMs } = SCHEDULE;
    const fromMs = rollMs + random() * (signMs - rollMs);
    const sometimes = (items: readonly Uint8Array[]) => () =>
      clock.wallTime() >= fromMs && random() < chance
        ? listOf(pick(items))()
        : listOf()();
    says.set(`/rolls/${NEXT}`, sometimes(rolls));
    await steps(clock, honest, BEACON_MS);
    const closed = honest.map((each) =>
      closedList(decodeAll(each.known("roll", NEXT)!))
    );
    const votes = some(
      [pick(closed), pick(closed)].map((descriptors) =>
        falselySigned(VOTE, {
          descriptors: descriptors.map((hash) => Uint8Array.fromHex(hash)),
          components: pick([
            COMPONENTS,
            new Map([["nist", CHOSEN.slice(0, 32)]]),
          ]),
          previousHash: pick([NONE, CHOSEN.slice(0, 32)]),
        })
      ),
    );
    says.set(`/votes/${NEXT}`, sometimes(votes));
    await steps(clock, honest, EPOCH_MS - BEACON_MS + 2 * STEP_MS);
    const made = honest.flatMap((each) => each.document(NEXT) ?? []);
    assert(new Set(made.map(({ hash }) => encodeHex(hash))).size <= 1);
    const held = [...DESCRIPTORS, ...candidates];
    for (const { nodes } of made.slice(0, 1)) {
      counts.made++;
      const ids = nodes.map(({ identityKey }) => encodeHex(identityKey));
      const listed = sortedHashes(
        held.filter((bytes) =>
          ids.includes(encodeHex(verifyDescriptor(crypto, bytes).identityKey))
        ),
      ).map((hash) => encodeHex(hash));
      assert(closed.some((list) => `${list}` === `${listed}`), `seed ${seed}`);
    }
    if (honest.some((each) => each.evidence.all.length > 0)) counts.convicted++;
  }
  assert(counts.made >= 1 && counts.convicted >= 1, JSON.stringify(counts));
});

function sortedHashes(descriptors: readonly Uint8Array[]) {
  return descriptors.map(hashOf)
    .sort((a, b) => encodeHex(a) < encodeHex(b) ? -1 : 1);
}

function decodeAll(cbor: Uint8Array) {
  return (decodeCbor(cbor) as Uint8Array[]).map((bytes) =>
    verify(crypto, ROLL, bytes)
  );
}

/** What three of the authorities hold that said one thing, in hexadecimal. */
function closedList(rolls: ReturnType<typeof decodeAll>): string[] {
  const honest = rolls.filter(({ authority }) =>
    rolls.filter((each) => equal(each.authority, authority)).length === 1
  );
  const all = honest.flatMap(({ descriptors }) =>
    descriptors.map((hash) => encodeHex(hash))
  );
  return [...new Set(all)].sort()
    .filter((hash) => all.filter((each) => each === hash).length >= 3);
}
