import { assert, assertEquals } from "@std/assert";
import { concat, utf8 } from "../../src/core/bytes/mod.ts";
import type { GroupCipherSuite } from "../../src/fabric/group/mls/cipher_suite.ts";
import type {
  GroupCrypto,
  GroupState,
  MadeKeyPackage,
} from "../../src/fabric/group/mls/group_crypto.ts";
import { leafCredential } from "../../src/fabric/group/mls/leaf_credential.ts";
import { MlsGroupCrypto } from "../../src/fabric/group/mls/mls_group_crypto.ts";
import type { Agent, AgentId } from "../../src/fabric/mod.ts";
import { agentOf, crypto } from "../fabric/_agents.ts";
import { buildCrate, LinePeer } from "./_line_peer.ts";
import { isAtLeast } from "./_peers.ts";

const SETTINGS = utf8("kind: council");

/** An agent whose MLS is OpenMLS, in a process of its own: see `rust/mls_peer/src/main.rs`. */
class OpenMls extends LinePeer {
  readonly agent: Agent;

  private constructor(program: string, agent: Agent) {
    super(program);
    this.agent = agent;
  }

  static async start(
    program: string,
    name: string,
    suite: number,
  ): Promise<OpenMls> {
    const peer = new OpenMls(program, agentOf(`${name}@node-9`));
    const key = await peer.bytes(`keys ${suite}`);
    const credential = leafCredential(peer.agent, key);
    assert(credential.credentialType === "basic");
    await peer.does(`credential ${credential.identity.toHex()}`);
    return peer;
  }

  /** What follows `ok` in its answer. */
  async does(request: string): Promise<string[]> {
    const [[word, ...rest] = []] = await this.ask([request]);
    assert(word === "ok", `${request.slice(0, 20)}: ${word} ${rest.join(" ")}`);
    return rest;
  }

  async bytes(request: string): Promise<Uint8Array> {
    const [hex] = await this.does(request);
    return Uint8Array.fromHex(hex!);
  }

  /** Takes a message; gives the words of what it was. */
  async process(message: Uint8Array): Promise<string[]> {
    const [answer] = await this.ask([`process ${message.toHex()}`]);
    assert(answer![0] !== "error", answer!.join(" "));
    return answer!;
  }

  async assertAgrees(state: GroupState): Promise<void> {
    const [epoch, authenticator, settings, identities] = await this.does(
      "state",
    );
    assertEquals(BigInt(epoch!), state.epoch);
    assertEquals(authenticator, state.epochAuthenticator.toHex());
    assertEquals(settings, state.settings.toHex());
    const ids = identities!.split(",").map((identity) => identity.slice(0, 64));
    assertEquals(ids, state.members.map(({ id }) => id.bytes.toHex()));
  }
}

/** One of ours, that goes on with what each message gives it. */
class Ours {
  readonly agent: Agent;
  readonly by: GroupCrypto;
  #state: GroupState | undefined;
  #made: MadeKeyPackage | undefined;

  constructor(name: string, by: GroupCrypto) {
    this.agent = agentOf(`${name}@node-1`);
    this.by = by;
  }

