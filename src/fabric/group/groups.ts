import type { Clock } from "../../core/async/mod.ts";
import type { Bytes } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import type { Logger } from "../../core/log/mod.ts";
import { namespace, type Store } from "../../core/storage/mod.ts";
import { FabricError } from "../error.ts";
import type { Agent } from "../identity/agent.ts";
import type { AgentId } from "../identity/agent_id.ts";
import type { Priority } from "../message/message.ts";
import { foundingIdOf } from "./commit_rank.ts";
import { Group } from "./group.ts";
import type { BranchLimits } from "./group_branches.ts";
import { EvidenceLog } from "./group_evidence.ts";
import {
  decodeGroupMessage,
  encodeGroupMessage,
  GROUP_ID_LENGTH,
  type ReceivedGroupMessage,
} from "./group_message.ts";
import { GroupRows } from "./group_rows.ts";
import {
  decodeRules,
  encodeRules,
  type GroupRules,
  rulesOf,
} from "./group_rules.ts";
import type { GroupSession } from "./group_session.ts";
import type { GroupTimes } from "./group_times.ts";
import type { GroupSessionOptions } from "./session_parts.ts";
import {
  foundGroup,
  joinGroup,
  readWelcome,
  restoreGroup,
} from "./group_start.ts";
import { JoiningRows } from "./joining_rows.ts";
import type { GroupCrypto } from "./mls/group_crypto.ts";
import { Votes, type VoteSettings } from "./votes.ts";

/** An agent asks this one to become a member of a group. */
export interface Invitation {
  /** The group, 32 bytes. */
  readonly group: Bytes;
  /** Who asks, verified. */
  readonly from: AgentId;
  /** What it says that the rules are; those that hold are seen when the agent is a member. */
  readonly rules: GroupRules;
}

/** What an application says about groups. */
export interface GroupSettings {
  /** Keys of groups. */
  readonly mls: GroupCrypto;
  /** Whether an invitation is accepted; none is by default. `later` lets it wait for {@link Groups.accept}. */
  readonly onInvitation?: (
    invitation: Invitation,
  ) => boolean | "later" | Promise<boolean | "later">;
  /** Told when this agent has become a member by an invitation. */
  readonly onJoined?: (group: Group) => void;
  /** Limits of what is kept of each group. */
  readonly branches?: BranchLimits;
  /** Pauses. */
  readonly times?: GroupTimes;
  /** Most groups; 256 by default. */
  readonly maxGroups?: number;
}

/** Parts of {@link Groups}. */
export interface GroupsOptions extends GroupSettings {
  /** Whose groups they are. */
  readonly agent: Agent;
  /** Hashes, signatures, ids. */
  readonly crypto: CryptoProvider;
  /** Keeps them; they have it for themselves. */
  readonly store: Store;
  /** Sends bytes to an agent. */
  readonly send: (
    to: AgentId,
    bytes: Bytes,
    priority: Priority,
    lifetimeMs?: number,
  ) => Promise<void>;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Where it says what failed. */
  readonly log: Logger;
  /** Time. */
  readonly clock: Clock;
}

const MAX_GROUPS = 256;
const INVITATION_MS = 7 * 86_400_000;

/** The groups of one agent. */
export class Groups implements AsyncDisposable {
  /** Messages about groups that the agent is not in, and was not asked into. */
  unknown = 0;
  /** Messages that did not go, as there was no room in the outbox. */
  unsent = 0;
  readonly #options: GroupsOptions;
  readonly #groups = new Map<string, Group>();
  readonly #sessions = new Map<string, GroupSession>();
  readonly #joining: JoiningRows;
  readonly #names: Store;
  #welcoming: Promise<unknown> = Promise.resolve();

