import { assertEquals, assertThrows } from "@std/assert";
import { encodeCbor } from "../../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../../src/core/crypto/mod.ts";
import { ENDORSEMENT } from "../../../src/mixnet/directory/endorsement.ts";
import { ROLL } from "../../../src/mixnet/directory/roll.ts";
import {
  sign,
  type SignedForm,
  verify,
} from "../../../src/mixnet/directory/signed_form.ts";
import { VOTE } from "../../../src/mixnet/directory/vote.ts";
import { directory, DirectoryError } from "../../../src/mixnet/mod.ts";
import { SEEDS, TRUST } from "./_network.ts";

const [SEED] = SEEDS;
const COMMON = {
  authority: TRUST.authorities[0]!,
  network: "test",
  epoch: 500_000,
};
const HASHES = Array.from({ length: 4_097 }, (_, i) => {
  const hash = new Uint8Array(32).fill(7);
  new DataView(hash.buffer).setUint32(0, i);
  return hash;
});
const ROLL_VALUE = { ...COMMON, descriptors: HASHES.slice(0, 3) };
const VOTE_VALUE = {
  ...ROLL_VALUE,
  components: new Map([["drand", HASHES[0]], ["nist", undefined]]),
  previousHash: HASHES[1]!,
};
const ENDORSEMENT_VALUE = { ...COMMON, hash: HASHES[2]! };

function check<T>(form: SignedForm<T>, value: T, bad: readonly Partial<T>[]) {
  const bytes = sign(crypto, form, SEED!, value);
  assertEquals(verify(crypto, form, bytes), value);
  for (let i = 0; i < bytes.length; i++) {
    for (const changed of [bytes.with(i, bytes[i]! ^ 1), bytes.slice(0, i)]) {
      assertThrows(() => verify(crypto, form, changed), DirectoryError);
    }
  }
  for (const changes of bad) {
    const error = assertThrows(
      () => sign(crypto, form, SEED!, { ...value, ...changes }),
      DirectoryError,
    );
    assertEquals(error.code, "malformed", JSON.stringify(changes));
  }
}

Deno.test("a roll, a vote and an endorsement come back as they were signed, and with any byte changed or cut are refused", () => {
  check(ROLL, ROLL_VALUE, [
    { descriptors: HASHES },
    { descriptors: [HASHES[1]!, HASHES[0]!] },
    { descriptors: [HASHES[1]!, HASHES[1]!] },
    { descriptors: [new Uint8Array(31)] },
    { epoch: -1 },
    { epoch: 0.5 },
    { network: "Test" },
  ]);
  check(VOTE, VOTE_VALUE, [
    { previousHash: new Uint8Array(31) },
    { components: new Map([["Drand", HASHES[0]]]) },
    { components: new Map([["drand", new Uint8Array(33)]]) },
    {
      components: new Map(HASHES.slice(0, 17).map((each, i) => [`${i}`, each])),
    },
  ]);
  check(ENDORSEMENT, ENDORSEMENT_VALUE, [{ hash: new Uint8Array(0) }]);
});

Deno.test("the longest roll and vote are not too long", () => {
  const descriptors = HASHES.slice(0, 4_096);
  const network = "n".repeat(64);
  const most = { ...COMMON, network, epoch: 2 ** 43, descriptors };
  sign(crypto, ROLL, SEED!, most);
  const names = Array.from({ length: 16 }, (_, i) => `${i}`.padStart(32, "x"));
  sign(crypto, VOTE, SEED!, {
    ...VOTE_VALUE,
    ...most,
    components: new Map(names.map((name) => [name, HASHES[0]])),
  });
});

Deno.test("evidence is two different statements of one authority for one epoch and network, whose signatures verify", () => {
  const of = (changes: Partial<typeof ROLL_VALUE>, seed = SEED!) =>
    sign(crypto, ROLL, seed, { ...ROLL_VALUE, ...changes });
  const one = of({});
  const other = of({ descriptors: [] });
  const verdict = (...fields: readonly (number | Uint8Array)[]) => {
    try {
      const bytes = encodeCbor([...fields]);
      return directory.verifyEvidence(crypto, bytes, TRUST).kind;
    } catch (error) {
      if (error instanceof DirectoryError) return error.code;
      throw error;
    }
  };
  const stranger = new Uint8Array(32).fill(9);
  const authority = crypto.ed25519.publicKey(stranger);
  assertEquals(verdict(0, one, other), "roll");
  assertEquals(verdict(1, one, other), "malformed"); // no votes
  assertEquals(verdict(3, one, other), "malformed");
  assertEquals(verdict(0, one, one), "malformed");
  assertEquals(verdict(0, one, of({ epoch: 1, descriptors: [] })), "malformed");
  assertEquals(
    verdict(
      0,
      one,
      of({ authority: TRUST.authorities[1]!, descriptors: [] }, SEEDS[1]),
    ),
    "malformed",
  );
  assertEquals(
    verdict(
      0,
      of({ authority }, stranger),
      of({ authority, descriptors: [] }, stranger),
    ),
    "not_admitted",
  );
  const network = "other";
  assertEquals(
    verdict(0, of({ network }), of({ network, descriptors: [] })),
    "wrong_network",
  );
  assertEquals(
    verdict(0, one, other.with(-1, other.at(-1)! ^ 1)),
    "unsigned",
  );
});