  get state(): GroupState {
    assert(this.#state !== undefined);
    return this.#state;
  }

  async keyPackage(): Promise<Uint8Array> {
    this.#made = await this.by.createKeyPackage(this.agent);
    return this.#made.keyPackage;
  }

  async create(): Promise<void> {
    await this.keyPackage();
    this.#state = await this.by.createGroup(utf8("g"), this.#made!, SETTINGS);
  }

  async join(welcome: Uint8Array): Promise<void> {
    this.#state = await this.by.join(welcome, this.#made!);
  }

  async joinExternal(groupInfo: Uint8Array): Promise<Uint8Array> {
    await this.keyPackage();
    const { state, commit } = await this.by.joinExternal(
      groupInfo,
      this.#made!,
    );
    this.#state = state;
    return commit;
  }

  async commit(
    changes: Parameters<GroupCrypto["commit"]>[1] = {},
  ): Promise<{ commit: Uint8Array; welcome?: Uint8Array }> {
    const made = await this.by.commit(this.state, changes);
    this.#state = made.state;
    return made;
  }

  async propose(remove: AgentId): Promise<Uint8Array> {
    const { state, message } = await this.by.propose(this.state, { remove });
    this.#state = state;
    return message;
  }

  async send(data: Uint8Array): Promise<Uint8Array> {
    const { state, message } = await this.by.encrypt(this.state, data);
    this.#state = state;
    return message;
  }

  async process(message: Uint8Array): ReturnType<GroupCrypto["process"]> {
    const processed = await this.by.process(this.state, message);
    this.#state = processed.state;
    return processed;
  }
}

/** All agree, and data of each reach the other two. */
async function assertTogether(
  ours: readonly Ours[],
  theirs: readonly OpenMls[],
): Promise<void> {
  const [first] = ours;
  for (const each of ours) {
    assertEquals(
      each.state.epochAuthenticator,
      first!.state.epochAuthenticator,
    );
  }
  const context = crypto.random(9);
  const secret = await first!.by.export(first!.state, "label", context, 40);
  for (const peer of theirs) {
    await peer.assertAgrees(first!.state);
    const exported = await peer.bytes(`export label ${context.toHex()} 40`);
    assertEquals(exported, secret);
  }
  for (const from of ours) {
    const data = crypto.random(300);
    const message = await from.send(data);
    for (const peer of theirs) {
      const [what, leaf, got] = await peer.process(message);
      assertEquals([what, got], ["application", data.toHex()]);
      assertEquals(Number(leaf), from.state.self.leafIndex);
    }
    for (const other of ours.filter((each) => each !== from)) {
      const processed = await other.process(message);
      assert(processed.kind === "application");
    }
  }
  for (const from of theirs) {
    const data = crypto.random(300);
    const message = await from.bytes(`send ${data.toHex()}`);
    for (const each of ours) {
      const processed = await each.process(message);
      assert(processed.kind === "application");
      assertEquals(processed.data, data);
      assert(processed.sender.equals(from.agent.id));
    }
    for (const other of theirs.filter((each) => each !== from)) {
      assertEquals((await other.process(message))[0], "application");
    }
  }
}

for (const suite of [1, 3] as const satisfies readonly GroupCipherSuite[]) {
  Deno.test({
    name: `groups with members of OpenMLS, suite ${suite}`,
    ignore: !isAtLeast("cargo --version", "1.85", "fabric_mls_test"),
    async fn(t) {
      const program = await buildCrate("mls_peer");
      const by = new MlsGroupCrypto(crypto, suite);
      await t.step(
        "we create: add, renew, remove, propose, external joins",
        async () => {
          await using rosa = await OpenMls.start(program, "rosa", suite);
          await using omar = await OpenMls.start(program, "omar", suite);
          const [ann, ben] = [new Ours("ann", by), new Ours("ben", by)];
          await ann.create();
          const { welcome } = await ann.commit({
            add: [await rosa.bytes("package"), await ben.keyPackage()],
          });
          await rosa.does(`join ${welcome!.toHex()}`);
          await ben.join(welcome!);
          await assertTogether([ann, ben], [rosa]);

          const renewed = await rosa.bytes("update");
          for (const each of [ann, ben]) {
            const done = await each.process(renewed);
            assert(done.kind === "commit");
            assert(done.committer.equals(rosa.agent.id));
          }
          const own = await ben.commit({ settings: utf8("kind: council") });
          await ann.process(own.commit);
          await rosa.process(own.commit);
          await assertTogether([ann, ben], [rosa]);

          const [added, theirWelcome] = await rosa.does(
            `add ${(await omar.bytes("package")).toHex()}`,
          );
          await omar.does(`join ${theirWelcome}`);
          for (const each of [ann, ben]) {
            const done = await each.process(Uint8Array.fromHex(added!));
            assert(done.kind === "commit");
            assertEquals(done.added.map(String), [`${omar.agent.id}`]);
          }
          await assertTogether([ann, ben], [rosa, omar]);

          const removal = await ann.commit({
            remove: [omar.agent.id],
            settings: utf8("kind: public"),
          });
          await ben.process(removal.commit);
          await rosa.process(removal.commit);
          await assertTogether([ann, ben], [rosa]);

          const leaf = ben.state.self.leafIndex;
          const gone = await rosa.bytes(`remove ${leaf}`);
          const left = await ben.process(gone);
          assert(left.kind === "commit" && !left.state.isMember);
          await ann.process(gone);
          await assertTogether([ann], [rosa]);

          const info = await ann.by.groupInfo(ann.state);
          const external = await omar.bytes(`external ${info.toHex()}`);
          await rosa.process(external);
          const joined = await ann.process(external);
          assert(joined.kind === "commit" && joined.isExternal);
          assert(joined.committer.equals(omar.agent.id));
          await assertTogether([ann], [rosa, omar]);
          const back = await ben.joinExternal(await omar.bytes("info"));
          await ann.process(back);
          for (const peer of [rosa, omar]) await peer.process(back);
          await assertTogether([ann, ben], [rosa, omar]);

          const proposal = await ben.propose(ben.agent.id);
          await ann.process(proposal);
          for (const peer of [rosa, omar]) await peer.process(proposal);
          const carried = await rosa.bytes("pending");
          const done = await ann.process(carried);
          assert(done.kind === "commit");
          assertEquals(done.removed.map(String), [`${ben.agent.id}`]);
          await omar.process(carried);
          await assertTogether([ann], [rosa, omar]);
        },
      );
      await t.step(
        "they create: Welcome, settings, leaving and rejoining",
        async () => {
          await using rosa = await OpenMls.start(program, "rosa", suite);
          const [ann, ben] = [new Ours("ann", by), new Ours("ben", by)];
          await rosa.does(
            `create ${utf8("theirs").toHex()} ${SETTINGS.toHex()}`,
          );
          const packages = [await ann.keyPackage(), await ben.keyPackage()];
          const [, welcome] = await rosa.does(
            `add ${packages.map((each) => each.toHex()).join(" ")}`,
          );
          for (const each of [ann, ben]) {
            await each.join(Uint8Array.fromHex(welcome!));
          }
          await assertTogether([ann, ben], [rosa]);
          const settings = concat(SETTINGS, utf8(" of three"));
          const changed = await rosa.bytes(`settings ${settings.toHex()}`);
          for (const each of [ann, ben]) await each.process(changed);
          assertEquals(ann.state.settings, settings);
          await assertTogether([ann, ben], [rosa]);

          const back = await ben.joinExternal(await rosa.bytes("info"));
          const done = await ann.process(back);
          assert(done.kind === "commit" && done.isExternal);
          assertEquals(done.removed.map(String), [`${ben.agent.id}`]);
          await rosa.process(back);
          await assertTogether([ann, ben], [rosa]);

          const leaving = await rosa.bytes("leave");
          for (const each of [ann, ben]) await each.process(leaving);
          const carried = await ann.commit();
          await ben.process(carried.commit);
          await rosa.process(carried.commit);
          await assertTogether([ann, ben], []);
        },
      );
    },
  });
}
