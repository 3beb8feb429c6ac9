import { type Bytes, equal } from "../../core/bytes/mod.ts";
import type { AgentId } from "../identity/agent_id.ts";
import type { GroupEpoch } from "./group_branches.ts";
import type { GroupHistory } from "./group_history.ts";
import {
  decodeList,
  encodeList,
  type ReceivedGroupMessage,
} from "./group_message.ts";
import type { AckRow } from "./group_rows.ts";
import type { GroupTimes } from "./group_times.ts";
import type { Held } from "./held_epoch.ts";
import { encodeLineage } from "./lineage.ts";
import type { SessionMail } from "./session_mail.ts";
import type { GroupSessionOptions } from "./session_parts.ts";
import { LOST_NAME, type WayBack } from "./way_back.ts";

/** Most members that are asked within the pause in which one is not asked again: each may send all that we have not. */
const MAX_ASKED = 3;
/** Most of those that may be members of whom we have not heard. */
const MAX_ASKED_STRANGERS = 1;
/** Most names in a question, and commits in its answer. */
const MAX_NAMES = 128;
const EMPTY = new Uint8Array();

/** Who is behind asks another member what it has, and hears it. */
export class CatchUp {
  readonly #options: GroupSessionOptions;
  readonly #history: GroupHistory;
  readonly #mail: SessionMail;
  readonly #times: Pick<Required<GroupTimes>, "askMs" | "tipMs">;
  /** Who was asked, and until when it is not asked again. */
  readonly #asked = new Map<string, { untilMs: number; isKnown: boolean }>();
  /** Members who were told what the newest epoch is, and until when they are not told again. */
  readonly #told = new Map<string, number>();
  readonly #wayBack: WayBack;

  /** @param times - How long a member is not asked again, and how long it is of use to know what another one's newest epoch is. */
  constructor(
    options: GroupSessionOptions,
    history: GroupHistory,
    mail: SessionMail,
    wayBack: WayBack,
    times: Pick<Required<GroupTimes>, "askMs" | "tipMs">,
  ) {
    this.#options = options;
    this.#history = history;
    this.#mail = mail;
    this.#wayBack = wayBack;
    this.#times = times;
  }

  /** Says to so many members, drawn by chance, what the newest epoch is. */
  sayTip(count: number): void {
    const tip = this.#mail.message("tip", EMPTY);
    const { tipMs } = this.#times;
    this.#mail.send(this.#mail.draw(count), tip, "normal", tipMs);
  }

