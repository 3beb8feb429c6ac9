import type { Bytes } from "../../core/bytes/mod.ts";
import type { AgentId } from "../identity/agent_id.ts";
import { epochIdOf } from "./commit_rank.ts";
import { BRANCH_LIMITS, type GroupEpoch } from "./group_branches.ts";
import type { GroupHistory } from "./group_history.ts";
import {
  decodeList,
  encodeGroupMessage,
  encodeList,
  type ReceivedGroupMessage,
} from "./group_message.ts";
import { isAdmin } from "./group_rules.ts";
import type { JoinedEpoch } from "./group_start.ts";
import type { GroupTimes } from "./group_times.ts";
import { epochOf, type Held, heldOf } from "./held_epoch.ts";
import { decodeLineage } from "./lineage.ts";
import type { LostFork } from "./old_forks.ts";
import type { SessionMail } from "./session_mail.ts";
import type { GroupSessionOptions } from "./session_parts.ts";

/** A way in that was taken: the epoch that it begins, and the commit for its members. */
export interface Return extends JoinedEpoch {
  /** As it was signed. */
  readonly commit: Bytes;
}

/** The first name in a question of one whose branch lost: that of no epoch. */
export const LOST_NAME: Bytes = new Uint8Array(32);

/** Most names in a question. */
const MAX_NAMES = 128;
/** Most members of other branches that are remembered, to be asked first. */
const MAX_GUIDES = 8;
/** Members that must say that we are none, of those that are asked. */
const REFUSALS = 2;
/** Most doublings of the pause between questions. */
const MAX_DOUBLINGS = 6;

/**
 * The way back of a member whose branch lost before what it keeps whole: it asks members, one at a time, for a GroupInfo of the other
 * branch and comes back by an external commit, if it is a member there. If it is none it waits for a Welcome.
 */
export class WayBack {
  readonly #options: GroupSessionOptions;
  readonly #history: GroupHistory;
  readonly #mail: SessionMail;
  readonly #times: Pick<Required<GroupTimes>, "askMs" | "tipMs">;
  readonly #asked = new Set<string>();
  /** Who said that we are none, and what our newest epoch was then. */
  readonly #refused = new Map<string, string>();
  #guides: AgentId[] = [];
  #lost: LostFork | undefined;
  #isOut: boolean;
  #attempts = 0;
  #askAtMs: number | undefined;
  #lostAtMs = 0;

  /** @param times - The first pause between questions, and the longest. */
  constructor(
    options: GroupSessionOptions,
    history: GroupHistory,
    mail: SessionMail,
    times: Pick<Required<GroupTimes>, "askMs" | "tipMs">,
  ) {
    this.#options = options;
    this.#history = history;
    this.#mail = mail;
    this.#times = times;
    this.#lost = options.rows.out();
    this.#isOut = this.#lost !== undefined;
  }

  /** Whether our branch lost by what members decided: nothing that is done on it is of use. */
  get isStopped(): boolean {
    return this.#lost?.isDecided ?? false;
  }

  /** Whether our branch lost, and a way back is looked for. */
  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** Whether other members say that we are none where they are. */
  get isOut(): boolean {
    return this.#isOut;
  }

  /** When {@link tick} asks again. */
  get nextMs(): number | undefined {
    return this.#askAtMs;
  }

