import { assert, assertEquals } from "@std/assert";
import { VirtualClock } from "../../../src/core/async/mod.ts";
import { encodeCbor, encodeHex } from "../../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../../src/core/crypto/mod.ts";
import { memoryStore } from "../../../src/core/storage/mod.ts";
import { ENDORSEMENT } from "../../../src/mixnet/directory/endorsement.ts";
import { ROLL } from "../../../src/mixnet/directory/roll.ts";
import {
  sign,
  type SignedForm,
} from "../../../src/mixnet/directory/signed_form.ts";
import { VOTE } from "../../../src/mixnet/directory/vote.ts";
import { beacon, directory } from "../../../src/mixnet/mod.ts";
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
  const descriptors = DESCRIPTORS.map(hashOf).sort((a, b) =>
    encodeHex(a) < encodeHex(b) ? -1 : 1
  );
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
