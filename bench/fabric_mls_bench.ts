import { openCrypto } from "../cli/_crypto.ts";
import { equal } from "../src/core/bytes/mod.ts";
import { silentLogger } from "../src/core/log/mod.ts";
import type {
  GroupState,
  MadeKeyPackage,
} from "../src/fabric/group/mls/group_crypto.ts";
import { MlsGroupCrypto } from "../src/fabric/group/mls/mls_group_crypto.ts";
import { Agent, parseAgentName } from "../src/fabric/mod.ts";

const MEMBERS = [10, 50, 200];

/** As the programs have it. */
const crypto = openCrypto("auto", silentLogger);
// deno-lint-ignore no-console -- whose figures these are
console.log(crypto.name);
const groups = new MlsGroupCrypto(crypto);
const data = crypto.random(200);
const newcomer = await keyPackageOf("newcomer");

for (const count of MEMBERS) {
  const { states, welcome, last } = await groupOf(count);
  const [first, second] = [states[0]!, states[1]!];
  const added = await groups.commit(first, { add: [newcomer.keyPackage] });
  const renewed = await groups.commit(first);
  const removed = await groups.commit(first, {
    remove: [states[2]!.self.id],
  });
  const sent = await groups.encrypt(first, data);
  for (const { state, commit } of [added, renewed, removed]) {
    const done = await groups.process(second, commit);
    check(equal(done.state.epochAuthenticator, state.epochAuthenticator));
  }
  const joined = await groups.join(added.welcome!, newcomer);
  check(
    equal(joined.epochAuthenticator, added.state.epochAuthenticator) &&
      joined.members.length === count + 1,
  );
  const got = await groups.process(second, sent.message);
  check(got.kind === "application" && equal(got.data, data));
  const encoded = second.encode();
  check(equal(groups.decodeState(encoded).encode(), encoded));

  const bench = (what: string, work: () => Promise<unknown> | unknown) =>
    Deno.bench(`${what}, ${count} members`, { group: what }, async () => {
      await work();
    });
  bench("add", () => groups.commit(first, { add: [newcomer.keyPackage] }));
  bench("renew", () => groups.commit(first));
  bench("remove", () => groups.commit(first, { remove: [states[2]!.self.id] }));
  bench("process an add", () => groups.process(second, added.commit));
  bench("process a renewal", () => groups.process(second, renewed.commit));
  bench("join", () => groups.join(welcome, last));
  bench("encrypt 200 B", () => groups.encrypt(first, data));
  bench("process 200 B", () => groups.process(second, sent.message));
  bench("encode a state", () => second.encode());
  // deno-lint-ignore no-console -- sizes are part of the figures
  console.log(
    `${count} members: state ${encoded.length} B, Welcome ${welcome.length} B, renewal ${renewed.commit.length} B, message of 200 B ${sent.message.length} B`,
  );
}

/**
 * The first three members of a group of `count`, of which all others have joined by a commit of their own, so that the tree has
 * no blanks; and the Welcome that adds the last one anew.
 */
async function groupOf(count: number): Promise<{
  readonly states: readonly GroupState[];
  readonly welcome: Uint8Array;
  readonly last: MadeKeyPackage;
}> {
  const made = await Promise.all(
    Array.from({ length: count }, (_, i) => keyPackageOf(`member-${i}`)),
  );
  const created = await groups.createGroup(Uint8Array.of(1), made[0]!);
  const { state, welcome } = await groups.commit(created, {
    add: made.slice(1, 3).map(({ keyPackage }) => keyPackage),
  });
  const joined = await Promise.all(
    made.slice(1, 3).map((each) => groups.join(welcome!, each)),
  );
  let states: readonly GroupState[] = [state, ...joined];
  for (const each of made.slice(3)) {
    const info = await groups.groupInfo(states[0]!);
    const { commit } = await groups.joinExternal(info, each);
    states = await Promise.all(
      states.map(async (state) => (await groups.process(state, commit)).state),
    );
  }
  const last = await keyPackageOf(`member-${count - 1}`);
  const again = await groups.commit(states[0]!, {
    remove: [states[0]!.members.at(-1)!.id],
    add: [last.keyPackage],
  });
  return { states, welcome: again.welcome!, last };
}

function keyPackageOf(name: string): Promise<MadeKeyPackage> {
  const seed = crypto.hash("sha256", new TextEncoder().encode(name));
  const agent = new Agent(crypto, seed, parseAgentName(`${name}@node-1`));
  return groups.createKeyPackage(agent);
}

function check(isRight: boolean): void {
  if (!isRight) throw new Error("The group does not agree");
}
