import { assert, assertEquals } from "@std/assert";
import { defaultAuthenticationService } from "ts-mls/authenticationService.js";
import type { Credential } from "ts-mls/credential.js";
import { generateKeyPackageWithKey } from "ts-mls/keyPackage.js";
import { encodeMlsMessage } from "ts-mls/message.js";
import { concat, utf8 } from "../../../src/core/bytes/mod.ts";
import { Secret } from "../../../src/core/crypto/mod.ts";
import { checkTree } from "../../../src/fabric/group/mls/check_tree.ts";
import { cipherSuite } from "../../../src/fabric/group/mls/cipher_suite.ts";
import {
  type GroupState,
  type MadeKeyPackage,
  MAX_GROUP_MEMBERS,
  MAX_GROUP_MESSAGE_BYTES,
} from "../../../src/fabric/group/mls/group_crypto.ts";
import { leafCredential } from "../../../src/fabric/group/mls/leaf_credential.ts";
import { MlsGroupCrypto } from "../../../src/fabric/group/mls/mls_group_crypto.ts";
import { MlsState } from "../../../src/fabric/group/mls/mls_state.ts";
import type { Agent } from "../../../src/fabric/mod.ts";
import { agentOf, crypto } from "../_agents.ts";
import { assertFails, groupOf, groups, keyPackageOf } from "./_group.ts";

const suite = cipherSuite(crypto, 1);

/** A key package, right but for the credential, which is made of the leaf's signature key. */
async function forged(
  credentialOf: (signatureKey: Uint8Array) => Credential,
): Promise<MadeKeyPackage> {
  const keys = await suite.signature.keygen();
  const { publicPackage, privatePackage } = await generateKeyPackageWithKey(
    credentialOf(keys.publicKey),
    {
      versions: ["mls10"],
      ciphersuites: [suite.name],
      extensions: [0xf0b7],
      proposals: [],
      credentials: ["basic", "x509"],
    },
    { notBefore: 0n, notAfter: 2n ** 64n - 1n },
    [],
    keys,
    suite,
  );
  const { initPrivateKey, hpkePrivateKey, signaturePrivateKey } =
    privatePackage;
  return {
    keyPackage: encodeMlsMessage({
      version: "mls10",
      wireformat: "mls_key_package",
      keyPackage: publicPackage,
    }).slice(),
    secret: new Secret(
      concat(initPrivateKey, hpkePrivateKey, signaturePrivateKey),
    ),
  };
}

/** The state of a member that takes any credential. */
function credulous(state: GroupState): GroupState {
  assert(state instanceof MlsState);
  const authService = defaultAuthenticationService;
  return new MlsState({
    ...state.inner,
    clientConfig: { ...state.inner.clientConfig, authService },
  });
}

const mallory = agentOf("mallory@node-1");
const victim = agentOf("victim@node-1");
const basic = (identity: Uint8Array): Credential => ({
  credentialType: "basic",
  identity,
});
const FORGERIES: Readonly<Record<string, (key: Uint8Array) => Credential>> = {
  "another agent's id": (key) =>
    basic(
      concat(
        victim.id.bytes,
        mallory.sign(concat(utf8("betanet-fabric-group-v1"), key)),
      ),
    ),
  "a signature for another key": () =>
    leafCredential(mallory, new Uint8Array(32).fill(7)),
  "a signature for another purpose": (key) =>
    basic(concat(mallory.id.bytes, mallory.sign(key))),
  "no signature": () => basic(mallory.id.bytes),
  "a certificate": () => ({ credentialType: "x509", certificates: [] }),
};

