import {
  FabricError,
  type FabricErrorCode,
} from "../../../src/fabric/error.ts";
import type {
  GroupCrypto,
  GroupState,
  MadeKeyPackage,
  Processed,
} from "../../../src/fabric/group/mls/group_crypto.ts";
import { MlsGroupCrypto } from "../../../src/fabric/group/mls/mls_group_crypto.ts";
import type { Agent } from "../../../src/fabric/mod.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { agentOf, crypto } from "../_agents.ts";

/** Keys of groups by suite 1. */
export const groups: GroupCrypto = new MlsGroupCrypto(crypto);

/** The id of the group that the tests make. */
export const GROUP_ID = new TextEncoder().encode("a group");

/** A member in a test: what it knows of the group. */
export interface Member {
  readonly agent: Agent;
  state: GroupState;
}

/** A key package of an agent. */
export function keyPackageOf(
  agent: Agent,
  by: GroupCrypto = groups,
): Promise<MadeKeyPackage> {
  return by.createKeyPackage(agent);
}

/** A group of agents with these names; the first has added the others by one commit. */
export async function groupOf(
  names: readonly string[],
  { by = groups, settings = new Uint8Array() }: {
    readonly by?: GroupCrypto;
    readonly settings?: Uint8Array;
  } = {},
): Promise<Member[]> {
  const agents = names.map((name) => agentOf(`${name}@node-1`));
  const made = await Promise.all(
    agents.map((agent) => keyPackageOf(agent, by)),
  );
  const first = await by.createGroup(GROUP_ID, made[0]!, settings);
  if (names.length === 1) return [{ agent: agents[0]!, state: first }];
  const { state, welcome } = await by.commit(first, {
    add: made.slice(1).map(({ keyPackage }) => keyPackage),
  });
  const joined = await Promise.all(
    made.slice(1).map((each) => by.join(welcome!, each)),
  );
  return [state, ...joined].map((state, i) => ({ agent: agents[i]!, state }));
}

/** Each of `members` takes `message`; gives what it did at the first of them. */
export async function deliver(
  message: Uint8Array,
  members: readonly Member[],
  by: GroupCrypto = groups,
): Promise<Processed> {
  const done = await Promise.all(members.map(async (member) => {
    const processed = await by.process(member.state, message);
    member.state = processed.state;
    return processed;
  }));
  return done[0]!;
}

/** All are in the same epoch of the same history, with the same members. */
export function assertAgreed(members: readonly Member[]): void {
  const seen = ({ state }: Member) => ({
    epoch: state.epoch,
    authenticator: state.epochAuthenticator,
    members: state.members.map(({ id, leafIndex }) => [`${id}`, leafIndex]),
    settings: state.settings,
  });
  for (const member of members) assertEquals(seen(member), seen(members[0]!));
  assert(members.every(({ agent, state }) => state.self.id.equals(agent.id)));
}

/** Data that `from` sends reach each of `to`, as from it. */
export async function assertReaches(
  from: Member,
  to: readonly Member[],
  by: GroupCrypto = groups,
): Promise<void> {
  const data = crypto.random(40);
  const { state, message } = await by.encrypt(from.state, data);
  from.state = state;
  for (const member of to) {
    const processed = await by.process(member.state, message);
    assert(processed.kind === "application");
    assertEquals(processed.data, data);
    assert(processed.sender.equals(from.agent.id));
    member.state = processed.state;
  }
}

/** The work fails with one of the codes; gives the error. */
export async function assertFails(
  work: () => Promise<unknown>,
  ...codes: readonly FabricErrorCode[]
): Promise<FabricError> {
  const error = await assertRejects(work, FabricError);
  assert(codes.includes(error.code), `${error.code}: ${error.message}`);
  return error;
}
