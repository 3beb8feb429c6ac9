import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { acceptAll } from "ts-mls/incomingMessageAction.js";
import { decodeMlsMessage } from "ts-mls/message.js";
import { unprotectPrivateMessage } from "ts-mls/messageProtection.js";
import { processMessage } from "ts-mls/processMessages.js";
import { emptyPskIndex } from "ts-mls/pskIndex.js";
import { cipherSuite } from "../../../src/fabric/group/mls/cipher_suite.ts";
import type { GroupState } from "../../../src/fabric/group/mls/group_crypto.ts";
import { MlsGroupCrypto } from "../../../src/fabric/group/mls/mls_group_crypto.ts";
import { MlsState } from "../../../src/fabric/group/mls/mls_state.ts";
import { agentOf, crypto } from "../_agents.ts";
import {
  assertAgreed,
  assertFails,
  assertReaches,
  deliver,
  groupOf,
  groups,
  keyPackageOf,
} from "./_group.ts";
import { seeded } from "./_group_world.ts";
import { decoded } from "./_mls_vectors.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

/** What the library knows. */
function stateOf(state: GroupState): MlsState {
  assert(state instanceof MlsState);
  return state;
}

for (const suite of [1, 3] as const) {
  Deno.test(`members of suite ${suite} are added by a Welcome, agree and reach each other`, async () => {
    const by = new MlsGroupCrypto(crypto, suite);
    const settings = utf8("kind: council");
    const members = await groupOf(["ann", "ben", "cleo"], { by, settings });
    assertAgreed(members);
    const [ann, ben, cleo] = members as [
      typeof members[0],
      typeof members[0],
      typeof members[0],
    ];
    assertEquals(ann.state.epoch, 1n);
    assertEquals(cleo.state.settings, settings);
    assertEquals(ben.state.members.map(({ leafIndex }) => leafIndex), [
      0,
      1,
      2,
    ]);
    for (const from of members) {
      await assertReaches(from, members.filter((each) => each !== from), by);
    }
    const exported = await Promise.all(
      members.map(({ state }) => by.export(state, "x", utf8("y"), 48)),
    );
    assertEquals(exported[0]!.length, 48);
    assertEquals(exported[1], exported[0]);
    assertEquals(exported[2], exported[0]);
    assertNotEquals(
      await by.export(ann.state, "z", utf8("y"), 48),
      exported[0],
    );
    const { state, commit } = await by.commit(cleo.state);
    cleo.state = state;
    const done = await deliver(commit, [ann, ben], by);
    assert(done.kind === "commit" && done.committer.equals(cleo.agent.id));
    assertAgreed(members);
    assertEquals(ann.state.epoch, 2n);
  });
}

Deno.test("a commit says whom it added and removed, with authenticated data", async () => {
  const members = await groupOf(["ann", "ben", "cleo"]);
  const [ann, ben, cleo] = members;
  const dora = agentOf("dora@node-1");
  const made = await keyPackageOf(dora);
  const data = utf8("because");
  const { state, commit, welcome } = await groups.commit(ann!.state, {
    add: [made.keyPackage],
    remove: [ben!.agent.id],
    data,
  });
  const header = groups.describe(commit);
  assert(header.kind === "commit" && header.epoch === 1n);
  assertEquals(groups.describe(welcome!), { kind: "welcome" });
  ann!.state = state;
  const done = await deliver(commit, [cleo!]);
  assert(done.kind === "commit" && !done.isExternal);
  assertEquals(done.added.map(String), [`${dora.id}`]);
  assertEquals(done.removed.map(String), [`${ben!.agent.id}`]);
  assertEquals(done.data, data);
  const joined = { agent: dora, state: await groups.join(welcome!, made) };
  assertAgreed([ann!, cleo!, joined]);
  assertEquals(joined.state.self.leafIndex, 1);
  await assertReaches(joined, [ann!, cleo!]);
  const gone = await groups.process(ben!.state, commit);
  assert(gone.kind === "commit" && !gone.state.isMember);
  await assertFails(() => groups.encrypt(gone.state, data), "group_member");
});

