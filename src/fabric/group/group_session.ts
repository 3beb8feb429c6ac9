import { type Bytes, DecodeError } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { FabricError } from "../error.ts";
import type { Agent } from "../identity/agent.ts";
import type { AgentId } from "../identity/agent_id.ts";
import type { Priority } from "../message/message.ts";
import {
  compareBytes,
  compareCommits,
  epochIdOf,
  turnOf,
} from "./commit_rank.ts";
import { decodeAcks, encodeAcks } from "./epoch_acks.ts";
import type { BranchLimits, NewEpoch } from "./group_branches.ts";
import { EvidenceLog } from "./group_evidence.ts";
import { GroupHistory } from "./group_history.ts";
import {
  decodeGroupMessage,
  decodeList,
  encodeGroupMessage,
  encodeList,
  type GroupMessage,
  type ReceivedGroupMessage,
} from "./group_message.ts";
import {
  type GroupCounts,
  type GroupOutput,
  noCounts,
} from "./group_output.ts";
import type { GroupRows } from "./group_rows.ts";
import { commitFault, isAdmin } from "./group_rules.ts";
import {
  beforeOf,
  epochOf,
  type Held,
  heldOf,
  isByAdmin,
} from "./held_epoch.ts";
import { publishFault } from "./kind_rules.ts";
import type { GroupCrypto, GroupState } from "./mls/group_crypto.ts";
import { ParkedMessages } from "./parked_messages.ts";
import {
  decodePublished,
  encodePublished,
  type PublishedMessage,
} from "./published_message.ts";
import { type Change, isFulfilled } from "./wish.ts";
import { WishList } from "./wish_list.ts";

/** Times of a {@link GroupSession}, in milliseconds. */
export interface GroupTimes {
  /** How long an epoch must be the newest before its member decides for it; 2 s by default. */
  readonly ackMs?: number;
  /** How often a member says to another, drawn by chance, what its newest epoch is; 60 s by default. */
  readonly tipMs?: number;
  /** Longest pause, drawn by chance, before a commit that lost is made again, for each time that it lost; 2 s by default. */
  readonly retryMs?: number;
  /** How long each member leaves what all want, such as removing one that leaves, to the one before it; 3 s by default. */
  readonly turnMs?: number;
  /** How long a member is not asked again what it has; 5 s by default. */
  readonly askMs?: number;
  /** How long the names of messages that were read are remembered; a day by default. */
  readonly seenMs?: number;
}

/** {@link GroupTimes} that hold if nothing else is said. */
const TIMES: Required<GroupTimes> = {
  ackMs: 2_000,
  tipMs: 60_000,
  retryMs: 2_000,
  turnMs: 3_000,
  askMs: 5_000,
  seenMs: 86_400_000,
};

/** Parts of a {@link GroupSession}. */
export interface GroupSessionOptions {
  /** Whose part it is. */
  readonly agent: Agent;
  /** Hashes, signatures, ids. */
  readonly crypto: CryptoProvider;
  /** Keys of the group. */
  readonly mls: GroupCrypto;
  /** Where it is stored. */
  readonly rows: GroupRows;
  /** Where evidence is. */
  readonly evidence: EvidenceLog;
  /** The group, 32 bytes. */
  readonly group: Bytes;
  /** Limits of what is kept. */
  readonly branches?: BranchLimits;
  /** Pauses. */
  readonly times?: GroupTimes;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** Most messages that are kept to be sent again if their epoch loses. */
const MAX_SENT = 1_024;
/** Most names in a question, and commits in its answer. */
const MAX_NAMES = 128;

/**
 * A member's part of one group: takes what other members say, in any order and more than once, and gives what is to be sent, said and
 * read. It has no clock and no network. Calls must wait for each other: what one gives is stored when it resolves.
 */
export class GroupSession {
  /** What it did with what came. */
  readonly counts: GroupCounts = noCounts();
  readonly #options: GroupSessionOptions;
  readonly #times: Required<GroupTimes>;
  readonly #history: GroupHistory;
  readonly #parked = new ParkedMessages();
  readonly #wishes: WishList;
  readonly #locks: Map<number, string>;
  readonly #sent;
  readonly #seen = new Set<string>();
  /** Members who were asked what they have, and until when they are not asked again. */
  readonly #asked = new Map<string, number>();
  #outputs: GroupOutput[] = [];
  #due: number;
  #ackAtMs: number | undefined;
  #tipAtMs = 0;
  /** Whether the branch here lost against an older one, and a way back is looked for. */
  #isHealing = false;