  /** Goes on with the groups in `store`. */
  constructor(options: GroupsOptions) {
    this.#options = options;
    this.#joining = new JoiningRows(namespace(options.store, "joining"));
    this.#names = namespace(options.store, "names");
    for (const { key } of [...this.#names.entries()]) {
      const session = restoreGroup(this.#partsOf(key));
      if (session) this.#enter(session);
    }
  }

  /** Every group that the agent is, or was, in. */
  get all(): readonly Group[] {
    return [...this.#groups.values()];
  }

  /** Invitations that wait to be accepted or declined. */
  get invitations(): readonly Invitation[] {
    return this.#joining.held().filter(({ group }) =>
      !this.get(group)?.isMember
    ).map(({ rules, ...rest }) => ({ ...rest, rules: decodeRules(rules) }));
  }

  /**
   * Accepts an invitation that waits; the agent is a member when who invited it has let it in.
   *
   * @param from - Whose; the first that is kept if absent.
   * @throws {FabricError} `full` if there are as many groups as there may be.
   * @throws {RangeError} If no such invitation waits.
   */
  async accept(group: Uint8Array, from?: AgentId): Promise<void> {
    const invitation = this.invitations.find((each) =>
      each.group.toHex() === group.toHex() &&
      (!from || each.from.equals(from))
    );
    if (!invitation) throw new RangeError("No such invitation waits");
    await this.#accept(invitation);
  }

  /** Forgets the invitations to a group that wait; nobody is told. */
  decline(group: Uint8Array): void {
    for (const { from } of this.invitations) this.#joining.release(group, from);
  }

  /** A group, by its id. */
  get(id: Uint8Array): Group | undefined {
    return this.#groups.get(id.toHex());
  }

  /**
   * Makes a group whose only member and admin is this agent, unless `rules` say otherwise.
   *
   * @throws {FabricError} `full` if there are as many groups as there may be.
   * @throws {RangeError} If the rules are out of range.
   */
  async create(
    rules: Partial<GroupRules> & Pick<GroupRules, "kind">,
  ): Promise<Group> {
    this.#checkRoom();
    const { crypto, agent } = this.#options;
    const id = crypto.random(GROUP_ID_LENGTH);
    const whole = rulesOf(agent.id, rules);
    encodeRules(whole);
    const session = await foundGroup(this.#partsOf(id), whole);
    return this.#enter(session);
  }

  /**
   * The votes of a group; dispose it before another is made for the same group.
   *
   * @throws {RangeError} If the group is of another kind.
   */
  votes(group: Group, settings: VoteSettings = {}): Votes {
    const { agent, crypto, log, clock } = this.#options;
    const store = namespace(this.#storeOf(group.id), "votes");
    return new Votes({ ...settings, group, agent, crypto, log, clock, store });
  }

  /** Forgets a group and erases all that is kept of it; nobody is told. */
  async forget(id: Uint8Array): Promise<void> {
    const group = this.get(id);
    if (!group) return;
    this.#groups.delete(id.toHex());
    this.#sessions.delete(id.toHex());
    await group.close();
    const own = this.#storeOf(id.slice());
    this.#options.store.transaction(() => {
      this.#names.delete(id);
      for (const { key } of [...own.entries()]) own.delete(key);
    });
  }

  /** Asks other members what came while this agent was away, and removes what is too old. */
  async start(): Promise<void> {
    this.#options.store.sweep(this.#options.clock.wallTime());
    await Promise.all(
      this.all.map((each) =>
        each.run((session) => Promise.resolve(session.resume()))
      ),
    );
  }

  /**
   * Takes a message about a group, whose sender is verified.
   *
   * @throws {DecodeError} If it is malformed.
   * @throws {FabricError} `unauthenticated`; `refused` if the agent does not want to be in the group, or is not in it.
   */
  async receive(from: AgentId, bytes: Uint8Array): Promise<void> {
    const message = decodeGroupMessage(this.#options.crypto, bytes);
    const group = this.get(message.group);
    switch (message.kind) {
      case "invitation":
        return await this.#takeInvitation(from, message);
      case "key_package":
        return await this.#takeKeyPackage(from, message);
      case "welcome":
        return await this.#inTurn(() => this.#takeWelcome(from, message));
    }
    if (group) return await group.receive(from, bytes);
    const nowMs = this.#options.clock.wallTime();
    // The Welcome may come after what is said behind it.
    if (this.#joining.wait(message.group, from, bytes, nowMs)) return;
    this.unknown++;
    throw new FabricError("refused", "unknown_group");
  }

  /** Ends; everything goes on at the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.map((each) => each.close()));
  }

  async #takeInvitation(
    from: AgentId,
    { group, body }: ReceivedGroupMessage,
  ): Promise<void> {
    if (this.get(group)?.isMember) return;
    const rules = decodeRules(body);
    const { onInvitation, clock } = this.#options;
    const invitation = { group: group.slice(), from, rules };
    const isWanted = await onInvitation?.(invitation) ?? false;
    if (!isWanted) throw new FabricError("refused", "invitation");
    if (isWanted !== "later") return await this.#accept(invitation);
    const expiresAt = clock.wallTime() + INVITATION_MS;
    this.#joining.hold({ group, from, rules: body.slice() }, expiresAt);
  }

  async #accept({ group, from }: Invitation): Promise<void> {
    const { mls, agent, clock } = this.#options;
    this.#checkRoom();
    const fresh = await mls.createKeyPackage(agent);
    using secret = fresh.secret;
    // Who is asked twice says the same: the Welcome may be for what was said first. Who was a member says something new.
    using said = this.get(group)
      ? undefined
      : this.#joining.accepted(group, from);
    const { keyPackage } = said ?? fresh;
    if (!said) {
      this.#joining.accept(
        { group, from, keyPackage, secret: secret.expose() },
        clock.wallTime() + INVITATION_MS,
      );
    }
    await this.#say(from, "key_package", group, keyPackage);
    this.#joining.release(group, from);
  }

  async #takeKeyPackage(
    from: AgentId,
    { group: id, body: keyPackage }: ReceivedGroupMessage,
  ): Promise<void> {
    const group = this.get(id);
    if (!group || !this.#joining.isInvited(id, from)) {
      this.unknown++;
      throw new FabricError("refused", "not_invited");
    }
    await group.want({ kind: "add", agent: from, keyPackage });
    this.#joining.uninvite(id, from);
  }

  /** Takes one Welcome after the other: a second one to the same group must find what came of the first. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#welcoming.then(work);
    this.#welcoming = done.catch(() => {});
    return done;
  }

  async #takeWelcome(
    from: AgentId,
    message: ReceivedGroupMessage,
  ): Promise<void> {
    const { group: id } = message;
    using made = this.#joining.accepted(id, from);
    if (!made) {
      this.unknown++;
      throw new FabricError("refused", "not_invited");
    }
    const key = id.toHex();
    const known = this.#groups.get(key);
    const session = this.#sessions.get(key);
    if (session?.branches.get(message.at.toHex())) return;
    const joined = await readWelcome(this.#partsOf(id), from, message, made);
    if (session?.isReplaceableBy(from, joined) === false) return;
    if (known) {
      await known.run((session) => Promise.resolve(session.restart(joined)));
    }
    const group = known ?? this.#enter(joinGroup(this.#partsOf(id), joined));
    await group.run((session) => Promise.resolve(session.resume()));
    if (!known) this.#options.onJoined?.(group);
    for (const { from, bytes } of this.#joining.take(id)) {
      await group.receive(from, bytes);
    }
  }

  async #invite(group: Group, agent: AgentId): Promise<void> {
    const { clock } = this.#options;
    const expiresAt = clock.wallTime() + INVITATION_MS;
    this.#joining.invite(group.id, agent, expiresAt);
    await this.#say(agent, "invitation", group.id, encodeRules(group.rules));
  }

  async #say(
    to: AgentId,
    kind: "invitation" | "key_package",
    group: Bytes,
    body: Bytes,
  ): Promise<void> {
    const { agent, crypto, send } = this.#options;
    const at = foundingIdOf(crypto, group);
    const message = { kind, group, epoch: 0, at, body };
    await send(to, encodeGroupMessage(agent, message), "high");
  }

  #enter(session: GroupSession): Group {
    const { agent, mls, crypto, log, clock, send } = this.#options;
    const group = new Group({
      ...{ session, mls, crypto, log, clock, self: agent.id },
      invite: (group, agent) => this.#invite(group, agent),
      send: async (to, bytes, priority, lifetimeMs) => {
        try {
          await send(to, bytes, priority, lifetimeMs);
          return true;
        } catch (error) {
          if (!(error instanceof FabricError)) throw error;
          this.unsent++;
          return false;
        }
      },
    });
    const key = session.group.toHex();
    this.#groups.set(key, group);
    this.#sessions.set(key, session);
    this.#names.set(session.group, new Uint8Array());
    return group;
  }

  #partsOf(group: Bytes): GroupSessionOptions {
    const { agent, crypto, mls, random } = this.#options;
    const own = this.#storeOf(group);
    const { branches, times } = this.#options;
    return {
      ...{ agent, crypto, mls, group, random },
      rows: new GroupRows({
        ...{ crypto, mls, group },
        store: namespace(own, "rows"),
      }),
      evidence: new EvidenceLog(crypto, namespace(own, "evidence")),
      ...branches && { branches },
      ...times && { times },
    };
  }

  #storeOf(group: Bytes): Store {
    const all = namespace(this.#options.store, "group");
    return namespace(all, group.toHex());
  }

  #checkRoom(): void {
    if (this.#groups.size < (this.#options.maxGroups ?? MAX_GROUPS)) return;
    throw new FabricError("full", "There are as many groups as there may be");
  }
}
