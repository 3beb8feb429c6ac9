import {
  memoryStore,
  namespace,
  type Store,
} from "../../../src/core/storage/mod.ts";
import type { BranchLimits } from "../../../src/fabric/group/group_branches.ts";
import { EvidenceLog } from "../../../src/fabric/group/group_evidence.ts";
import {
  decodeGroupMessage,
  type GroupMessageKind,
} from "../../../src/fabric/group/group_message.ts";
import type { GroupOutput } from "../../../src/fabric/group/group_output.ts";
import { GroupRows } from "../../../src/fabric/group/group_rows.ts";
import {
  type GroupRules,
  rulesOf,
} from "../../../src/fabric/group/group_rules.ts";
import type { GroupSession } from "../../../src/fabric/group/group_session.ts";
import type { GroupTimes } from "../../../src/fabric/group/group_times.ts";
import type { GroupSessionOptions } from "../../../src/fabric/group/session_parts.ts";
import {
  foundGroup,
  joinGroup,
  readWelcome,
  restoreGroup,
} from "../../../src/fabric/group/group_start.ts";
import type { MadeKeyPackage } from "../../../src/fabric/group/mls/group_crypto.ts";
import { MlsGroupCrypto } from "../../../src/fabric/group/mls/mls_group_crypto.ts";
import type { Change } from "../../../src/fabric/group/wish.ts";
import { decodePublished } from "../../../src/fabric/group/published_message.ts";
import type { Agent } from "../../../src/fabric/mod.ts";
import type { AgentId } from "../../../src/fabric/mod.ts";
import { agentOf, crypto } from "../_agents.ts";

export const mls = new MlsGroupCrypto(crypto);
export const GROUP: Uint8Array<ArrayBuffer> = new Uint8Array(32).fill(9);

/** Bytes on their way. */
export interface Letter {
  readonly from: string;
  readonly to: string;
  readonly bytes: Uint8Array;
}

/** One member's part of a group in a test. */
export class Member {
  readonly agent: Agent;
  readonly name: string;
  session: GroupSession | undefined;
  /** What was published to it. */
  readonly heard: string[] = [];
  readonly outputs: GroupOutput[] = [];
  store: Store;
  made: MadeKeyPackage | undefined;
  readonly #options: { branches?: BranchLimits; times?: GroupTimes };
  readonly #random: () => number;

  constructor(
    name: string,
    random: () => number,
    options: { branches?: BranchLimits; times?: GroupTimes },
    store: Store = memoryStore(),
  ) {
    this.name = name;
    this.agent = agentOf(`${name}@node`);
    this.store = store;
    this.#random = random;
    this.#options = options;
  }

  get parts(): GroupSessionOptions {
    const [rows, evidence] = ["rows", "evidence"].map((name) =>
      namespace(this.store, name)
    ) as [Store, Store];
    return {
      ...this.#options,
      ...{ agent: this.agent, crypto, mls, group: GROUP },
      rows: new GroupRows({ crypto, mls, group: GROUP, store: rows }),
      evidence: new EvidenceLog(crypto, evidence),
      random: this.#random,
    };
  }

  async found(rules: Partial<GroupRules> = {}): Promise<void> {
    this.session = await foundGroup(
      this.parts,
      rulesOf(this.agent.id, { kind: "open", ...rules }),
    );
  }

  /** As if its process had died. */
  restart(): void {
    if (this.session) this.session = restoreGroup(this.parts);
  }

  async keyPackage(): Promise<Uint8Array<ArrayBuffer>> {
    const made = this.made ?? await mls.createKeyPackage(this.agent);
    this.made = made;
    return made.keyPackage;
  }

  /** Epoch authenticator and roster. */
  get view(): string {
    const { mls } = this.session!.held;
    if (!mls) return "out";
    const members = this.session!.held.members.map(String).sort();
    return `${mls.epoch} ${mls.epochAuthenticator.toHex()} ${members}`;
  }
}

/** Members and the letters between them, which a test delivers as it likes. */
export class GroupWorld {
  nowMs = 1_000_000;
  readonly members: Map<string, Member> = new Map();
  letters: Letter[] = [];
  readonly #options: { branches?: BranchLimits; times?: GroupTimes };
  readonly #random: () => number;

  constructor(
    random: () => number,
    options: { branches?: BranchLimits; times?: GroupTimes } = {},
  ) {
    this.#random = random;
    this.#options = options;
  }