  /** Goes on with what `history` has. */
  constructor(options: GroupSessionOptions, history: GroupHistory) {
    this.#options = options;
    this.#times = { ...TIMES, ...options.times };
    this.#history = history;
    const { rows } = options;
    this.#wishes = new WishList(rows);
    this.#locks = rows.locks();
    this.#sent = rows.sent();
    this.#due = 1 + (rows.due().at(-1)?.sequence ?? -1);
    this.#ackAtMs = 0;
  }

  /** The group, 32 bytes. */
  get group(): Bytes {
    return this.#options.group;
  }

  /** What is held of the newest epoch. */
  get held(): Held {
    return this.#history.tip.state;
  }

  /** The number of the newest epoch. */
  get epoch(): number {
    return this.#history.tip.epoch;
  }

  /** The name of the newest epoch, in hexadecimal. */
  get epochId(): string {
    return this.#history.tip.id;
  }

  /** Its epochs. */
  get branches(): GroupHistory["branches"] {
    return this.#history.branches;
  }

  /** Whether the agent is a member. */
  get isMember(): boolean {
    return this.held.mls !== undefined;
  }

  /** Evidence of what members did wrong. */
  get evidence(): EvidenceLog {
    return this.#options.evidence;
  }

  /** The agents that are to hear what happens in the newest epoch: all its members but this one. */
  get others(): readonly AgentId[] {
    return this.#othersOf(this.held.members);
  }