Deno.test("every commit has new secrets, for those who stay alone", async () => {
  const suite = cipherSuite(crypto, 1);
  const members = await groupOf(["ann", "ben", "cleo"]);
  const [ann, ben, cleo] = members;
  const dora = await keyPackageOf(agentOf("dora@node-1"));
  const remove = [cleo!.agent.id];
  for (
    const changes of [
      {},
      { add: [dora.keyPackage] },
      { remove },
      { remove, add: [dora.keyPackage] },
      { settings: utf8("new") },
    ]
  ) {
    const { commit } = await groups.commit(ann!.state, changes);
    const { inner } = stateOf(ben!.state);
    const message = decoded(decodeMlsMessage, commit);
    assert(message.wireformat === "mls_private_message");
    const { content } = await unprotectPrivateMessage(
      inner.keySchedule.senderDataSecret,
      message.privateMessage,
      inner.secretTree,
      inner.ratchetTree,
      inner.groupContext,
      inner.clientConfig.keyRetentionConfig,
      suite,
    );
    assert(content.content.contentType === "commit");
    assert(content.content.commit.path !== undefined);
  }
});

Deno.test("one removed member cannot read the next epoch, though it takes its own removal for nothing", async () => {
  const members = await groupOf(["ann", "ben", "cleo"]);
  const [ann, ben, cleo] = members;
  const { state, commit } = await groups.commit(ann!.state, {
    remove: [cleo!.agent.id],
  });
  ann!.state = state;
  await deliver(commit, [ben!]);
  const { message } = await groups.encrypt(ann!.state, utf8("secret"));
  await assertFails(() => groups.process(cleo!.state, message), "group_epoch");
  const suite = cipherSuite(crypto, 1);
  const removal = decoded(decodeMlsMessage, commit);
  assert(removal.wireformat === "mls_private_message");
  const { newState } = await processMessage(
    removal,
    stateOf(cleo!.state).inner,
    emptyPskIndex,
    acceptAll,
    suite,
  );
  const stubborn = new MlsState({
    ...newState,
    groupContext: stateOf(ann!.state).inner.groupContext,
    groupActiveState: { kind: "active" },
  });
  await assertFails(() => groups.process(stubborn, message), "unauthenticated");
  assertNotEquals(stubborn.epochAuthenticator, ann!.state.epochAuthenticator);
});

Deno.test("who joins reads nothing of before", async () => {
  const [ann, ben] = await groupOf(["ann", "ben"]);
  const { state: sent, message } = await groups.encrypt(
    ann!.state,
    utf8("old"),
  );
  ann!.state = sent;
  const dora = agentOf("dora@node-1");
  const made = await keyPackageOf(dora);
  const { commit, welcome } = await groups.commit(ann!.state, {
    add: [made.keyPackage],
  });
  const state = await groups.join(welcome!, made);
  await assertFails(() => groups.process(state, message), "group_epoch");
  await assertFails(() => groups.process(state, commit), "group_epoch");
  const { data } = await groups.process(ben!.state, message) as {
    data: Uint8Array;
  };
  assertEquals(data, utf8("old"));
});

Deno.test("an agent joins by itself after a GroupInfo, and comes back in place of its old leaf", async () => {
  const members = await groupOf(["ann", "ben"]);
  const [ann, ben] = members;
  const dora = agentOf("dora@node-1");
  const info = await groups.groupInfo(ann!.state);
  assertEquals(groups.describe(info), {
    kind: "group_info",
    groupId: ann!.state.groupId,
    epoch: 1n,
  });
  const first = await groups.joinExternal(info, await keyPackageOf(dora));
  const joined = { agent: dora, state: first.state };
  const done = await deliver(first.commit, [ann!, ben!]);
  assert(done.kind === "commit" && done.isExternal);
  assert(done.committer.equals(dora.id));
  assertEquals(done.added.map(String), [`${dora.id}`]);
  assertEquals(done.removed, []);
  assertAgreed([ann!, ben!, joined]);
  await assertReaches(joined, [ann!, ben!]);

  const again = await groups.joinExternal(
    await groups.groupInfo(ben!.state),
    await keyPackageOf(dora),
  );
  const back = await deliver(again.commit, [ann!, ben!]);
  assert(back.kind === "commit" && back.isExternal);
  assertEquals(back.added.map(String), [`${dora.id}`]);
  assertEquals(back.removed.map(String), [`${dora.id}`]);
  assertAgreed([ann!, ben!, { agent: dora, state: again.state }]);
  assertEquals(ann!.state.members.length, 3);
});