  /** Asks a member what comes behind what is here, unless it or enough others were asked lately. */
  ask(from: AgentId, nowMs: number): void {
    for (const [member, { untilMs }] of this.#asked) {
      if (untilMs <= nowMs) this.#asked.delete(member);
    }
    if (this.#asked.has(`${from}`) || this.#isBusy(from)) return;
    const untilMs = nowMs + this.#times.askMs;
    this.#asked.set(`${from}`, {
      untilMs,
      isKnown: this.#history.knows(from),
    });
    this.#wayBack.askedFor(from);
    const names = this.#history.names().slice(-MAX_NAMES);
    this.#mail.send(
      [from],
      this.#mail.message("ask", encodeList(names)),
      "high",
    );
  }

  /** Whether enough others were asked; strangers take no member's place. */
  #isBusy(from: AgentId): boolean {
    const isKnown = this.#history.knows(from);
    const same = [...this.#asked.values()].filter((each) =>
      each.isKnown === isKnown
    );
    return same.length >= (isKnown ? MAX_ASKED : MAX_ASKED_STRANGERS);
  }

  /** Says to a member what the newest epoch is, if it was not told lately: it is on a branch that lost. */
  tell(to: AgentId, nowMs: number): void {
    if ((this.#told.get(`${to}`) ?? -1) > nowMs) return;
    this.#told.set(`${to}`, nowMs + this.#times.askMs);
    const { tipMs } = this.#times;
    this.#mail.send([to], this.#mail.message("tip", EMPTY), "normal", tipMs);
  }

  /** Everything is anew. */
  reset(): void {
    this.#asked.clear();
    this.#told.clear();
  }

  /** A member says what its newest epoch is: whoever of us is behind hears what came meanwhile. */
  takeTip(from: AgentId, { at }: ReceivedGroupMessage, nowMs: number): void {
    const id = at.toHex();
    if (id === this.#history.tip.id) return;
    const { branches } = this.#history;
    if (!this.#history.has(id)) {
      this.#wayBack.follow(from, nowMs);
      return this.ask(from, nowMs);
    }
    const counts = new Set(this.#history.lineage.map(({ id }) => id));
    const fork = branches.pathTo(id).findLast(({ id }) => counts.has(id));
    const behind = this.#history.after([
      fork ? Uint8Array.fromHex(fork.id) : at,
    ]);
    this.#sendBehind(from, behind ?? [], !counts.has(id));
    // The members may have decided for its branch, and we not have heard it.
    if (!counts.has(id)) this.ask(from, nowMs);
  }

  /** A member asks what comes behind what it has; one that is far behind, or whose branch lost, is given a way in. */
  async takeAsk(
    from: AgentId,
    { body }: ReceivedGroupMessage,
    nowMs: number,
  ): Promise<void> {
    const names = this.#mail.decoded(() => decodeList(body, MAX_NAMES));
    if (!names) return;
    const isLost = equal(names[0]!, LOST_NAME);
    const behind = this.#history.after(names);
    const tip = names.at(-1)!.toHex();
    const isOnOurs = this.#history.lineage.some(({ id }) => id === tip);
    if (behind) this.#sendBehind(from, behind, !isOnOurs);
    if (isLost && isOnOurs) this.tell(from, nowMs);
    const { mls, members } = this.#history.tip.state;
    const isMember = members.some((each) => each.equals(from));
    // Who is on our branch and lost cannot follow a commit that was decided for.
    const isLeft = isLost && isMember &&
      behind?.some(({ isFinal }) => isFinal);
    if (behind && isOnOurs && !isLeft) return;
    if (!mls || this.#wayBack.isStopped) return;
    if (isMember) {
      if (behind && !isLost) return;
      const info = await this.#options.mls.groupInfo(mls);
      const { lineage, tip: { state } } = this.#history;
      const parts = [info, encodeLineage(lineage, state)];
      const bytes = this.#mail.message("info", encodeList(parts));
      return this.#mail.send([from], bytes, "high");
    }
    // Who was one may be on another branch, and not have heard that it was removed.
    if (!this.#history.knows(from) && !isLost) {
      return void this.#mail.counts.strangers++;
    }
    const bytes = this.#mail.message("info", encodeList([EMPTY]));
    this.#mail.send([from], bytes, "high");
  }

  /**
   * Sends commits to who was a member before them, and the decisions of members if they have decided. Who is on another branch has the
   * first commit whether it was a member or not: that is where the branches parted.
   */
  #sendBehind(
    to: AgentId,
    behind: readonly GroupEpoch<Held>[],
    isElsewhere: boolean,
  ): void {
    const byId = new Map(this.#history.lineage.map((each) => [each.id, each]));
    for (const [i, { parent, state }] of behind.slice(0, MAX_NAMES).entries()) {
      const { members } = byId.get(parent)?.state ?? state;
      if (state.commit.length === 0) continue;
      const isMember = members.some((each) => each.equals(to));
      if (!isMember && !(i === 0 && isElsewhere)) continue;
      this.#mail.send([to], state.commit, "high");
    }
    const final = behind.filter(({ isFinal }) => isFinal);
    const acks = final.length > 0 ? this.#options.rows.acks() : [];
    const decisions = new Map<string, Bytes>();
    // That the first is decided for shows where to go at the fork, that the last is shows it of all that lead to it.
    for (const each of new Set([...final.slice(0, 1), ...final.slice(-1)])) {
      const electors = byId.get(each.parent)?.electors ?? each.electors;
      const of = acks.filter(({ id }) => id === each.id);
      for (const signed of majorityOf(of, electors)) {
        decisions.set(signed.toHex(), signed);
      }
    }
    for (const signed of decisions.values()) {
      this.#mail.send([to], signed, "normal");
    }
  }
}

/** As many decisions as it takes, heaviest first. */
function majorityOf(
  acks: readonly AckRow[],
  electors: ReadonlyMap<string, number>,
): readonly Bytes[] {
  const weightOf = ({ member }: AckRow) => electors.get(`${member}`) ?? 0;
  const all = [...electors.values()].reduce((sum, each) => sum + each, 0);
  const taken: Bytes[] = [];
  let weight = 0;
  for (const ack of acks.toSorted((a, b) => weightOf(b) - weightOf(a))) {
    if (2 * weight > all) break;
    weight += weightOf(ack);
    taken.push(ack.signed);
  }
  return taken;
}