  /** When {@link tick} has something to do, in milliseconds since 1970; `undefined` if never. */
  get nextMs(): number | undefined {
    if (!this.isMember) return undefined;
    const times = [this.#tipAtMs, this.#ackAtMs, this.#wishes.nextMs];
    return Math.min(...times.filter((each) => each !== undefined));
  }

  /** What no handler has had. */
  due(): ReturnType<GroupRows["due"]> {
    return this.#options.rows.due();
  }

  /** A handler is done with what was due. */
  handled(sequence: number): void {
    this.#options.rows.deleteDue(sequence);
    this.#options.rows.commit();
  }

  /** Wants a change; it is committed at once if the rules allow it, and again as often as its commit loses. */
  async want(change: Change, nowMs: number): Promise<GroupOutput[]> {
    this.#wishes.add(change, nowMs);
    await this.#work(nowMs);
    return await this.#done();
  }

  /**
   * Publishes a message to the members of the newest epoch.
   *
   * @throws {FabricError} `group_member` if the agent is none; `refused` if the rules of the group do not allow it.
   */
  async publish(
    message: PublishedMessage,
  ): Promise<GroupOutput[]> {
    const { agent } = this.#options;
    const fault = publishFault(this.held.rules, agent.id, message);
    if (fault) {
      throw new FabricError("refused", `The group does not allow it: ${fault}`);
    }
    await this.#publish(encodePublished(message), message);
    return this.#finish();
  }

  /** Asks the other members to remove this one. */
  leave(): GroupOutput[] {
    const bytes = this.#message("leave", new Uint8Array());
    for (const to of this.others) this.#send(to, bytes, "high");
    return this.#finish();
  }

  /** Says what the newest epoch is, and asks for what came meanwhile; after a pause of the process. */
  resume(): GroupOutput[] {
    for (const to of this.#draw(2)) {
      this.#send(to, this.#message("tip", new Uint8Array()), "normal");
    }
    return this.#finish();
  }

  /** Takes a message about the group from another agent. */
  async receive(
    from: AgentId,
    bytes: Uint8Array,
    nowMs: number,
  ): Promise<GroupOutput[]> {
    const queue = [{ from, bytes }];
    for (let next; (next = queue.shift());) {
      const at = await this.#take(next.from, next.bytes, nowMs);
      if (at) queue.push(...this.#parked.take(at));
    }
    await this.#work(nowMs);
    return await this.#done();
  }

  /** Does what its time has come. */
  async tick(nowMs: number): Promise<GroupOutput[]> {
    if (this.isMember) {
      if (this.#ackAtMs !== undefined && this.#ackAtMs <= nowMs) this.#ack();
      if (this.#tipAtMs <= nowMs) {
        const isFirst = this.#tipAtMs === 0;
        const { random } = this.#options;
        this.#tipAtMs = nowMs + this.#times.tipMs * (0.5 + random());
        const tip = this.#message("tip", new Uint8Array());
        for (const to of isFirst ? [] : this.#draw(1)) {
          this.#send(to, tip, "normal");
        }
      }
      await this.#work(nowMs);
    }
    return await this.#done();
  }

  /** Starts again with an epoch that a Welcome or a commit of our own brought. */
  restart(oldest: NewEpoch<Held>, before: NewEpoch<Held>): GroupOutput[] {
    this.#restart(oldest, before);
    return this.#finish();
  }

  /**
   * Whether a Welcome from an agent may replace what is here: we are no member, our branch has lost, or it is who let us in, whose
   * commit has lost.
   */
  isReplaceableBy(from: AgentId): boolean {
    if (!this.isMember || this.#isHealing) return true;
    const { lineage, branches } = this.#history;
    const isNew = lineage[1]?.id === branches.root.id;
    return isNew && branches.root.state.committer.equals(from);
  }

  /** Takes a message; gives the name of the epoch that is here now and was not, in hexadecimal. */
  async #take(
    from: AgentId,
    bytes: Uint8Array,
    nowMs: number,
  ): Promise<string | undefined> {
    const message = this.#decode(bytes);
    if (!message) return undefined;
    switch (message.kind) {
      case "commit":
        return await this.#takeCommit(from, message, bytes, nowMs);
      case "application":
        await this.#takeApplication(from, message, bytes, nowMs);
        return undefined;
      case "ack":
        this.#takeAck(message, bytes, nowMs);
        return undefined;
      case "leave":
        this.#takeLeave(from, message, nowMs);
        return undefined;
      case "tip":
        this.#takeTip(from, message, nowMs);
        return undefined;
      case "ask":
        await this.#takeAsk(from, message);
        return undefined;
      case "info":
        await this.#takeInfo(from, message);
        return undefined;
      default:
        this.counts.malformed++;
    }
  }

  async #takeCommit(
    from: AgentId,
    { signer, at, epoch, body }: ReceivedGroupMessage,
    bytes: Uint8Array,
    nowMs: number,
  ): Promise<string | undefined> {
    const { crypto, group } = this.#options;
    const id = epochIdOf(crypto, at, body);
    const key = at.toHex();
    if (this.#history.isPast(id.toHex())) return void this.counts.copies++;
    const { branches } = this.#history;
    const before = branches.get(key);
    const name = { group, id, parent: at, epoch: epoch + 1, isByAdmin: false };
    if (before) name.isByAdmin = isByAdmin(before.state, signer!);
    const turn = turnOf(crypto, group, epoch, signer!);
    const rank = { isAdmin: name.isByAdmin, turn, id };
    const placing = branches.place(id.toHex(), key, epoch, before && rank);
    switch (placing.kind) {
      case "known":
        return void this.counts.copies++;
      case "unknown":
        if (!this.#parked.park(key, { from, bytes, epoch })) {
          this.counts.unparked++;
        }
        return this.#ask(from, nowMs);
      case "stale":
        return this.#weigh(from, { signer: signer!, at, id, bytes, nowMs });
      case "final":
        this.counts.late++;
        this.#compareWithOthers(key, signer!, bytes, nowMs);
        return this.#accuse("late", signer!, nowMs, bytes);
      case "beaten":
        this.counts.beaten++;
        return this.#compareWithOthers(key, signer!, bytes, nowMs);
    }
    if (before!.epoch !== epoch) return void this.counts.invalid++;
    const held = await this.#apply(before!.state, signer!, body, bytes, nowMs);
    if (!held) return undefined;
    this.#compareWithOthers(key, signer!, bytes, nowMs);
    this.#append(epochOf(crypto, name, held), nowMs);
    return id.toHex();
  }

  /** What is held behind a commit, if it is valid and within the rules. */
  async #apply(
    before: Held,
    signer: AgentId,
    body: Uint8Array,
    bytes: Uint8Array,
    nowMs: number,
  ): Promise<Held | undefined> {
    if (!before.mls) return void this.counts.invalid++;
    let next: GroupState;
    try {
      const done = await this.#options.mls.process(before.mls, body);
      if (done.kind !== "commit" || !done.committer.equals(signer)) {
        return void this.counts.invalid++;
      }
      next = done.state;
    } catch (error) {
      if (!(error instanceof FabricError)) throw error;
      return void this.counts.invalid++;
    }
    const held: Held = next.isMember ? heldOf(next, signer, bytes.slice()) : {
      ...{ mls: undefined, rules: before.rules, committer: signer },
      commit: bytes.slice(),
      members: before.members.filter((each) =>
        !each.equals(this.#options.agent.id)
      ),
    };
    const fault = commitFault(before.rules, {
      committer: signer,
      before: before.members,
      after: held.mls && held.members,
      rules: held.rules,
    });
    if (!fault) return held;
    this.counts.forbidden++;
    this.#accuse("forbidden", signer, nowMs, bytes);
  }

  /** Whether the committer of a commit for an epoch made another one for it. */
  #compareWithOthers(
    parent: string,
    signer: AgentId,
    bytes: Uint8Array,
    nowMs: number,
  ): undefined {
    for (const each of this.#history.branches.entries()) {
      const { commit, committer } = each.state;
      if (each.parent !== parent || !committer.equals(signer)) continue;
      this.#accuse("equivocation", signer, nowMs, commit, bytes);
      return;
    }
  }

  /** A commit for an epoch that is not kept whole: if it began a better branch than ours, ours has lost. */
  #weigh(
    from: AgentId,
    { signer, at, id, bytes, nowMs }: {
      readonly signer: AgentId;
      readonly at: Uint8Array;
      readonly id: Bytes;
      readonly bytes: Uint8Array;
      readonly nowMs: number;
    },
  ): undefined {
    this.counts.stale++;
    const { crypto, group } = this.#options;
    const { lineage } = this.#history;
    const before = this.#history.past(at.toHex());
    const ours = lineage.find(({ parent }) => parent === at.toHex());
    const isByMember = before?.state.members.some((each) =>
      each.equals(signer)
    );
    if (!before || !ours || !isByMember) return;
    this.#accuse("fork", signer, nowMs, bytes);
    if ("isFinal" in ours && ours.isFinal) return;
    const theirs = {
      isAdmin: isByAdmin(before.state, signer),
      turn: turnOf(crypto, group, before.epoch, signer),
      id,
    };
    if (compareCommits(theirs, ours.rank) >= 0) return;
    this.#isHealing = true;
    this.#asked.set(`${from}`, nowMs + this.#times.askMs);
    // Names that nobody knows: the answer is a way in.
    const nothing = encodeList([new Uint8Array(32)]);
    this.#send(from, this.#message("ask", nothing), "high");
  }

  async #takeApplication(
    from: AgentId,
    { at, epoch, body }: ReceivedGroupMessage,
    bytes: Uint8Array,
    nowMs: number,
  ): Promise<void> {
    const { mls } = this.#options;
    const { branches } = this.#history;
    const key = at.toHex();
    const held = branches.get(key)?.state;
    if (!held) {
      if (epoch <= branches.root.epoch) return void this.counts.tooOld++;
      if (!this.#parked.park(key, { from, bytes, epoch })) {
        this.counts.unparked++;
      }
      return this.#ask(from, nowMs);
    }
    if (!held.mls) return void this.counts.unwelcome++;
    if (!branches.isCanonical(key)) this.counts.fromDeadBranch++;
    let sender: AgentId;
    let data: Bytes;
    try {
      const done = await mls.process(held.mls, body);
      if (done.kind !== "application") return void this.counts.invalid++;
      ({ sender, data } = done);
      this.#history.advance(key, done.state);
    } catch (error) {
      if (!(error instanceof FabricError)) throw error;
      return void this.counts.invalid++;
    }
    this.#read(sender, data, held, epoch, nowMs);
  }

