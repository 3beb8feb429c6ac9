import { assertEquals } from "@std/assert";
import { decodeHex, encodeHex } from "../../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../../src/core/crypto/mod.ts";
import {
  endorse,
  endorsementsIn,
} from "../../../src/mixnet/directory/directory_document.ts";
import { ROLL } from "../../../src/mixnet/directory/roll.ts";
import { sign, verify } from "../../../src/mixnet/directory/signed_form.ts";
import { VOTE } from "../../../src/mixnet/directory/vote.ts";
import {
  beaconSet,
  directory,
  joinDocument,
  makeDocument,
  signDescriptor,
  signDocument,
  verifyDescriptor,
  verifyDocument,
} from "../../../src/mixnet/mod.ts";
import vector from "../../vectors/betanet/directory.json" with { type: "json" };

const seeds = vector.authoritySeeds.map(decodeHex);
const trust = {
  network: vector.network,
  authorities: seeds.map((seed) => crypto.ed25519.publicKey(seed)),
  threshold: 2,
};
const descriptors = vector.descriptors.map(decodeHex);
const whole = decodeHex(vector.document);

Deno.test("descriptors, rolls and votes of the vector are what we make of the same fields", () => {
  for (const [i, bytes] of descriptors.entries()) {
    const node = verifyDescriptor(crypto, bytes);
    assertEquals(node.sequence, 1_000 + i);
    assertEquals(
      signDescriptor(crypto, decodeHex(vector.nodeSeeds[i]!), node),
      bytes,
    );
  }
  for (const text of vector.rolls) {
    const roll = verify(crypto, ROLL, decodeHex(text));
    assertEquals(encodeHex(sign(crypto, ROLL, seeds[0]!, roll)), text);
  }
  const vote = verify(crypto, VOTE, decodeHex(vector.vote));
  assertEquals(encodeHex(sign(crypto, VOTE, seeds[0]!, vote)), vector.vote);
});

Deno.test("the vector's vote makes the vector's document, byte for byte, in whatever order its descriptors come", () => {
  const { parameters } = verifyDocument(crypto, whole, trust);
  const vote = verify(crypto, VOTE, decodeHex(vector.vote));
  const beacon = beaconSet(vector.epoch, vote.components);
  assertEquals(encodeHex(beacon.value), vector.beacon);
  const payload = makeDocument(crypto, {
    ...{ parameters, beacon, epoch: vector.epoch },
    previousHash: vote.previousHash,
    descriptors: descriptors.toReversed(),
  });
  const made = joinDocument(
    payload,
    seeds.map((seed, i) =>
      [trust.authorities[i]!, signDocument(crypto, seed, payload)] as const
    ),
  );
  assertEquals(encodeHex(made), vector.document);
  assertEquals(
    seeds.map((seed) => encodeHex(endorse(crypto, seed, payload))),
    vector.endorsements,
  );
  assertEquals(
    [...endorsementsIn(crypto, whole, trust).values()].map((each) =>
      encodeHex(each)
    ).sort(),
    vector.endorsements.toSorted(),
  );
});

Deno.test("the vector's evidence convicts the authority that signed both rolls", () => {
  const { kind, authority, epoch } = directory.verifyEvidence(
    crypto,
    decodeHex(vector.evidence),
    trust,
  );
  assertEquals([kind, epoch], ["roll", vector.epoch]);
  assertEquals(authority, trust.authorities[0]);
});
