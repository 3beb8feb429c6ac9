import type { Bytes } from "../../core/bytes/mod.ts";
import { FabricError } from "../error.ts";
import type { AgentId } from "../identity/agent_id.ts";
import type { GroupHistory } from "./group_history.ts";
import type { ReceivedGroupMessage } from "./group_message.ts";
import type { GroupRows, SentRow } from "./group_rows.ts";
import type { Held } from "./held_epoch.ts";
import { publishFault } from "./kind_rules.ts";
import {
  decodePublished,
  encodePublished,
  type PublishedMessage,
} from "./published_message.ts";
import type { SessionMail } from "./session_mail.ts";
import type { GroupSessionOptions } from "./session_parts.ts";

/** Most messages that wait for a handler. */
const MAX_DUE = 10_000;
/** Most messages that are kept to be sent again if their epoch loses. */
const MAX_SENT = 1_024;

/** What members publish: read once whatever branches it was published on, and published again where its branch lost. */
export class Publications {
  readonly #options: GroupSessionOptions;
  readonly #history: GroupHistory;
  readonly #mail: SessionMail;
  readonly #seenMs: number;
  readonly #sent: Map<string, SentRow>;
  readonly #seen = new Set<string>();
  #due: number;
  /** Messages that no handler has had. */
  #waiting: number;

  /** @param seenMs - How long the names of messages that were read are remembered. */
  constructor(
    options: GroupSessionOptions,
    history: GroupHistory,
    mail: SessionMail,
    seenMs: number,
  ) {
    this.#options = options;
    this.#history = history;
    this.#mail = mail;
    this.#seenMs = seenMs;
    this.#sent = options.rows.sent();
    const due = options.rows.due();
    this.#due = 1 + (due.at(-1)?.sequence ?? -1);
    this.#waiting = due.length;
  }

  /** What no handler has had. */
  due(): ReturnType<GroupRows["due"]> {
    return this.#options.rows.due();
  }

  /** A handler is done with what was due. */
  handled(sequence: number): void {
    this.#options.rows.deleteDue(sequence);
    this.#waiting--;
  }

  /** What is read is stored. */
  stored(): void {
    this.#seen.clear();
  }

  /**
   * Publishes a message to the members of the newest epoch.
   *
   * @throws {FabricError} `group_member` if the agent is none; `refused` if the rules of the group do not allow it.
   */
  async publish(message: PublishedMessage): Promise<void> {
    const { agent } = this.#options;
    const { rules } = this.#history.tip.state;
    const fault = publishFault(rules, agent.id, message);
    if (fault) {
      throw new FabricError("refused", `The group does not allow it: ${fault}`);
    }
    await this.#send(encodePublished(message), message);
  }

  /** Publishes again what was published in epochs that lost. */
  async publishAgain(): Promise<void> {
    const { branches } = this.#history;
    for (const [id, { at, message }] of [...this.#sent]) {
      const isSettled = this.#history.past(at) !== undefined;
      if (!isSettled && branches.isCanonical(at)) continue;
      this.#sent.delete(id);
      this.#options.rows.deleteSent(id);
      if (isSettled || !this.#history.tip.state.mls) continue;
      await this.#send(message, decodePublished(message));
    }
  }

  /** Takes what a member published; `false` if the epoch that it is in is not here yet. */
  async take(
    { at, epoch, body }: ReceivedGroupMessage,
    nowMs: number,
  ): Promise<boolean> {
    const { mls } = this.#options;
    const { counts } = this.#mail;
    const { branches } = this.#history;
    const key = at.toHex();
    const held = branches.get(key)?.state;
    if (!held) {
      if (epoch > branches.root.epoch) return false;
      counts.tooOld++;
      return true;
    }
    const { mls: state } = held;
    if (!state) {
      counts.unwelcome++;
      return true;
    }
    if (!branches.isCanonical(key)) counts.fromDeadBranch++;
    const done = await this.#mail.tried(() => mls.process(state, body));
    if (!done) return true;
    if (done.kind !== "application") {
      counts.invalid++;
      return true;
    }
    this.#history.advance(key, done.state);
    this.#read(done.sender, done.data, held, epoch, nowMs);
    return true;
  }

  #read(
    sender: AgentId,
    data: Bytes,
    { rules }: Held,
    epoch: number,
    nowMs: number,
  ): void {
    const { rows } = this.#options;
    const { counts } = this.#mail;
    const message = this.#mail.decoded(() => decodePublished(data));
    if (!message) return;
    // Who was removed on the branch that counts says nothing any more on others.
    const { members } = this.#history.tip.state;
    const isMember = members.some((each) => each.equals(sender));
    if (!isMember || publishFault(rules, sender, message)) {
      return void counts.unwelcome++;
    }
    const seen = `${sender}${message.id.toHex()}`;
    if (this.#seen.has(seen) || rows.isSeen(sender, message.id)) {
      return void counts.copiesRead++;
    }
    if (this.#waiting >= MAX_DUE) return void counts.full++;
    this.#waiting++;
    this.#seen.add(seen);
    rows.setSeen(sender, message.id, nowMs + this.#seenMs);
    const sequence = this.#due++;
    const row = { sequence, from: sender, epoch, message: data };
    rows.addDue(row);
    counts.read++;
    this.#mail.say({ kind: "due", row });
  }

  async #send(data: Bytes, { id, priority }: PublishedMessage): Promise<void> {
    const { mls, rows } = this.#options;
    const { id: at, state: { mls: state, members } } = this.#history.tip;
    if (!state) {
      throw new FabricError("group_member", "Not a member of the group");
    }
    const { state: next, message } = await mls.encrypt(state, data);
    this.#history.advance(at, next);
    const bytes = this.#mail.message("application", message);
    if (this.#sent.size < MAX_SENT) {
      this.#sent.set(id.toHex(), { at, message: data });
      rows.setSent(id.toHex(), { at, message: data });
    }
    this.#mail.send(members, bytes, priority);
  }
}
