import { decodeAcks, encodeAcks } from "./epoch_acks.ts";
import type { GroupHistory } from "./group_history.ts";
import type { ReceivedGroupMessage } from "./group_message.ts";
import type { OldForks } from "./old_forks.ts";
import type { SessionMail } from "./session_mail.ts";
import type { GroupSessionOptions } from "./session_parts.ts";

/** Most decisions that are known again before their signatures are verified. */
const MAX_TAKEN = 2_048;

/** What members have decided for, this one once for each number of an epoch. */
export class EpochDecisions {
  readonly #options: GroupSessionOptions;
  readonly #history: GroupHistory;
  readonly #mail: SessionMail;
  readonly #forks: OldForks;
  readonly #locks: Map<number, string>;
  /** Hashes of what was taken last. */
  readonly #taken = new Set<string>();

  /** Goes on with what is stored. */
  constructor(
    options: GroupSessionOptions,
    history: GroupHistory,
    mail: SessionMail,
    forks: OldForks,
  ) {
    this.#options = options;
    this.#history = history;
    this.#mail = mail;
    this.#forks = forks;
    this.#locks = options.rows.locks();
  }

  /** Everything is anew, but that no number is decided for twice. */
  reset(): void {
    this.#taken.clear();
  }

  /** Decides for the epochs that count and that nothing was decided about. */
  decide(): void {
    const { rows, agent } = this.#options;
    const { branches, tip } = this.#history;
    const path = branches.path().slice(1);
    const news = path.filter(({ epoch }) => !this.#locks.has(epoch));
    if (news.length === 0) return;
    const bytes = this.#mail.message("ack", encodeAcks(news));
    for (const { epoch, id } of news) {
      this.#locks.set(epoch, id);
      rows.setLock(epoch, id);
      const row = { id, epoch, member: agent.id, signed: bytes };
      this.#history.acknowledge(row);
    }
    this.#mail.send(tip.state.members, bytes, "low");
    for (const epoch of this.#locks.keys()) {
      if (epoch <= branches.root.epoch) this.#locks.delete(epoch);
    }
  }

  /** Whether bytes are a copy of decisions that were taken: members that are asked send the same ones. */
  isCopy(bytes: Uint8Array): boolean {
    return this.#taken.size > 0 && this.#taken.has(this.#hash(bytes));
  }

  /** Takes decisions of another member. */
  take(
    { signer, body }: ReceivedGroupMessage,
    bytes: Uint8Array,
    nowMs: number,
  ): void {
    const { branches } = this.#history;
    const acks = this.#mail.decoded(() => decodeAcks(body));
    const signed = bytes.slice();
    if (!this.#history.knows(signer!)) {
      return void this.#mail.counts.strangers++;
    }
    for (const { epoch, id } of acks ?? []) {
      if (!this.#history.has(id)) this.#forks.addDecision(id, epoch, signer!);
      const isNews = this.#history.acknowledge({
        ...{ id, epoch, signed },
        member: signer!,
      });
      if (!isNews || branches.ackedBy(`${signer}`, epoch).length < 2) continue;
      const first = this.#options.rows.acks().find((each) =>
        each.epoch === epoch && each.member.equals(signer!) && each.id !== id
      );
      const proofs = first ? [first.signed, signed] : [signed];
      this.#mail.accuse("double_ack", signer!, nowMs, ...proofs);
    }
    // What is about epochs that come later may be of use when it comes again.
    const isPast = acks?.every(({ epoch }) => epoch <= branches.tip.epoch);
    if (isPast) this.#remember(signed);
  }

  #remember(bytes: Uint8Array): void {
    this.#taken.add(this.#hash(bytes));
    if (this.#taken.size <= MAX_TAKEN) return;
    for (const oldest of this.#taken) {
      this.#taken.delete(oldest);
      return;
    }
  }

  #hash(bytes: Uint8Array): string {
    return this.#options.crypto.hash("sha256", bytes).toHex();
  }
}
