import type { AgentId } from "../identity/agent_id.ts";
import { epochIdOf } from "./commit_rank.ts";
import { BRANCH_LIMITS } from "./group_branches.ts";
import type { GroupHistory } from "./group_history.ts";
import {
  decodeList,
  encodeGroupMessage,
  encodeList,
  type ReceivedGroupMessage,
} from "./group_message.ts";
import { isAdmin } from "./group_rules.ts";
import type { GroupTimes } from "./group_times.ts";
import type { GroupSessionOptions } from "./session_parts.ts";
import type { JoinedEpoch } from "./group_start.ts";
import { beforeOf, epochOf, heldOf } from "./held_epoch.ts";
import type { SessionMail } from "./session_mail.ts";

/** Most names in a question, and commits in its answer. */
const MAX_NAMES = 128;
const EMPTY = new Uint8Array();

/** Who is behind asks another member what it has, and hears it; who is too far behind, or on a branch that lost, comes back anew. */
export class CatchUp {
  /** Whether the branch here lost against one that split from it before what is kept, and a way back is looked for. */
  isHealing = false;
  readonly #options: GroupSessionOptions;
  readonly #history: GroupHistory;
  readonly #mail: SessionMail;
  readonly #times: Pick<Required<GroupTimes>, "askMs" | "tipMs">;
  /** Members who were asked, and until when they are not asked again. */
  readonly #asked = new Map<string, number>();

  /** @param times - How long a member is not asked again, and how long it is of use to know what another one's newest epoch is. */
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
  }

  /** Says to so many members, drawn by chance, what the newest epoch is. */
  sayTip(count: number): void {
    const tip = this.#mail.message("tip", EMPTY);
    const { tipMs } = this.#times;
    this.#mail.send(this.#mail.draw(count), tip, "normal", tipMs);
  }

  /** Asks a member what comes behind what is here. */
  ask(from: AgentId, nowMs: number): void {
    if ((this.#asked.get(`${from}`) ?? -1) > nowMs) return;
    this.#ask(from, this.#history.names().slice(-MAX_NAMES), nowMs);
  }

  /** Our branch lost: asks a member for a way in, by a name that nobody knows. */
  heal(from: AgentId, nowMs: number): void {
    this.isHealing = true;
    this.#ask(from, [new Uint8Array(32)], nowMs);
  }

  /** Everything is anew. */
  reset(): void {
    this.isHealing = false;
    this.#asked.clear();
  }

  /** A member says what its newest epoch is: whoever of us is behind hears what came meanwhile. */
  takeTip(from: AgentId, { at }: ReceivedGroupMessage, nowMs: number): void {
    const id = at.toHex();
    if (id === this.#history.tip.id) return;
    const { branches } = this.#history;
    if (this.isHealing) return this.heal(from, nowMs);
    if (!branches.get(id) && !this.#history.past(id)) {
      return this.ask(from, nowMs);
    }
    const counts = new Set(this.#history.lineage.map(({ id }) => id));
    const fork = branches.pathTo(id).findLast(({ id }) => counts.has(id));
    this.#sendBehind(from, [fork ? Uint8Array.fromHex(fork.id) : at]);
  }

  /** A member asks what comes behind what it has. */
  async takeAsk(from: AgentId, { body }: ReceivedGroupMessage): Promise<void> {
    const names = this.#mail.decoded(() => decodeList(body, MAX_NAMES));
    if (!names || this.#sendBehind(from, names)) return;
    const { mls, members } = this.#history.tip.state;
    if (!mls || !members.some((each) => each.equals(from))) {
      return void this.#mail.counts.strangers++;
    }
    const info = await this.#options.mls.groupInfo(mls);
    const bytes = this.#mail.message("info", encodeList([info]));
    this.#mail.send([from], bytes, "high");
  }

  /**
   * A way in: comes back by a commit of our own, if our branch has lost or we are too far behind to hear the rest.
   *
   * @returns The epoch that it begins, and the commit for its members.
   */
  async takeInfo(
    from: AgentId,
    { signer, at, epoch, body }: ReceivedGroupMessage,
  ): Promise<
    JoinedEpoch & { readonly commit: Uint8Array<ArrayBuffer> } | undefined
  > {
    const { counts } = this.#mail;
    const { mls, agent, group, crypto, branches } = this.#options;
    const { epoch: newest, state: { rules, members } } = this.#history.tip;
    const maxEpochs = branches?.maxEpochs ?? BRANCH_LIMITS.maxEpochs;
    const isTrusted = members.some((each) => each.equals(from)) &&
      (!rules.isAdminOnlyAdd || isAdmin(rules, from));
    if (
      !signer!.equals(from) || !this.#asked.delete(`${from}`) || !isTrusted ||
      !(this.isHealing || epoch > newest + maxEpochs) ||
      this.#history.branches.get(at.toHex())
    ) return void counts.strangers++;
    const [info] = this.#mail.decoded(() => decodeList(body, 1)) ?? [];
    if (!info) return undefined;
    const made = await mls.createKeyPackage(agent);
    using _secret = made.secret;
    const joined = await this.#mail.tried(() => mls.joinExternal(info, made));
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
    if (!held) return undefined;
    const name = {
      ...{ group, parent: at, epoch: epoch + 1 },
      id: epochIdOf(crypto, at, commit),
      isByAdmin: isAdmin(held.rules, agent.id),
    };
    return {
      oldest: epochOf(crypto, name, held),
      before: beforeOf(crypto, { group, at, epoch }, held),
      commit: bytes,
    };
  }

  #ask(
    from: AgentId,
    names: readonly Uint8Array<ArrayBuffer>[],
    nowMs: number,
  ): void {
    this.#asked.set(`${from}`, nowMs + this.#times.askMs);
    const bytes = this.#mail.message("ask", encodeList(names));
    this.#mail.send([from], bytes, "high");
  }

  /**
   * Sends the commits behind the newest of `names` that counts to who was a member before them, and the decisions of members if they
   * have decided; `false` if none counts.
   */
  #sendBehind(to: AgentId, names: readonly Uint8Array[]): boolean {
    const behind = this.#history.after(names);
    if (!behind) return false;
    const byId = new Map(this.#history.lineage.map((each) => [each.id, each]));
    for (const { parent, state } of behind.slice(0, MAX_NAMES)) {
      const { members } = byId.get(parent)?.state ?? state;
      if (state.commit.length === 0) continue;
      if (!members.some((each) => each.equals(to))) continue;
      this.#mail.send([to], state.commit, "high");
    }
    const final = behind.filter(({ isFinal }) => isFinal).map(({ id }) => id);
    const acks = final.length === 0 ? [] : this.#options.rows.acks();
    const decisions = new Map(
      acks.filter(({ id }) => final.includes(id)).map(({ signed }) => [
        signed.toHex(),
        signed,
      ]),
    );
    for (const signed of decisions.values()) {
      this.#mail.send([to], signed, "normal");
    }
    return true;
  }
}