  #read(
    sender: AgentId,
    data: Bytes,
    { rules }: Held,
    epoch: number,
    nowMs: number,
  ): void {
    const { rows } = this.#options;
    let message: PublishedMessage;
    try {
      message = decodePublished(data);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return void this.counts.invalid++;
    }
    // Who was removed on the branch that counts says nothing any more on others.
    const isMember = this.held.members.some((each) => each.equals(sender));
    if (!isMember || publishFault(rules, sender, message)) {
      return void this.counts.unwelcome++;
    }
    const seen = `${sender}${message.id.toHex()}`;
    if (this.#seen.has(seen) || rows.isSeen(sender, message.id)) {
      return void this.counts.copiesRead++;
    }
    this.#seen.add(seen);
    rows.setSeen(sender, message.id, nowMs + this.#times.seenMs);
    const sequence = this.#due++;
    const row = { sequence, from: sender, epoch, message: data };
    rows.addDue(row);
    this.counts.read++;
    this.#outputs.push({ kind: "due", row });
  }

  #takeAck(
    { signer, body }: ReceivedGroupMessage,
    bytes: Uint8Array,
    nowMs: number,
  ): void {
    const { branches } = this.#history;
    const tip = branches.tip.id;
    const acks = this.#decoded(() => decodeAcks(body));
    const signed = bytes.slice();
    const { members } = branches.root.state;
    const isKnown = [...members, ...this.held.members].some((each) =>
      each.equals(signer!)
    );
    if (!isKnown) return void this.counts.strangers++;
    for (const { epoch, id } of acks ?? []) {
      const isNews = this.#history.acknowledge({
        ...{ id, epoch, signed },
        member: signer!,
      });
      if (!isNews || branches.ackedBy(`${signer}`, epoch).length < 2) continue;
      const first = this.#options.rows.acks().find((each) =>
        each.epoch === epoch && each.member.equals(signer!) && each.id !== id
      );
      const proofs = first ? [first.signed, signed] : [signed];
      this.#accuse("double_ack", signer!, nowMs, ...proofs);
    }
    if (branches.tip.id !== tip) this.#moved(tip, nowMs);
  }

  #takeLeave(
    from: AgentId,
    { signer }: ReceivedGroupMessage,
    nowMs: number,
  ): void {
    const { agent, crypto, group } = this.#options;
    const { members, rules } = this.held;
    if (!signer!.equals(from) || !members.some((each) => each.equals(from))) {
      return void this.counts.strangers++;
    }
    const may = members.filter((each) =>
      !each.equals(from) && (!rules.isAdminOnlyRemove || isAdmin(rules, each))
    );
    const turn = (each: AgentId) => turnOf(crypto, group, this.epoch, each);
    const ranked = may.sort((a, b) => compareBytes(turn(a), turn(b)));
    const place = ranked.findIndex((each) => each.equals(agent.id));
    if (place < 0) return;
    const notBeforeMs = nowMs + place * this.#times.turnMs;
    this.#wishes.add({ kind: "remove", agent: from }, notBeforeMs);
  }

  /** Another member says what its newest epoch is: whoever is behind hears what came meanwhile. */
  #takeTip(
    from: AgentId,
    { at }: ReceivedGroupMessage,
    nowMs: number,
  ): void {
    if (at.toHex() === this.epochId) return;
    const { branches } = this.#history;
    if (!branches.get(at.toHex()) && !this.#history.isPast(at.toHex())) {
      return this.#ask(from, nowMs);
    }
    const onPath = new Set(this.#history.lineage.map(({ id }) => id));
    const fork = branches.pathTo(at.toHex()).findLast(({ id }) =>
      onPath.has(id)
    );
    const names = [fork ? Uint8Array.fromHex(fork.id) : at];
    this.#sendBehind(from, names);
  }

  async #takeAsk(
    from: AgentId,
    { body }: ReceivedGroupMessage,
  ): Promise<void> {
    const names = this.#decoded(() => decodeList(body, MAX_NAMES));
    if (!names || this.#sendBehind(from, names)) return;
    const { mls } = this.held;
    if (!mls || !this.held.members.some((each) => each.equals(from))) {
      return void this.counts.strangers++;
    }
    const info = await this.#options.mls.groupInfo(mls);
    this.#send(from, this.#message("info", encodeList([info])), "high");
  }

  /** Comes back by a commit of our own, if our branch has lost, or we are too far behind to hear the rest. */
  async #takeInfo(
    from: AgentId,
    { signer, at, epoch, body }: ReceivedGroupMessage,
  ): Promise<void> {
    const { rules, members } = this.held;
    const maxEpochs = this.#options.branches?.maxEpochs ?? 8;
    const isFarBehind = epoch > this.epoch + maxEpochs;
    const isTrusted = members.some((each) => each.equals(from)) &&
      (!rules.isAdminOnlyAdd || isAdmin(rules, from));
    if (
      !signer!.equals(from) || !this.#asked.delete(`${from}`) || !isTrusted ||
      !(this.#isHealing || isFarBehind) || this.branches.get(at.toHex())
    ) return void this.counts.strangers++;
    const [info] = this.#decoded(() => decodeList(body, 1)) ?? [];
    if (!info) return;
    const { mls, agent, group, crypto } = this.#options;
    try {
      const made = await mls.createKeyPackage(agent);
      using _secret = made.secret;
      const { state, commit } = await mls.joinExternal(info, made);
      if (
        state.groupId.toHex() !== group.toHex() ||
        Number(state.epoch) !== epoch + 1
      ) return void this.counts.invalid++;
      const bytes = encodeGroupMessage(agent, {
        ...{ kind: "commit", group, epoch, at, body: commit },
      });
      const held = heldOf(state, agent.id, bytes);
      const id = epochIdOf(crypto, at, commit);
      const isBy = isAdmin(held.rules, agent.id);
      const name = { group, id, parent: at, epoch: epoch + 1, isByAdmin: isBy };
      this.#outputs.push({ kind: "healing", from });
      const before = beforeOf(crypto, { group, at, epoch }, held);
      this.#restart(epochOf(crypto, name, held), before);
      for (const to of this.others) this.#send(to, bytes, "high");
    } catch (error) {
      if (!(error instanceof FabricError)) throw error;
      this.counts.invalid++;
    }
  }

  /** Commits what is wanted now. */
  async #work(nowMs: number): Promise<void> {
    const { mls: state, rules, members } = this.held;
    if (!state || this.#isHealing) return;
    const { mls, agent, crypto, group } = this.#options;
    const tip = this.#history.tip;
    const wanted = await this.#wishes.take(nowMs, async (change) => {
      if (isFulfilled(change, this.held)) return "fulfilled";
      return await this.#canDo(change) ? "wanted" : "impossible";
    }, tip.id);
    this.counts.unfulfilled += wanted.impossible;
    const changes = wanted.changes;
    if (changes.length === 0) return;
    const adding = changes.filter((each) => each.kind === "add");
    const settings = changes.findLast((each) => each.kind === "rules")?.rules;
    let made;
    try {
      made = await mls.commit(state, {
        add: adding.map(({ keyPackage }) => keyPackage),
        remove: changes.filter((each) => each.kind === "remove")
          .map((each) => each.agent),
        ...settings && { settings },
      });
    } catch (error) {
      if (!(error instanceof FabricError)) throw error;
      this.counts.unfulfilled += this.#wishes.giveUp(wanted.sequences);
      return;
    }
    const at = Uint8Array.fromHex(tip.id);
    const bytes = this.#message("commit", made.commit);
    const held = heldOf(made.state, agent.id, bytes);
    const fault = commitFault(rules, {
      committer: agent.id,
      before: members,
      after: held.members,
      rules: held.rules,
    });
    if (fault) {
      this.counts.unfulfilled += this.#wishes.giveUp(wanted.sequences);
      return;
    }
    const id = epochIdOf(crypto, at, made.commit);
    this.#wishes.committed(wanted.sequences, id.toHex());
    const epoch = tip.epoch + 1;
    const isBy = isAdmin(rules, agent.id);
    const name = { group, id, parent: at, epoch, isByAdmin: isBy };
    this.#append(epochOf(crypto, name, held), nowMs);
    for (const to of this.#othersOf(members)) this.#send(to, bytes, "high");
    if (!made.welcome) return;
    const welcome = encodeGroupMessage(agent, {
      ...{ kind: "welcome", group, epoch, at: id },
      body: encodeList([made.welcome, bytes]),
    });
    for (const { agent: to } of adding) this.#send(to, welcome, "high");
  }

  /** Whether the rules let us make a change, and it can be made. */
  async #canDo(change: Change): Promise<boolean> {
    const { rules } = this.held;
    const { agent, mls } = this.#options;
    const isAllowed = isAdmin(rules, agent.id);
    switch (change.kind) {
      case "update":
        return true;
      case "rules":
        return isAllowed;
      case "remove":
        return !change.agent.equals(agent.id) &&
          (isAllowed || !rules.isAdminOnlyRemove);
    }
    if (rules.isAdminOnlyAdd && !isAllowed) return false;
    try {
      const { id } = await mls.readKeyPackage(change.keyPackage);
      return id.equals(change.agent);
    } catch (error) {
      if (!(error instanceof FabricError)) throw error;
      return false;
    }
  }

  #append(entry: NewEpoch<Held>, nowMs: number): void {
    const before = this.#history.tip.id;
    this.#history.append(entry);
    if (this.#history.tip.id !== before) this.#moved(before, nowMs);
  }

  /** The newest epoch is another than `before`. */
  #moved(before: string, nowMs: number): void {
    const { branches } = this.#history;
    const counts = (id: string) =>
      branches.isCanonical(id) || this.#history.isPast(id);
    const isRollback = !counts(before);
    if (isRollback) this.counts.rolledBack++;
    this.#ackAtMs = nowMs + this.#times.ackMs;
    const pause = () => this.#options.random() * this.#times.retryMs;
    this.#wishes.review({
      isSettled: (id) => this.#history.isPast(id),
      isLost: (id) => !counts(id),
      againMs: (attempts) => Math.round(nowMs + pause() * (1 + attempts)),
    });
    this.counts.abandoned += this.#parked.dropBelow(branches.root.epoch);
    this.#sayEpoch(isRollback);
  }

  #restart(oldest: NewEpoch<Held>, before: NewEpoch<Held>): void {
    this.#history.restart(oldest, before);
    this.#isHealing = false;
    this.#locks.clear();
    this.#asked.clear();
    this.#ackAtMs = 0;
    this.#sayEpoch(true);
  }

  #sayEpoch(isRollback: boolean): void {
    const { members } = this.held;
    const { epoch, isMember } = this;
    const output = { kind: "epoch", epoch, isRollback, members, isMember };
    this.#outputs.push(output as GroupOutput);
  }

  /** Decides for the epochs that count and that nothing was decided about. */
  #ack(): void {
    this.#ackAtMs = undefined;
    const { rows, agent } = this.#options;
    const path = this.#history.branches.path().slice(1);
    const news = path.filter(({ epoch }) => !this.#locks.has(epoch));
    if (news.length === 0) return;
    const bytes = this.#message("ack", encodeAcks(news));
    for (const { epoch, id } of news) {
      this.#locks.set(epoch, id);
      rows.setLock(epoch, id);
      const row = { id, epoch, member: agent.id, signed: bytes };
      this.#history.acknowledge(row);
    }
    for (const to of this.others) this.#send(to, bytes, "low");
    const { root } = this.#history.branches;
    for (const epoch of this.#locks.keys()) {
      if (epoch <= root.epoch) this.#locks.delete(epoch);
    }
  }

  async #publish(data: Bytes, { id, priority }: PublishedMessage) {
    const { mls, rows } = this.#options;
    const { mls: state } = this.held;
    if (!state) {
      throw new FabricError("group_member", "Not a member of the group");
    }
    const { state: next, message } = await mls.encrypt(state, data);
    const at = this.epochId;
    this.#history.advance(at, next);
    const bytes = this.#message("application", message);
    if (this.#sent.size < MAX_SENT) {
      this.#sent.set(id.toHex(), { at, message: data });
      rows.setSent(id.toHex(), { at, message: data });
    }
    for (const to of this.others) this.#send(to, bytes, priority);
  }

  /** Sends again what was published in epochs that lost. */
  async #republish(): Promise<void> {
    const { rows } = this.#options;
    for (const [id, { at, message }] of [...this.#sent]) {
      const isSettled = this.#history.isPast(at);
      if (!isSettled && this.branches.isCanonical(at)) continue;
      this.#sent.delete(id);
      rows.deleteSent(id);
      if (isSettled || !this.isMember) continue;
      await this.#publish(message, decodePublished(message));
    }
  }

  /** Asks a member what comes behind what is here. */
  #ask(from: AgentId, nowMs: number): undefined {
    if ((this.#asked.get(`${from}`) ?? -1) > nowMs) return;
    this.#asked.set(`${from}`, nowMs + this.#times.askMs);
    const names = this.#history.names().slice(-MAX_NAMES);
    this.#send(from, this.#message("ask", encodeList(names)), "high");
  }

  /** Sends the commits behind the newest of `names` that counts to who was a member before them; `false` if none counts. */
  #sendBehind(to: AgentId, names: readonly Uint8Array[]): boolean {
    const behind = this.#history.after(names);
    if (!behind) return false;
    const { lineage } = this.#history;
    const byId = new Map(lineage.map((each) => [each.id, each]));
    for (const { parent, state } of behind.slice(0, MAX_NAMES)) {
      const before = byId.get(parent)?.state.members ?? state.members;
      if (!before.some((each) => each.equals(to))) continue;
      this.#send(to, state.commit, "high");
    }
    return true;
  }

  #accuse(
    kind: Parameters<EvidenceLog["add"]>[0]["kind"],
    agent: AgentId,
    atMs: number,
    ...proofs: readonly Uint8Array[]
  ): undefined {
    const copies = proofs.map((each) => each.slice());
    const evidence = { kind, agent, atMs, proofs: copies };
    if (!this.evidence.add(evidence)) return;
    this.#outputs.push({ kind: "evidence", evidence });
  }

  #decode(bytes: Uint8Array): ReceivedGroupMessage | undefined {
    const message = this.#decoded(() =>
      decodeGroupMessage(this.#options.crypto, bytes)
    );
    if (!message) return undefined;
    if (message.group.toHex() === this.group.toHex()) return message;
    this.counts.malformed++;
  }

  #decoded<T>(decode: () => T): T | undefined {
    try {
      return decode();
    } catch (error) {
      if (!(error instanceof DecodeError || error instanceof FabricError)) {
        throw error;
      }
      this.counts.malformed++;
    }
  }

  /** A message about the newest epoch. */
  #message(kind: GroupMessage["kind"], body: Uint8Array): Bytes {
    const { agent, group } = this.#options;
    const { epoch, epochId } = this;
    const at = Uint8Array.fromHex(epochId);
    return encodeGroupMessage(agent, {
      ...{ kind, group, epoch, at, body: body.slice() },
    });
  }

  #othersOf(members: readonly AgentId[]): readonly AgentId[] {
    return members.filter((each) => !each.equals(this.#options.agent.id));
  }

  /** Other members, drawn by chance. */
  #draw(count: number): readonly AgentId[] {
    const others = [...this.others];
    const drawn: AgentId[] = [];
    while (drawn.length < count && others.length > 0) {
      const at = Math.floor(this.#options.random() * others.length);
      drawn.push(...others.splice(at, 1));
    }
    return drawn;
  }

  #send(to: AgentId, bytes: Bytes, priority: Priority): void {
    this.#outputs.push({ kind: "send", to, bytes, priority });
  }

  /** Ends a call that may have changed the branch that counts. */
  async #done(): Promise<GroupOutput[]> {
    await this.#republish();
    return this.#finish();
  }

  #finish(): GroupOutput[] {
    this.#options.rows.commit();
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }
}
