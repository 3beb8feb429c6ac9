import { CliError } from "../_error.ts";
import type { Context } from "../_main.ts";
import type { ShownTally } from "../fabric/group/tally_text.ts";
import type { GroupMember, MemberStatus } from "./group_member.ts";
import { agree, makeGroup } from "./make_group.ts";
import { step } from "./step.ts";
import { until } from "./until.ts";

/** What a run came to. */
export interface GroupFigures {
  /** Each member's part of it. */
  readonly members: readonly {
    readonly name: string;
    /** Messages that it read. */
    readonly heard: number;
    /** The newest epoch that it is, or was, in. */
    readonly epoch: number;
    readonly isMember: boolean;
  }[];
  /** Messages that the member who was away heard when it was back, and bundles that brought them and a commit. */
  readonly away: { readonly messages: number; readonly bundles: number };
  /** What each member's signed ballots come to. */
  readonly vote: {
    readonly for: number;
    readonly against: number;
    readonly total: number;
    readonly isPassed: boolean;
  };
}

const COUNT = 10;
const VOTE_MS = 300_000;

/** Three agents and what happens to their groups; each part checks what came of it. */
export class GroupStory {
  readonly #alice: GroupMember;
  readonly #bob: GroupMember;
  readonly #cat: GroupMember;
  readonly #all: readonly GroupMember[];
  readonly #context: Context;

  /** @param all - Alice, Bob and Cat, who know each other. */
  constructor(all: readonly GroupMember[], context: Context) {
    this.#all = all;
    [this.#alice, this.#bob, this.#cat] = all as readonly [
      GroupMember,
      GroupMember,
      GroupMember,
    ];
    this.#context = context;
  }

  /**
   * Lets it happen.
   *
   * @throws {CliError} `failed` if something is not as it should be.
   */
  async run(): Promise<GroupFigures> {
    await makeGroup(this.#all, "team", { kind: "open" }, this.#context);
    await using bobs = await this.#bob.read("team");
    const away = await this.#beAway();
    await this.#hears("Bob", bobs.numbers, 2 * COUNT);
    const vote = await this.#vote();
    await this.#remove();
    await this.#hears("Bob", bobs.numbers, 3 * COUNT);
    const members = await Promise.all(this.#all.map(async (each) => {
      const { epoch, isMember, counts } = await each.group("team");
      return { name: each.name, heard: counts.read!, epoch, isMember };
    }));
    const [, , cat] = members;
    if (cat!.heard !== 2 * COUNT || cat!.isMember) {
      throw new CliError("failed", "Cat heard what it should not have");
    }
    step(
      this.#context,
      `Cat is removed, hears none of ${COUNT} more, and can publish none`,
    );
    return { members, away, vote };
  }

  /** Cat is away while the others talk and renew keys, and hears it all by bundles. */
  async #beAway(): Promise<GroupFigures["away"]> {
    const paths = this.#all.map(({ place }) => place.path);
    await this.#cat.crash();
    await this.#alice.publish("team", 0, COUNT);
    await this.#bob.do("/group/renew", { group: "team" });
    await until(
      "Alice has Bob's new keys",
      () => Promise.all([this.#alice.group("team"), this.#bob.group("team")]),
      ([a, b]) => a.authenticator === b.authenticator,
      this.#context.signal,
    );
    await this.#alice.publish("team", COUNT, 2 * COUNT);
    step(
      this.#context,
      `Alice publishes ${
        2 * COUNT
      } numbers and Bob renews his keys after Cat's node was killed`,
    );
    for (const each of paths) each.cut();
    await this.#cat.start();
    await using cats = await this.#cat.read("team");
    await this.#hears("Cat", cats.numbers, 2 * COUNT);
    const epoch = await agree(this.#all, "team", this.#context.signal);
    const { bundles, links } = await this.#cat.get<MemberStatus>("/status");
    if (links > 0) throw new CliError("failed", "Cat was reached live");
    step(
      this.#context,
      `Cat is back, reached by bundles alone, hears all of them once, and is in epoch ${epoch} too`,
    );
    for (const each of paths) each.mend();
    return { messages: cats.numbers.length, bundles: bundles.received };
  }

  /** All vote; each one's signed ballots come to the same. */
  async #vote(): Promise<GroupFigures["vote"]> {
    const { signal } = this.#context;
    const rules = { kind: "vote", weights: { [this.#cat.name]: 2 } };
    await makeGroup(this.#all, "board", rules, this.#context);
    const proposal = { text: "Meet again", timeoutMs: VOTE_MS };
    const { vote } = await this.#alice.do<ShownTally>(
      ...["/group/propose", { group: "board" }, proposal] as const,
    );
    const choices = ["for", "against", "for"] as const;
    for (const [i, member] of this.#all.entries()) {
      await until(
        `${member.name} has the proposal`,
        () => member.get<unknown[]>("/group/votes", { group: "board" }),
        ({ length }) => length > 0,
        signal,
      );
      const query = { group: "board", vote, choice: choices[i]! };
      await member.do("/group/cast", query);
    }
    const tallies = await until(
      "all have the ballots",
      () => Promise.all(this.#all.map((each) => each.tally("board", vote))),
      (all) =>
        all.every(({ weights, total }) =>
          weights.for + weights.against === total
        ),
      signal,
    );
    for (const { weights, total, isPassed } of tallies) {
      if (weights.for === 3 && total === 4 && isPassed) continue;
      throw new CliError("failed", "A tally is not what was voted");
    }
    step(
      this.#context,
      "all vote, and the signed ballots that each member has come to 3 of 4 for it",
    );
    return { for: 3, against: 1, total: 4, isPassed: true };
  }

  /** Cat is removed, and Alice goes on. */
  async #remove(): Promise<void> {
    const query = { group: "team", member: this.#cat.name };
    await this.#alice.do("/group/remove", query);
    await until(
      "Cat is no member any more",
      () => this.#cat.group("team"),
      ({ isMember }) => !isMember,
      this.#context.signal,
    );
    await this.#alice.publish("team", 2 * COUNT, 3 * COUNT);
    try {
      await this.#cat.publish("team", 0, 1);
    } catch (error) {
      if (error instanceof CliError) return;
      throw error;
    }
    throw new CliError("failed", "Cat published something after its removal");
  }

  /** Waits until the numbers below `count` came, each once. */
  async #hears(
    who: string,
    numbers: readonly number[],
    count: number,
  ): Promise<void> {
    await until(
      `${who} hears ${count} messages`,
      () => numbers.length,
      (length) => length >= count,
      this.#context.signal,
    );
    const sorted = [...numbers].sort((a, b) => a - b);
    if (numbers.length === count && sorted.every((n, i) => n === i)) return;
    throw new CliError("failed", `${who} heard ${numbers.join(", ")}`);
  }
}
