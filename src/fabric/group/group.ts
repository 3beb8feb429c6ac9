import type { Clock } from "../../core/async/mod.ts";
import type { Bytes } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import type { Logger } from "../../core/log/mod.ts";
import { decodePayload, encodePayload } from "../agent/payload.ts";
import { FabricError } from "../error.ts";
import type { AgentId } from "../identity/agent_id.ts";
import { MESSAGE_ID_LENGTH, type Priority } from "../message/message.ts";
import type { Evidence } from "./group_evidence.ts";
import type { GroupCounts, GroupOutput } from "./group_output.ts";
import type { DueRow } from "./group_rows.ts";
import { encodeRules, type GroupRules, isAdmin } from "./group_rules.ts";
import type { GroupSession } from "./group_session.ts";
import { type AlertSeverity, priorityOf } from "./kind_rules.ts";
import type { GroupCrypto } from "./mls/group_crypto.ts";
import { decodePublished } from "./published_message.ts";
import type { Change } from "./wish.ts";

/** What a member published. */
export interface Published {
  /** Its name, 16 bytes: the same in all copies. */
  readonly id: Bytes;
  /** Who published it, verified. */
  readonly from: AgentId;
  /** What it is about. */
  readonly type: string;
  /** How urgent it is. */
  readonly priority: Priority;
  /** What it carries. */
  readonly value: unknown;
  /** The epoch in which it was encrypted. */
  readonly epoch: number;
}

/**
 * Has what members publish, one after the other; what it throws is logged, and the message counts as handled. A `FabricError` `closed`
 * ends the subscription; a message that nobody else has had then waits for the next subscriber.
 */
export type Subscriber = (published: Published) => void | Promise<void>;

/** What happened to a group. */
export type GroupEvent =
  | Extract<GroupOutput, { kind: "epoch" }>
  | Extract<GroupOutput, { kind: "evidence" }>
  | Extract<GroupOutput, { kind: "healing" }>;

/** How something is to be published. */
export interface PublishOptions {
  /** How urgent it is; normal by default, and that of its severity for an alert. */
  readonly priority?: Priority;
}

/** What became of something that was published. */
export interface PublishedId {
  /** Its name, 16 bytes. */
  readonly id: Bytes;
  /** Members for whom the outbox has it. */
  readonly accepted: number;
  /** Members for whom the outbox had no room. */
  readonly unsent: number;
}

/** Parts of a {@link Group}. */
export interface GroupOptions {
  /** This member's part of it. */
  readonly session: GroupSession;
  /** Who it is. */
  readonly self: AgentId;
  /** Keys of the group. */
  readonly mls: GroupCrypto;
  /** Draws ids. */
  readonly crypto: CryptoProvider;
  /** Sends bytes to another agent; `false` if there was no room. */
  readonly send: (
    to: AgentId,
    bytes: Bytes,
    priority: Priority,
    lifetimeMs?: number,
  ) => Promise<boolean>;
  /** Sends an invitation. */
  readonly invite: (group: Group, agent: AgentId) => Promise<void>;
  /** Where it says what failed. */
  readonly log: Logger;
  /** Time. */
  readonly clock: Clock;
}

/** A group that this agent is, or was, a member of. */
export class Group {
  /** Its id, 32 bytes. */
  readonly id: Bytes;
  readonly #options: GroupOptions;
  readonly #subscribers = new Set<Subscriber>();
  readonly #watchers = new Set<(event: GroupEvent) => void>();
  #turn: Promise<unknown> = Promise.resolve();
  #reading: Promise<void> | undefined;
  #cancel: () => void = () => {};
  #isClosed = false;

  /** Goes on with what its session has. */
  constructor(options: GroupOptions) {
    this.#options = options;
    this.id = options.session.group;
    this.#schedule();
  }

  /** What it holds its members to. */
  get rules(): GroupRules {
    return this.#session.held.rules;
  }

  /** Who is a member in the newest epoch. */
  get members(): readonly AgentId[] {
    return this.#session.members;
  }

  /** Whether this agent is a member. */
  get isMember(): boolean {
    return this.#session.isMember;
  }

  /** The number of the newest epoch. */
  get epoch(): number {
    return this.#session.epoch;
  }

  /** The same for all members in the same epoch of the same branch (RFC 9420 §8.7); `undefined` if this agent is none. */
  get epochAuthenticator(): Bytes | undefined {
    return this.#session.held.mls?.epochAuthenticator;
  }

  /** What members did that they should not have done. */
  get evidence(): readonly Evidence[] {
    return this.#session.evidence.entries;
  }