for (const [what, credentialOf] of Object.entries(FORGERIES)) {
  const isShapeless = what === "no signature" || what === "a certificate";
  Deno.test(`a leaf with ${what} is refused wherever it comes from`, async () => {
    const liar = await forged(credentialOf);
    await assertFails(
      () => groups.readKeyPackage(liar.keyPackage),
      "unauthenticated",
    );
    const refuses = (work: () => Promise<unknown>) =>
      assertFails(work, "refused", "unauthenticated");
    const [ann, ben] = await groupOf(["ann", "ben"]);
    await refuses(() => groups.commit(ann!.state, { add: [liar.keyPackage] }));
    const made = await keyPackageOf(agentOf("dora@node-1"));
    for (
      const lie of [
        () => groups.commit(credulous(ann!.state), { add: [liar.keyPackage] }),
        async () =>
          groups.joinExternal(await groups.groupInfo(ann!.state), liar),
      ]
    ) {
      const { commit } = await lie().catch(() => ({ commit: undefined }));
      if (commit) await refuses(() => groups.process(ben!.state, commit));
      else assert(isShapeless); // it cannot even be said
    }
    const lies = await groups.createGroup(Uint8Array.of(1), liar);
    const { welcome } = await groups
      .commit(credulous(lies), { add: [made.keyPackage] })
      .catch(() => ({ welcome: undefined }));
    if (welcome) await refuses(() => groups.join(welcome, made));
    else assert(isShapeless);
  });
}

Deno.test("an agent gets one leaf only", async () => {
  const [ann, ben] = await groupOf(["ann", "ben"]);
  const again = await keyPackageOf(ben!.agent);
  const twice = await Promise.all(
    [1, 2].map(() => keyPackageOf(agentOf("dora@node-1"))),
  );
  const add = (packages: readonly MadeKeyPackage[]) =>
    assertFails(
      () =>
        groups.commit(ann!.state, {
          add: packages.map(({ keyPackage }) => keyPackage),
        }),
      "refused",
    );
  await add([again]);
  await add(twice);
});

Deno.test("what is for another key package, suite, group, epoch or agent is refused with its own code", async () => {
  const [ann, ben] = await groupOf(["ann", "ben"]);
  const dora = agentOf("dora@node-1");
  const made = await keyPackageOf(dora);
  const { welcome, commit, state } = await groups.commit(ann!.state, {
    add: [made.keyPackage],
  });
  const other = await keyPackageOf(dora);
  await assertFails(() => groups.join(welcome!, other), "group_key_package");
  await assertFails(
    () => groups.commit(ann!.state, { remove: [dora.id] }),
    "unknown_agent",
  );
  const three = new MlsGroupCrypto(crypto, 3);
  const foreign = await three.createKeyPackage(dora);
  await assertFails(
    () => groups.commit(ann!.state, { add: [foreign.keyPackage] }),
    "refused",
  );
  await assertFails(
    () => groups.readKeyPackage(foreign.keyPackage),
    "unauthenticated",
  );
  const info = await groups.groupInfo(ann!.state);
  await assertFails(() => three.joinExternal(info, foreign), "refused");
  await assertFails(
    async () => await Promise.resolve(three.decodeState(ann!.state.encode())),
    "malformed",
  );
  const elsewhere = await groups.createGroup(
    Uint8Array.of(9),
    await keyPackageOf(ann!.agent),
  );
  await assertFails(() => groups.process(elsewhere, commit), "group_epoch");
  await assertFails(() => groups.process(state, commit), "group_epoch");
  await assertFails(
    () => groups.process(ben!.state, welcome!),
    "malformed",
  );
});

Deno.test("a key package past its end is not added", async () => {
  const [ann] = await groupOf(["ann", "ben"]);
  const dora = agentOf("dora@node-1");
  const past = await groups.createKeyPackage(dora, { notAfterMs: 1_000_000 });
  const read = await groups.readKeyPackage(past.keyPackage);
  assertEquals(read.notAfterMs, 1_000_000);
  assert(read.id.equals(dora.id));
  await assertFails(
    () => groups.commit(ann!.state, { add: [past.keyPackage] }),
    "refused",
  );
  const { keyPackage } = await keyPackageOf(dora);
  assertEquals((await groups.readKeyPackage(keyPackage)).notAfterMs, Infinity);
});

