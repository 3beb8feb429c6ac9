import type { Fabric } from "../agent/fabric.ts";
import { FabricError } from "../error.ts";
import type { Group } from "../group/group.ts";
import type { Groups } from "../group/groups.ts";
import type { Votes } from "../group/votes.ts";
import { GroupFeed } from "./group_feed.ts";

interface Entered {
  readonly feed: GroupFeed;
  /** Absent if the group is of another kind. */
  readonly votes: Votes | undefined;
}

/** The groups of an agent, as the applications of this machine meet them: votes are counted whether one of them looks or not. */
export class AgentGroups implements AsyncDisposable {
  readonly #groups: Groups;
  readonly #entered = new Map<string, Entered>();

  /**
   * Enters the groups that the agent is in; {@link enter} others as it joins them.
   *
   * @throws {TypeError} If the agent was made without groups.
   */
  constructor({ groups }: Pick<Fabric, "groups">) {
    this.#groups = groups;
    for (const group of groups.all) this.enter(group);
  }

  /** The groups. */
  get groups(): Groups {
    return this.#groups;
  }

  /** The votes of every group that holds some. */
  get held(): readonly Votes[] {
    return [...this.#entered.values()].flatMap(({ votes }) => votes ?? []);
  }

  /** The agent is in a group now. */
  enter(group: Group): void {
    this.#in(group);
  }

  /** What members publish in a group. */
  feed(group: Group): GroupFeed {
    return this.#in(group).feed;
  }

  /**
   * The votes of a group.
   *
   * @throws {FabricError} `refused` if it is of another kind.
   */
  votes(group: Group): Votes {
    const { votes } = this.#in(group);
    if (votes) return votes;
    const { kind } = group.rules;
    const text = `Votes are held in groups of kind vote: this one is ${kind}`;
    throw new FabricError("refused", text);
  }

  /** Forgets a group and erases all that is kept of it. */
  async forget(group: Group): Promise<void> {
    const key = group.id.toHex();
    const entered = this.#entered.get(key);
    this.#entered.delete(key);
    if (entered) await leave(entered);
    await this.#groups.forget(group.id);
  }

  /** Applications follow no more, and votes are not counted until the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#entered.values()];
    this.#entered.clear();
    await Promise.all(all.map(leave));
  }

  #in(group: Group): Entered {
    const key = group.id.toHex();
    const known = this.#entered.get(key);
    if (known) return known;
    // Before the feed: whoever follows is shown what was counted.
    const votes = group.rules.kind === "vote"
      ? this.#groups.votes(group)
      : undefined;
    const entered = { feed: new GroupFeed(group), votes };
    this.#entered.set(key, entered);
    return entered;
  }
}

async function leave({ feed, votes }: Entered): Promise<void> {
  feed[Symbol.dispose]();
  await votes?.[Symbol.asyncDispose]();
}