  /** What was done with what came. */
  get counts(): Readonly<GroupCounts> {
    return this.#session.counts;
  }

  /**
   * Asks an agent to become a member; it is added when it has sent a key package.
   *
   * @throws {FabricError} `refused` if only admins add; `full` if the group or the outbox is; `group_member`.
   */
  async invite(agent: AgentId): Promise<void> {
    this.#check(this.rules.isAdminOnlyAdd);
    if (this.members.length >= this.rules.maxMembers) {
      throw new FabricError("full", "The group has as many members as it may");
    }
    await this.#options.invite(this, agent);
  }

  /**
   * Wants a member to be removed; resolves when a commit of that is made, which is made again if it loses.
   *
   * @throws {FabricError} `refused` if only admins remove, or it is this agent: that is to {@link leave}; `group_member`.
   */
  async remove(agent: AgentId): Promise<void> {
    this.#check(this.rules.isAdminOnlyRemove);
    if (agent.equals(this.#options.self)) {
      throw new FabricError("refused", "An agent leaves, or others remove it");
    }
    await this.want({ kind: "remove", agent });
  }

  /**
   * Renews this member's keys.
   *
   * @throws {FabricError} `group_member`.
   */
  async update(): Promise<void> {
    this.#check(false);
    await this.want({ kind: "update" });
  }

  /**
   * Wants other rules, but for the kind.
   *
   * @throws {FabricError} `refused` if the agent is no admin; `group_member`.
   * @throws {RangeError} If a field is out of range.
   */
  async setRules(fields: Partial<Omit<GroupRules, "kind">>): Promise<void> {
    this.#check(true);
    const rules = encodeRules({ ...this.rules, ...fields });
    await this.want({ kind: "rules", rules });
  }

  /**
   * Asks the others to remove this agent; {@link isMember} is false once one of them did.
   *
   * @throws {FabricError} `group_member`.
   */
  async leave(): Promise<void> {
    this.#check(false);
    await this.run(() => Promise.resolve(this.#session.leave()));
  }

  /**
   * Publishes a value to all other members, by whatever way works for each; resolves when the outbox has it.
   *
   * @throws {FabricError} `refused` if the kind of the group does not allow it; `group_member`.
   * @throws {RangeError} If the type has not 1 to 128 characters, or the value more than 1 MiB.
   */
  async publish(
    type: string,
    value: unknown,
    options: PublishOptions = {},
  ): Promise<PublishedId> {
    this.#check(false);
    const id = this.#options.crypto.random(MESSAGE_ID_LENGTH);
    const message = {
      ...{ id, type, payload: encodePayload(value).slice() },
      priority: options.priority ?? this.#priorityOf(value),
    };
    const sent = await this.run(() => this.#session.publish(message));
    return { id, ...sent };
  }

  /** Lets `subscriber` have what others publish; what came before there was any waits for the first. Disposing ends it. */
  subscribe(subscriber: Subscriber): Disposable {
    this.#subscribers.add(subscriber);
    this.#read();
    return {
      [Symbol.dispose]: () => void this.#subscribers.delete(subscriber),
    };
  }

  /** Tells `watcher` of epochs, evidence and forks; disposing ends it. */
  watch(watcher: (event: GroupEvent) => void): Disposable {
    this.#watchers.add(watcher);
    return { [Symbol.dispose]: () => void this.#watchers.delete(watcher) };
  }

  /**
   * A secret of `length` bytes for another use, the same for all members of the epoch (RFC 9420 §8.5).
   *
   * @throws {FabricError} `group_member`.
   */
  async export(
    label: string,
    context: Uint8Array,
    length: number,
  ): Promise<Bytes> {
    const { mls } = this.#session.held;
    if (mls) return await this.#options.mls.export(mls, label, context, length);
    throw new FabricError("group_member", "Not a member of the group");
  }

  /** Weights of the members in the epochs of a number that are kept, that of the branch that counts first. */
  electors(epoch: number): readonly ReadonlyMap<string, number>[] {
    const { branches } = this.#session;
    const all = [...branches.entries()].filter((each) => each.epoch === epoch)
      .sort((a, b) =>
        Number(branches.isCanonical(b.id)) - Number(branches.isCanonical(a.id))
      );
    return all.map(({ electors }) => electors);
  }

  /** Keeps evidence that a member signed. */
  accuse(evidence: Evidence): void {
    if (!this.#session.evidence.add(evidence)) return;
    for (const watcher of this.#watchers) {
      watcher({ kind: "evidence", evidence });
    }
  }

  /** Wants a change, whatever it is. */
  async want(change: Change): Promise<void> {
    const { clock } = this.#options;
    await this.run(() => this.#session.want(change, clock.wallTime()));
  }

  /** Takes what another agent says about the group. */
  async receive(from: AgentId, bytes: Uint8Array): Promise<void> {
    const { clock } = this.#options;
    await this.run(() => this.#session.receive(from, bytes, clock.wallTime()));
  }

  /** Does something with the session when all before it is done, and what it gives; says how much was sent. */
  async run(
    work: (session: GroupSession) => Promise<readonly GroupOutput[]>,
  ): Promise<Pick<PublishedId, "accepted" | "unsent">> {
    const before = this.#turn;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turn = promise;
    await before;
    try {
      if (this.#isClosed) throw new FabricError("closed", "It is closed");
      return await this.#do(await work(this.#session));
    } finally {
      resolve();
      this.#schedule();
    }
  }

  /** Ends; what is stored goes on at the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    await this.#turn;
    await this.#reading;
  }

  get #session(): GroupSession {
    return this.#options.session;
  }

  #check(isForAdmins: boolean): void {
    if (!this.isMember) {
      throw new FabricError("group_member", "Not a member of the group");
    }
    if (isForAdmins && !isAdmin(this.rules, this.#options.self)) {
      throw new FabricError("refused", "Only admins of the group may do that");
    }
  }

  #priorityOf(value: unknown): Priority {
    if (this.rules.kind !== "alert") return "normal";
    const { severity } = Object(value) as { severity?: AlertSeverity };
    return priorityOf(severity ?? "info") ?? "normal";
  }

  async #do(
    outputs: readonly GroupOutput[],
  ): Promise<Pick<PublishedId, "accepted" | "unsent">> {
    const { send } = this.#options;
    const sending: Promise<boolean>[] = [];
    const welcomes = new Map<string, Promise<boolean>[]>();
    for (const output of outputs) {
      if (output.kind === "send") {
        const { to, bytes, priority, lifetimeMs, welcome } = output;
        const sent = send(to, bytes, priority, lifetimeMs);
        sending.push(sent);
        if (welcome === undefined) continue;
        welcomes.set(welcome, [...welcomes.get(welcome) ?? [], sent]);
      } else if (output.kind === "due") this.#read();
      else for (const watcher of this.#watchers) watcher(output);
    }
    const all = await Promise.all(sending);
    for (const [id, sent] of welcomes) {
      const isSent = (await Promise.all(sent)).every((each) => each);
      if (isSent) this.#session.welcomed(id);
    }
    const accepted = all.filter((each) => each).length;
    return { accepted, unsent: all.length - accepted };
  }

  /** Takes what is due to the subscribers, one after the other. */
  #read(): void {
    if (this.#reading || this.#subscribers.size === 0) return;
    this.#reading = this.#readAll().then(() => {
      this.#reading = undefined;
      // What came, and who subscribed, while it ended.
      if (!this.#isClosed && this.#session.due().length > 0) this.#read();
    }, (error) => {
      this.#reading = undefined;
      this.#options.log.error("fabric.group_failed", { error });
    });
  }

  async #readAll(): Promise<void> {
    for (;;) {
      // What comes while this runs is in the next look.
      const due = this.#session.due();
      if (due.length === 0) return;
      for (const row of due) {
        if (this.#isClosed || this.#subscribers.size === 0) return;
        if (!(await this.#handle(row))) return;
        this.#session.handled(row.sequence);
      }
    }
  }

  /** Gives a message to the subscribers; `false` if all of them have ended. */
  async #handle({ from, epoch, message }: DueRow): Promise<boolean> {
    const { id, type, priority, payload } = decodePublished(message);
    let isHandled = false;
    for (const subscriber of [...this.#subscribers]) {
      try {
        const value = decodePayload(payload);
        await subscriber({ id, from, type, priority, epoch, value });
        isHandled = true;
      } catch (error) {
        if (error instanceof FabricError && error.code === "closed") {
          this.#subscribers.delete(subscriber);
          continue;
        }
        isHandled = true;
        this.#options.log.warn("fabric.subscriber_failed", { error });
      }
    }
    return isHandled;
  }

  #schedule(): void {
    this.#cancel();
    const { nextMs } = this.#session;
    const { clock, log } = this.#options;
    if (nextMs === undefined || this.#isClosed) return;
    const leftMs = Math.max(0, nextMs - clock.wallTime());
    this.#cancel = clock.setTimeout(() => {
      this.run((session) => session.tick(clock.wallTime())).catch((error) => {
        if (!this.#isClosed) log.error("fabric.group_failed", { error });
      });
    }, leftMs);
  }
}