Deno.test("a tree with too many members is full, and one with a key twice is refused", async () => {
  const [ann] = await groupOf(["ann", "ben"]);
  assert(ann!.state instanceof MlsState);
  const [first, , second] = ann!.state.inner.ratchetTree;
  const members = Array.from({ length: MAX_GROUP_MEMBERS + 1 }, () => first);
  const tree = members.flatMap((leaf) => [leaf, undefined]);
  const check = async (tree: Parameters<typeof checkTree>[0]) =>
    await Promise.resolve(checkTree(tree));
  await assertFails(() => check(tree), "full");
  assert(first?.nodeType === "leaf" && second?.nodeType === "leaf");
  for (const key of ["hpkePublicKey", "signaturePublicKey"] as const) {
    const leaf = { ...second.leaf, [key]: first.leaf[key] };
    await assertFails(
      () => check([first, undefined, { ...second, leaf }]),
      "refused",
    );
  }
  await check([first, undefined, second]);
});

/** Every message of a group's life, and what takes it. */
async function takers(): Promise<
  readonly [Uint8Array, (bytes: Uint8Array) => Promise<unknown>][]
> {
  const [ann, ben] = await groupOf(["ann", "ben", "cleo"]);
  const dora: Agent = agentOf("dora@node-1");
  const made = await keyPackageOf(dora);
  const take = (bytes: Uint8Array) => groups.process(ben!.state, bytes);
  const join = (bytes: Uint8Array) => groups.join(bytes, made);
  const sent = await groups.encrypt(ann!.state, Uint8Array.of(1, 2, 3));
  const added = await groups.commit(ann!.state, { add: [made.keyPackage] });
  const renewed = await groups.commit(ann!.state);
  const proposed = await groups.propose(ann!.state, {
    remove: ben!.agent.id,
  });
  const info = await groups.groupInfo(ann!.state);
  const external = await groups.joinExternal(info, made);
  return [
    [sent.message, take],
    [added.commit, take],
    [renewed.commit, take],
    [proposed.message, take],
    [external.commit, take],
    [added.welcome!, join],
    [info, (bytes) => groups.joinExternal(bytes, made)],
    [made.keyPackage, (bytes) => groups.readKeyPackage(bytes)],
  ];
}

Deno.test("changed and cut messages fail with a FabricError, and leave the state as it was", async () => {
  for (const [bytes, take] of await takers()) {
    await take(bytes);
    for (const at of positions(bytes.length, 40)) {
      const changed = bytes.slice();
      changed[at]! ^= 1 + at % 255;
      await assertFails(
        () => take(changed),
        "malformed",
        "unauthenticated",
        "refused",
        "group_epoch",
        "group_key_package",
      );
      await assertFails(() => take(bytes.slice(0, at)), "malformed");
    }
    await assertFails(
      () => take(concat(bytes, new Uint8Array(1))),
      "malformed",
    );
    await take(bytes);
  }
});

Deno.test("random bytes and too many bytes are refused", async () => {
  const [ann] = await groupOf(["ann"]);
  for (let i = 0; i < 400; i++) {
    const bytes = crypto.random(i);
    bytes.set([0, 1, 0, 1 + i % 5].slice(0, i)); // the version and a wire format
    await assertFails(
      () => groups.process(ann!.state, bytes),
      "malformed",
      "group_epoch",
      "refused",
    );
  }
  const large = new Uint8Array(MAX_GROUP_MESSAGE_BYTES + 1);
  await assertFails(() => groups.process(ann!.state, large), "too_large");
  const state = ann!.state.encode();
  for (const at of positions(state.length, 60)) {
    await assertFails(
      async () => await Promise.resolve(groups.decodeState(state.slice(0, at))),
      "malformed",
    );
  }
});

/** `count` positions below `length`, spread evenly. */
function positions(length: number, count: number): readonly number[] {
  return Array.from(
    { length: count },
    (_, i) => Math.floor(i * length / count),
  );
}
