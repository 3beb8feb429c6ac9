import type { Bytes } from "../../core/bytes/mod.ts";
import type { AgentId } from "../identity/agent_id.ts";
import { CatchUp } from "./catch_up.ts";
import { CommitIntake } from "./commit_intake.ts";
import { compareBytes, turnOf } from "./commit_rank.ts";
import { EpochDecisions } from "./epoch_decisions.ts";
import type { NewEpoch } from "./group_branches.ts";
import type { EvidenceLog } from "./group_evidence.ts";
import type { GroupHistory } from "./group_history.ts";
import {
  decodeGroupMessage,
  type ReceivedGroupMessage,
} from "./group_message.ts";
import type { GroupCounts, GroupOutput } from "./group_output.ts";
import type { GroupRows } from "./group_rows.ts";
import { isAdmin } from "./group_rules.ts";
import { GROUP_TIMES, type GroupTimes } from "./group_times.ts";
import type { JoinedEpoch } from "./group_start.ts";
import type { Held } from "./held_epoch.ts";
import { OldForks } from "./old_forks.ts";
import { OwnCommits } from "./own_commits.ts";
import { ParkedMessages } from "./parked_messages.ts";
import { Publications } from "./publications.ts";
import type { PublishedMessage } from "./published_message.ts";
import { SessionMail } from "./session_mail.ts";
import type { GroupSessionOptions } from "./session_parts.ts";
import { WayBack } from "./way_back.ts";
import type { Change } from "./wish.ts";
import { WishList } from "./wish_list.ts";

/**
 * A member's part of one group: takes what other members say, in any order and more than once, and gives what is to be sent, said and
 * read. It has no clock and no network. Calls must wait for each other: what one gives is stored when it resolves.
 */
export class GroupSession {
  readonly #options: GroupSessionOptions;
  readonly #times: Required<GroupTimes>;
  readonly #history: GroupHistory;
  readonly #parked = new ParkedMessages();
  readonly #wishes: WishList;
  readonly #mail: SessionMail;
  readonly #intake: CommitIntake;
  readonly #catchUp: CatchUp;
  readonly #forks: OldForks;
  readonly #wayBack: WayBack;
  readonly #commits: OwnCommits;
  readonly #decisions: EpochDecisions;
  readonly #publications: Publications;
  #ackAtMs: number | undefined;
  #tipAtMs = 0;