Deno.test("a proposal waits for a commit, which all need for the next message", async () => {
  const members = await groupOf(["ann", "ben", "cleo"]);
  const [ann, ben, cleo] = members;
  const { state, message } = await groups.propose(cleo!.state, {
    remove: cleo!.agent.id,
  });
  cleo!.state = state;
  const proposed = await deliver(message, [ann!, ben!]);
  assert(proposed.kind === "proposal");
  assert(proposed.sender.equals(cleo!.agent.id));
  const pending = ann!.state.pending.map(({ kind, sender, agent }) => [
    kind,
    `${sender}`,
    `${agent}`,
  ]);
  assertEquals(pending, [["remove", `${cleo!.agent.id}`, `${cleo!.agent.id}`]]);
  await assertFails(() => groups.encrypt(ann!.state, utf8("x")), "refused");
  const made = await groups.commit(ben!.state);
  ben!.state = made.state;
  const done = await deliver(made.commit, [ann!]);
  assert(done.kind === "commit");
  assertEquals(done.removed.map(String), [`${cleo!.agent.id}`]);
  assertAgreed([ann!, ben!]);
  assertEquals(ann!.state.pending, []);
});

Deno.test("settings change for all by a commit", async () => {
  const members = await groupOf(["ann", "ben"], { settings: utf8("one") });
  const [ann, ben] = members;
  const made = await groups.commit(ann!.state, { settings: utf8("two") });
  ann!.state = made.state;
  await deliver(made.commit, [ben!]);
  assertAgreed(members);
  assertEquals(ben!.state.settings, utf8("two"));
  const dora = agentOf("dora@node-1");
  const key = await keyPackageOf(dora);
  const all = await groups.commit(ben!.state, {
    add: [key.keyPackage],
    settings: utf8("three"),
  });
  ben!.state = all.state;
  await deliver(all.commit, [ann!]);
  const joined = {
    agent: dora,
    state: await groups.join(all.welcome!, key),
  };
  const everyone = [...members, joined];
  assertAgreed(everyone);
  const last = await groups.commit(joined.state, {
    remove: [ben!.agent.id],
    settings: utf8("four"),
  });
  joined.state = last.state;
  await deliver(last.commit, [ann!]);
  assertAgreed([ann!, joined]);
  assertEquals(ann!.state.settings, utf8("four"));
});

Deno.test("a state is a value: an old one still works after newer ones were made, and from its bytes", async () => {
  const members = await groupOf(["ann", "ben", "cleo"]);
  const [ann, ben, cleo] = members;
  const before = ben!.state.encode();
  const { state: sent, message } = await groups.encrypt(ann!.state, utf8("1"));
  const one = await groups.commit(sent);
  const two = await groups.commit(cleo!.state, { remove: [ann!.agent.id] });
  const old = ben!.state;
  await groups.process(old, message);
  const branchOne = await groups.process(old, one.commit);
  const branchTwo = await groups.process(old, two.commit);
  assertEquals(
    branchOne.state.epochAuthenticator,
    one.state.epochAuthenticator,
  );
  assertEquals(
    branchTwo.state.epochAuthenticator,
    two.state.epochAuthenticator,
  );
  assertEquals(old.encode(), before);
  const restored = groups.decodeState(before);
  assertEquals(restored.encode(), before);
  assertEquals(restored.members.map(String), old.members.map(String));
  const again = await groups.process(restored, two.commit);
  assertEquals(again.state.epochAuthenticator, two.state.epochAuthenticator);
  assert((await groups.process(restored, message)).kind === "application");
});