  /** Our branch lost, or did not as is known now; who is out waits for a way in whatever it hears. */
  set(lost: LostFork | undefined, nowMs: number): void {
    if (this.#isOut) return;
    const isSame = lost?.ours === this.#lost?.ours;
    this.#lost = lost;
    if (isSame) return;
    this.#refused.clear();
    this.#askAtMs = undefined;
    if (!lost) return;
    const { tipMs } = this.#times;
    if (nowMs - this.#lostAtMs > 4 * tipMs) this.#attempts = 0;
    this.#lostAtMs = nowMs;
    this.#pause(nowMs);
  }

  /** A member seems to be on another branch: it is asked first. */
  follow(guide: AgentId, nowMs: number): void {
    if (!this.#history.knows(guide)) return;
    const others = this.#guides.filter((each) => !each.equals(guide));
    this.#guides = [guide, ...others].slice(0, MAX_GUIDES);
    if (this.#isOut && this.#askAtMs === undefined) this.#pause(nowMs);
  }

  /** A member speaks from our branch behind where it lost, and to members alone: whoever said that we are none may be wrong. */
  hear(from: AgentId, at: Uint8Array, nowMs: number): void {
    if (!this.#isOut || !this.#lost || !this.#history.knows(from)) return;
    const { number } = this.#lost;
    const spoken = this.#history.lineage.find(({ id }) => id === at.toHex());
    if (!spoken || spoken.epoch < number) return;
    this.#isOut = false;
    this.#refused.clear();
    this.#options.rows.setOut(undefined);
    this.#pause(nowMs);
  }

  /** Asks the next member, if it is time. */
  tick(nowMs: number): void {
    if (!this.#lost || this.#askAtMs === undefined || this.#askAtMs > nowMs) {
      return;
    }
    const guide = this.#guides.shift() ?? this.#mail.draw(1)[0];
    this.#attempts++;
    // Who is none is asked to ask again by those who think that it is one.
    if (this.#isOut) this.#askAtMs = undefined;
    else this.#pause(nowMs);
    if (!guide) return;
    const names = this.#history.names().slice(1 - MAX_NAMES);
    const bytes = this.#mail.message("ask", encodeList([LOST_NAME, ...names]));
    this.#asked.add(`${guide}`);
    this.#mail.send([guide], bytes, "high");
  }

  /** It was asked, too far behind to hear the rest. */
  askedFor(guide: AgentId): void {
    this.#asked.add(`${guide}`);
  }

  /** Whether a lineage, oldest first, goes another way than ours did where it lost. */
  leadsBack(lineage: readonly GroupEpoch<Held>[]): boolean {
    const { number, ours } = this.#lost ?? {};
    const there = lineage.find(({ epoch }) => epoch === number);
    return there === undefined || there.id !== ours;
  }

  /** We are elsewhere now. */
  reset(): void {
    this.#lost = undefined;
    this.#isOut = false;
    this.#askAtMs = undefined;
    this.#asked.clear();
    this.#refused.clear();
    this.#guides = [];
    this.#options.rows.setOut(undefined);
  }

  /** An answer: a way in, or that there is none. Gives it if it was taken. */
  async takeInfo(
    from: AgentId,
    { signer, at, epoch, body }: ReceivedGroupMessage,
  ): Promise<Return | undefined> {
    const { counts } = this.#mail;
    if (!signer!.equals(from) || !this.#asked.delete(`${from}`)) {
      return void counts.strangers++;
    }
    const parts = this.#mail.decoded(() => decodeList(body, 2));
    if (!parts) return undefined;
    const [info, told] = parts;
    if (!told) return this.#refuse(from);
    const { mls, agent, group, crypto, branches } = this.#options;
    const { epoch: newest, state: { rules } } = this.#history.tip;
    const maxEpochs = branches?.maxEpochs ?? BRANCH_LIMITS.maxEpochs;
    const isTrusted = this.#history.knows(from) &&
      (!rules.isAdminOnlyAdd || isAdmin(rules, from));
    const isOf = this.isLost || epoch > newest + maxEpochs;
    if (!isTrusted || !isOf || this.#history.has(at.toHex())) {
      return void counts.strangers++;
    }
    const made = await mls.createKeyPackage(agent);
    using _secret = made.secret;
    const joined = await this.#mail.tried(() => mls.joinExternal(info!, made));
    if (!joined) return undefined;
    const { state, commit } = joined;
    if (
      state.groupId.toHex() !== group.toHex() ||
      Number(state.epoch) !== epoch + 1
    ) return void counts.invalid++;
    const bytes = encodeGroupMessage(agent, {
      ...{ kind: "commit", group, epoch, at, body: commit },
    });
    const held = this.#mail.decoded(() => heldOf(state, agent.id, bytes));
    const past = held &&
      this.#mail.decoded(() => decodeLineage(crypto, group, told, epoch, held));
    const before = past?.at(-1);
    if (!held || !before) return undefined;
    const isMember = before.state.members.some((each) => each.equals(agent.id));
    const isElsewhere = this.isLost
      ? this.leadsBack(past!)
      : past!.every(({ id }) => !this.#history.has(id));
    if (before.id !== at.toHex() || !isMember) return void counts.invalid++;
    // Where we are members is our own branch: what we missed comes as commits.
    if (this.isLost && !isElsewhere) this.reset();
    if (!isElsewhere) return undefined;
    const name = {
      ...{ group, parent: at, epoch: epoch + 1 },
      id: epochIdOf(crypto, at, commit),
      isByAdmin: isAdmin(before.state.rules, agent.id),
    };
    return { oldest: epochOf(crypto, name, held), past: past!, commit: bytes };
  }

  #refuse(from: AgentId): undefined {
    const { id, epoch, isFinal, state: { members } } = this.#history.tip;
    // What most members decided for is not for two of them to say.
    if (!this.#history.knows(from) || (!this.#lost && isFinal)) return;
    this.#refused.set(`${from}`, id);
    const count = [...this.#refused.values()].filter((each) => each === id);
    if (count.length < Math.min(REFUSALS, members.length - 1)) return;
    this.#lost ??= { number: epoch, ours: id, isDecided: false };
    this.#isOut = true;
    this.#askAtMs = undefined;
    this.#options.rows.setOut(this.#lost);
  }

  /** The next question: the pause doubles with each that led nowhere, and is drawn by chance. */
  #pause(nowMs: number): void {
    const { askMs, tipMs } = this.#times;
    const doubled = askMs * 2 ** Math.min(this.#attempts, MAX_DOUBLINGS);
    const pauseMs = Math.min(doubled, Math.max(askMs, tipMs));
    const { random } = this.#options;
    this.#askAtMs = nowMs + Math.round(pauseMs * random());
  }
}