  /** Goes on with what `history` has. */
  constructor(options: GroupSessionOptions, history: GroupHistory) {
    this.#options = options;
    this.#times = { ...GROUP_TIMES, ...options.times };
    this.#history = history;
    const { rows } = options;
    this.#mail = new SessionMail(options, history);
    this.#intake = new CommitIntake(options, history, this.#mail);
    const { seenMs } = this.#times;
    this.#forks = new OldForks(history);
    this.#wayBack = new WayBack(options, history, this.#mail, this.#times);
    this.#catchUp = new CatchUp(
      ...[options, history, this.#mail, this.#wayBack] as const,
      this.#times,
    );
    this.#wishes = new WishList(rows);
    this.#commits = new OwnCommits(options, this.#wishes, this.counts);
    this.#decisions = new EpochDecisions(
      options,
      history,
      this.#mail,
      this.#forks,
    );
    this.#publications = new Publications(options, history, this.#mail, seenMs);
    this.#ackAtMs = 0;
  }

  /** What it did with what came. */
  get counts(): GroupCounts {
    return this.#mail.counts;
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

  /** Whether the agent is a member, as far as it knows. */
  get isMember(): boolean {
    return this.held.mls !== undefined && !this.#wayBack.isOut;
  }

  /** Evidence of what members did wrong. */
  get evidence(): EvidenceLog {
    return this.#options.evidence;
  }

  /** Who is a member in the newest epoch, as far as it knows. */
  get members(): readonly AgentId[] {
    return this.#wayBack.isOut ? this.others : this.held.members;
  }

  /** The agents that are to hear what happens in the newest epoch: all its members but this one. */
  get others(): readonly AgentId[] {
    return this.held.members.filter((each) =>
      !each.equals(this.#options.agent.id)
    );
  }

  /** When {@link tick} has something to do, in milliseconds since 1970; `undefined` if never. */
  get nextMs(): number | undefined {
    const { isStopped, nextMs } = this.#wayBack;
    const times = [nextMs];
    if (this.isMember) times.push(this.#tipAtMs, this.#ackAtMs);
    if (this.isMember && !isStopped) times.push(this.#wishes.nextMs);
    const all = times.filter((each) => each !== undefined);
    return all.length > 0 ? Math.min(...all) : undefined;
  }

  /** What no handler has had. */
  due(): ReturnType<GroupRows["due"]> {
    return this.#publications.due();
  }

  /** A handler is done with what was due. */
  handled(sequence: number): void {
    this.#publications.handled(sequence);
  }

  /** The outbox has the Welcomes to an epoch for all whom they let in. */
  welcomed(id: string): void {
    this.#options.rows.deleteWelcome(id);
  }

  /** Wants a change; it is committed at once if the rules allow it, and again as often as its commit loses. */
  want(change: Change, nowMs: number): Promise<GroupOutput[]> {
    return this.wantAll([change], nowMs);
  }

  /** Wants changes, which one commit makes. */
  async wantAll(
    changes: readonly Change[],
    nowMs: number,
  ): Promise<GroupOutput[]> {
    for (const change of changes) this.#wishes.add(change, nowMs);
    await this.#work(nowMs);
    return await this.#done();
  }

  /**
   * Publishes a message to the members of the newest epoch.
   *
   * @throws {FabricError} `group_member` if the agent is none; `refused` if the rules of the group do not allow it.
   */
  async publish(message: PublishedMessage): Promise<GroupOutput[]> {
    await this.#publications.publish(message);
    return this.#finish();
  }

  /** Asks the other members to remove this one. */
  leave(): GroupOutput[] {
    const bytes = this.#mail.message("leave", new Uint8Array());
    this.#mail.send(this.others, bytes, "high");
    return this.#finish();
  }

  /** Says what the newest epoch is, and asks for what came meanwhile; after a pause of the process. */
  resume(): GroupOutput[] {
    this.#catchUp.sayTip(2);
    this.#letIn();
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
      for (const at of await this.#take(next.from, next.bytes, nowMs)) {
        queue.push(...this.#parked.take(at));
      }
    }
    this.#wayBack.set(this.#forks.judge(this.#intake.unread), nowMs);
    await this.#work(nowMs);
    return await this.#done();
  }

  /** Does what its time has come. */
  async tick(nowMs: number): Promise<GroupOutput[]> {
    this.#wayBack.tick(nowMs);
    if (this.isMember) {
      if (this.#ackAtMs !== undefined && this.#ackAtMs <= nowMs) {
        this.#ackAtMs = undefined;
        if (!this.#wayBack.isStopped) this.#decisions.decide();
      }
      if (this.#tipAtMs <= nowMs) {
        const isFirst = this.#tipAtMs === 0;
        const { random } = this.#options;
        this.#tipAtMs = nowMs + this.#times.tipMs * (0.5 + random());
        if (!isFirst) this.#catchUp.sayTip(1);
        if (!isFirst) this.#letIn();
      }
      await this.#work(nowMs);
    }
    return await this.#done();
  }

  /** Starts again with an epoch that a Welcome brought. */
  restart(joined: JoinedEpoch): GroupOutput[] {
    this.#options.rows.setWelcomedMs(joined.welcomedMs ?? 0);
    this.#restart(joined);
    return this.#finish();
  }

  /**
   * Whether a Welcome from an agent may replace what is here: our branch has lost, or it is to a later epoch and we are no member, or
   * it is a later one of who let us in, whose commit has lost.
   */
  isReplaceableBy(
    from: AgentId,
    { oldest, past, welcomedMs = 0 }: JoinedEpoch,
  ): boolean {
    if (this.#wayBack.isLost) {
      return this.#wayBack.leadsBack([...past, { ...oldest, isFinal: false }]);
    }
    if (!this.isMember) return oldest.epoch > this.epoch;
    const { branches: { root } } = this.#history;
    // What was told of the epochs before has no commits.
    const isNew = this.#history.past(root.parent)?.state.commit.length === 0;
    return isNew && welcomedMs > this.#options.rows.welcomedMs() &&
      root.state.committer.equals(from);
  }

  /** Takes a message; gives the names of the epochs that are here now and were not, in hexadecimal. */
  async #take(
    from: AgentId,
    bytes: Uint8Array,
    nowMs: number,
  ): Promise<readonly string[]> {
    const { crypto, group } = this.#options;
    if (this.#decisions.isCopy(bytes)) {
      this.counts.copies++;
      return [];
    }
    const message = this.#mail.decoded(() => decodeGroupMessage(crypto, bytes));
    if (!message) return [];
    if (message.group.toHex() !== group.toHex()) {
      this.counts.malformed++;
      return [];
    }
    const { kind, at } = message;
    if (kind !== "info") this.#wayBack.hear(from, at, nowMs);
    // What is said on a branch that lost as it came needs its epoch.
    const isOfEpoch = kind !== "ack" && kind !== "ask";
    const needed = isOfEpoch ? await this.#raise(at.toHex(), nowMs) : undefined;
    const names = [
      needed,
      await this.#takeMessage(from, message, bytes, nowMs),
    ];
    for (const id of this.#intake.risen()) {
      names.push(await this.#raise(id, nowMs));
    }
    return names.filter((each) => each !== undefined);
  }

  /** Carries out a commit that lost as it came; gives the name of its epoch if it is here then. */
  async #raise(id: string, nowMs: number): Promise<string | undefined> {
    const epoch = await this.#intake.raise(id);
    if (epoch) this.#append(epoch, nowMs);
    return epoch?.id;
  }

  async #takeMessage(
    from: AgentId,
    message: ReceivedGroupMessage,
    bytes: Uint8Array,
    nowMs: number,
  ): Promise<string | undefined> {
    switch (message.kind) {
      case "commit":
        return await this.#takeCommit(from, message, bytes, nowMs);
      case "application":
        if (!await this.#publications.take(message, nowMs)) {
          this.#wait(from, message, bytes, nowMs);
        }
        return undefined;
      case "ack": {
        const tip = this.epochId;
        this.#decisions.take(message, bytes, nowMs);
        this.#meet(from, message, nowMs);
        if (this.epochId !== tip) this.#moved(tip, nowMs);
        return undefined;
      }
      case "leave":
        this.#takeLeave(from, message, nowMs);
        return undefined;
      case "tip":
        this.#catchUp.takeTip(from, message, nowMs);
        return undefined;
      case "ask":
        await this.#catchUp.takeAsk(from, message, nowMs);
        this.#meet(from, message, nowMs);
        return undefined;
      case "info":
        await this.#takeInfo(from, message);
        return undefined;
      default:
        this.counts.malformed++;
    }
  }

  /** Lets a message wait for its epoch, and asks who brought it for that. */
  #wait(
    from: AgentId,
    { at, epoch }: ReceivedGroupMessage,
    bytes: Uint8Array,
    nowMs: number,
  ): void {
    const isKnown = this.#history.knows(from);
    if (!this.#parked.park(at.toHex(), { from, bytes, epoch, isKnown })) {
      this.counts.unparked++;
    }
    this.#catchUp.ask(from, nowMs);
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

  async #takeCommit(
    from: AgentId,
    message: ReceivedGroupMessage,
    bytes: Uint8Array,
    nowMs: number,
  ): Promise<string | undefined> {
    const signer = message.signer!;
    const commit = { message: { ...message, signer }, bytes, nowMs };
    const finding = await this.#intake.judge(commit);
    switch (finding.kind) {
      case "add":
        this.#append(finding.epoch, nowMs);
        return finding.epoch.id;
      case "wait":
        this.#wait(from, message, bytes, nowMs);
        return undefined;
      case "rival":
        this.#forks.addRival(finding.rival);
        if (this.#forks.judge(this.#intake.unread)) {
          this.#wayBack.follow(from, nowMs);
        } else this.#catchUp.tell(from, nowMs);
        return undefined;
      case "elsewhere":
        this.#meet(from, message, nowMs);
        return undefined;
      case "done":
        return undefined;
    }
  }

  async #takeInfo(
    from: AgentId,
    message: ReceivedGroupMessage,
  ): Promise<void> {
    const { isMember } = this;
    const back = await this.#wayBack.takeInfo(from, message);
    if (this.isMember !== isMember) this.#sayEpoch(false);
    if (!back) return;
    this.#mail.say({ kind: "healing", from });
    this.#restart(back);
    this.#mail.send(this.others, back.commit, "high");
  }

  /** Mail of an epoch that is not newer than ours and not here is of another branch: asks what it is. */
  #meet(
    from: AgentId,
    { kind, at, epoch }: ReceivedGroupMessage,
    nowMs: number,
  ): void {
    const id = at.toHex();
    if (this.#history.lineage.some((each) => each.id === id)) return;
    // Who asks may hear nothing of us: it is on a branch that lost, or we are.
    const isNew = epoch <= this.epoch && !this.#history.has(id) &&
      !this.#intake.isBeaten(id);
    if (kind !== "ask" && !isNew) return;
    this.#wayBack.follow(from, nowMs);
    if (this.#history.knows(from)) this.#catchUp.ask(from, nowMs);
  }

  /** Commits what is wanted now. */
  async #work(nowMs: number): Promise<void> {
    while (!this.#wayBack.isStopped) {
      const { lineage } = this.#history;
      const own = await this.#commits.make(lineage, nowMs);
      if (!own) return;
      const { members } = lineage.at(-1)!.state;
      this.#append(own.epoch, nowMs);
      this.#mail.send(members, own.commit, "high");
      if (!own.welcome) continue;
      const row = { id: own.epoch.id, to: own.added, bytes: own.welcome };
      this.#options.rows.addWelcome(row);
      this.#mail.sendWelcome(row);
    }
  }

  /** Sends Welcomes that the outbox had no room for, or that were stored when the process died. */
  #letIn(): void {
    const { rows } = this.#options;
    for (const row of rows.welcomes()) {
      const { members } = this.held;
      const to = row.to.filter((agent) =>
        members.some((each) => each.equals(agent))
      );
      const isHere = this.#history.has(row.id);
      if (!isHere || to.length === 0) rows.deleteWelcome(row.id);
      else if (this.#history.lineage.some(({ id }) => id === row.id)) {
        this.#mail.sendWelcome({ ...row, to });
      }
    }
  }

  #isPast(id: string): boolean {
    return this.#history.past(id) !== undefined;
  }

  #append(entry: NewEpoch<Held>, nowMs: number): void {
    const before = this.#history.tip.id;
    this.#history.append(entry);
    if (this.#history.tip.id !== before) this.#moved(before, nowMs);
  }

  /** The newest epoch is another than `before`. */
  #moved(before: string, nowMs: number): void {
    const { branches } = this.#history;
    const counts = (id: string) => branches.isCanonical(id) || this.#isPast(id);
    const isRollback = !counts(before);
    if (isRollback) this.counts.rolledBack++;
    this.#ackAtMs = nowMs + this.#times.ackMs;
    const pause = () => this.#options.random() * this.#times.retryMs;
    this.#wishes.review({
      isSettled: (id) => this.#isPast(id),
      isLost: (id) => !counts(id),
      againMs: (attempts) => Math.round(nowMs + pause() * (1 + attempts)),
    });
    this.counts.abandoned += this.#parked.dropBelow(branches.root.epoch);
    this.#sayEpoch(isRollback);
  }

  #restart({ oldest, past }: JoinedEpoch): void {
    this.#history.restart(oldest, past);
    this.#catchUp.reset();
    this.#intake.reset();
    this.#forks.reset();
    this.#wayBack.reset();
    this.#decisions.reset();
    // What we had committed there is wanted here.
    this.#wishes.review({
      isSettled: () => false,
      isLost: () => true,
      againMs: () => 0,
    });
    this.#ackAtMs = 0;
    this.#sayEpoch(true);
  }

  #sayEpoch(isRollback: boolean): void {
    const { epoch, isMember, members } = this;
    this.#mail.say({ kind: "epoch", epoch, isRollback, members, isMember });
  }

  /** Ends a call that may have changed the branch that counts. */
  async #done(): Promise<GroupOutput[]> {
    await this.#publications.publishAgain();
    return this.#finish();
  }

  #finish(): GroupOutput[] {
    this.#options.rows.commit();
    this.#publications.stored();
    return this.#mail.take();
  }
}