  /** A world in which the same has happened; what happens in one does not in the other. */
  fork(random: () => number): GroupWorld {
    const world = new GroupWorld(random, this.#options);
    world.nowMs = this.nowMs;
    world.letters = [...this.letters];
    for (const [name, { store, made, session }] of this.members) {
      const member = world.member(name);
      for (const { key, value } of store.entries()) {
        member.store.set(key, value);
      }
      member.made = made;
      if (session) member.session = restoreGroup(member.parts);
    }
    return world;
  }

  member(name: string): Member {
    const known = this.members.get(name);
    if (known) return known;
    const member = new Member(name, this.#random, this.#options);
    this.members.set(name, member);
    return member;
  }

  nameOf(id: AgentId): string {
    for (const { agent, name } of this.members.values()) {
      if (agent.id.equals(id)) return name;
    }
    throw new Error("Nobody has that id");
  }

  /** A group of which all are members, everything delivered. */
  async group(
    names: readonly string[],
    rules: (agents: readonly AgentId[]) => Partial<GroupRules> = () => ({}),
  ): Promise<Member[]> {
    const all = names.map((name) => this.member(name));
    const [first, ...others] = all;
    await first!.found(rules(all.map(({ agent }) => agent.id)));
    await this.add(first!, ...others);
    await this.deliver();
    return all;
  }

  /** `by` wants others to be added. */
  async add(by: Member, ...others: readonly Member[]): Promise<void> {
    for (const other of others) {
      const change = {
        ...{ kind: "add" as const, agent: other.agent.id },
        keyPackage: await other.keyPackage(),
      };
      this.post(by, await by.session!.want(change, this.nowMs));
    }
  }

  /** `by` wants others to be added, by one commit. */
  async addAll(by: Member, ...others: readonly Member[]): Promise<void> {
    await this.changeAll(by, others, []);
  }

  /** `by` wants some to be added and some to be removed, by one commit. */
  async changeAll(
    by: Member,
    fresh: readonly Member[],
    gone: readonly Member[],
  ): Promise<void> {
    const changes: Change[] = gone.map(({ agent }) => ({
      kind: "remove",
      agent: agent.id,
    }));
    for (const each of fresh) {
      const keyPackage = await each.keyPackage();
      changes.push({ kind: "add", agent: each.agent.id, keyPackage });
    }
    this.post(by, await by.session!.wantAll(changes, this.nowMs));
  }

  /** `by` wants another to be removed. */
  async remove(by: Member, other: Member): Promise<void> {
    const change = { kind: "remove" as const, agent: other.agent.id };
    this.post(by, await by.session!.want(change, this.nowMs));
  }

  async update(by: Member): Promise<void> {
    this.post(by, await by.session!.want({ kind: "update" }, this.nowMs));
  }

  async publish(by: Member, text: string): Promise<void> {
    const outputs = await by.session!.publish({
      id: crypto.random(16),
      ...{ type: "say", priority: "normal" },
      payload: new TextEncoder().encode(text),
    });
    this.post(by, outputs);
  }

  post(from: Member, outputs: readonly GroupOutput[]): void {
    for (const output of outputs) {
      from.outputs.push(output);
      if (output.kind === "send") {
        const to = this.nameOf(output.to);
        this.letters.push({ from: from.name, to, bytes: output.bytes });
        if (output.welcome) from.session!.welcomed(output.welcome);
      }
      if (output.kind === "due") {
        const { payload } = decodePublished(output.row.message);
        from.heard.push(new TextDecoder().decode(payload));
        from.session!.handled(output.row.sequence);
      }
    }
  }

  /** Brings one letter. */
  async bring(letter: Letter): Promise<void> {
    const { from, to, bytes } = letter;
    const [member, sender] = [this.member(to), this.member(from)];
    if (openKindOf(letter) === "welcome") {
      const message = decodeGroupMessage(crypto, bytes);
      if (!member.made) return;
      if (member.session?.branches.get(message.at.toHex())) return;
      const joined = await readWelcome(
        member.parts,
        sender.agent.id,
        message,
        member.made,
      );
      if (member.session?.isReplaceableBy(sender.agent.id, joined) === false) {
        return;
      }
      if (member.session) {
        this.post(member, member.session.restart(joined));
      } else member.session = joinGroup(member.parts, joined);
      this.post(member, member.session.resume());
      return;
    }
    if (!member.session) return;
    const outputs = await member.session.receive(
      sender.agent.id,
      bytes,
      this.nowMs,
    );
    this.post(member, outputs);
  }

  /** Brings all letters, and those they lead to, in their order. */
  async deliver(): Promise<void> {
    for (let letter; (letter = this.letters.shift());) await this.bring(letter);
  }

  /** Moves time on. */
  async tick(ms: number): Promise<void> {
    this.nowMs += ms;
    for (const member of this.members.values()) {
      if (!member.session) continue;
      this.post(member, await member.session.tick(this.nowMs));
    }
  }

  /** Brings everything and moves time until nothing happens any more. */
  async settle(rounds = 20, ms = 5_000): Promise<void> {
    for (let i = 0; i < rounds; i++) {
      await this.deliver();
      await this.tick(ms);
    }
    await this.deliver();
  }
}

/** What a letter is, if it is of a kind that is not signed. */
export function openKindOf({ bytes }: Letter): GroupMessageKind | undefined {
  const isSigned = bytes.length === 0 || bytes[0] === 0xd2;
  return isSigned ? undefined : decodeGroupMessage(crypto, bytes).kind;
}

/** Numbers in [0, 1) that depend on `seed` alone. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