Deno.test("messages come in any order, each once", async () => {
  const [ann, ben] = await groupOf(["ann", "ben"]);
  const messages: Uint8Array[] = [];
  for (let i = 0; i < 60; i++) {
    const { state, message } = await groups.encrypt(
      ann!.state,
      Uint8Array.of(i),
    );
    ann!.state = state;
    messages.push(message);
  }
  const got = [];
  for (const message of messages.toReversed()) {
    const processed = await groups.process(ben!.state, message);
    assert(processed.kind === "application");
    got.push(processed.data[0]);
    ben!.state = processed.state;
  }
  assertEquals(got, messages.map((_, i) => 59 - i));
  await assertFails(() => groups.process(ben!.state, messages[7]!), "refused");
});

Deno.test("a caller's mistakes are RangeErrors", async () => {
  const made = await keyPackageOf(agentOf("ann@node-1"));
  const create = (id: Uint8Array, settings?: Uint8Array) =>
    assertRejects(() => groups.createGroup(id, made, settings), RangeError);
  await create(new Uint8Array());
  await create(new Uint8Array(256));
  await create(utf8("g"), new Uint8Array(65_537));
  const [ann] = await groupOf(["ann"]);
  await assertRejects(
    () => groups.commit(ann!.state, { data: new Uint8Array(4097) }),
    RangeError,
  );
  await assertRejects(
    () => groups.commit(ann!.state, { settings: new Uint8Array(65_537) }),
    RangeError,
  );
});

Deno.test("commits that add and remove at once let all in, whatever the tree has become by then", async () => {
  for (const seed of [4, 6, 9]) {
    const random = seeded(seed);
    const count = 3 + Math.floor(random() * 8);
    let members = await groupOf(
      Array.from({ length: count }, (_, i) => `m${i}`),
    );
    let next = count;
    for (let i = 0; i < 8; i++) {
      const by = members[Math.floor(random() * members.length)]!;
      const gone = members.filter((each) => each !== by && random() < 0.3);
      const fresh = await Promise.all(
        Array.from({ length: 1 + Math.floor(random() * 3) }, async () => {
          const agent = agentOf(`m${next++}@node-1`);
          return { agent, made: await keyPackageOf(agent) };
        }),
      );
      const { state, commit, welcome } = await groups.commit(by.state, {
        add: fresh.map(({ made }) => made.keyPackage),
        remove: gone.map(({ agent }) => agent.id),
      });
      const stay = members.filter((each) => !gone.includes(each));
      await deliver(commit, stay.filter((each) => each !== by));
      by.state = state;
      const joined = await Promise.all(fresh.map(async ({ agent, made }) => ({
        agent,
        state: await groups.join(welcome!, made),
      })));
      members = [...stay, ...joined];
      assertAgreed(members);
    }
    await assertReaches(members.at(-1)!, members.slice(0, -1));
  }
});

Deno.test("agents join trees with blanks and unmerged leaves, by a Welcome and by themselves", async () => {
  const names = Array.from({ length: 9 }, (_, i) => `agent-${i}`);
  let members = await groupOf(names);
  for (let round = 0; round < 12; round++) {
    const committer = members[round * 5 % members.length]!;
    const others = members.filter((each) => each !== committer);
    const gone = round % 3 === 2 ? others[round % others.length]! : undefined;
    const agent = agentOf(`newcomer-${round}@node-1`);
    const made = await keyPackageOf(agent);
    const { state, commit, welcome } = await groups.commit(committer.state, {
      add: [made.keyPackage],
      ...(gone && { remove: [gone.agent.id] }),
    });
    committer.state = state;
    members = members.filter((each) => each !== gone);
    await deliver(commit, members.filter((each) => each !== committer));
    members.push({ agent, state: await groups.join(welcome!, made) });
    const external = agentOf(`external-${round % 5}@node-1`); // comes back, too
    const joined = await groups.joinExternal(
      await groups.groupInfo(committer.state),
      await keyPackageOf(external),
    );
    members = members.filter((each) => !each.agent.id.equals(external.id));
    await deliver(joined.commit, members);
    members.push({ agent: external, state: joined.state });
    assertAgreed(members);
    await assertReaches(members.at(-1)!, members.slice(0, 3));
  }
});
