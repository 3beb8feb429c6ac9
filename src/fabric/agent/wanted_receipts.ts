import { BoundedMap } from "../bounded_map.ts";
import type { AgentId } from "../identity/agent_id.ts";
import type { Receipt } from "../receipt/receipt.ts";

interface Wanted {
  readonly to: AgentId;
  /** Signatures that are still kept: that it was delivered, and what became of it in the end. */
  left: { delivered: number; end: number };
}

/** Messages whose receipts are wanted, the newest, besides those that wait in the outbox. */
const MAX_WANTED = 65_536;
/** Signatures about one message that say the same kind of thing, as copies of it may have had them signed again. */
const MAX_SIGNATURES = 4;
/** Receipts under one signature are kept if they are short, or this part of them is wanted. */
const SHORT_BYTES = 4_096;
const LEAST_PART = 1 / 16;

/** Says which receipts that came are worth keeping: nobody signs without end about a message of ours, or about others' beside it. */
export class WantedReceipts {
  /** Receipts about no message of ours to who signed them. */
  foreign = 0;
  /** Receipts that say once more what is kept, or are lost among foreign ones. */
  surplus = 0;
  readonly #wanted = new BoundedMap<Wanted>(MAX_WANTED);

  /** Receipts of `to` about a message are wanted. */
  expect(id: Uint8Array, to: AgentId): void {
    const left = { delivered: MAX_SIGNATURES, end: MAX_SIGNATURES };
    this.#wanted.set(id.toHex(), { to, left });
  }

  /**
   * Those of `receipts`, all under one signature, that are to be kept and count.
   *
   * @param length - Bytes of them as they were signed.
   * @param sentTo - To whom a message is that waits in the outbox.
   */
  choose(
    receipts: readonly Receipt[],
    length: number,
    sentTo: (id: Uint8Array) => AgentId | undefined,
  ): readonly Receipt[] {
    const wanted = receipts.filter(({ id, by }) => {
      const key = id.toHex();
      const to = sentTo(id);
      if (to && !this.#wanted.get(key)) this.expect(id, to);
      return this.#wanted.get(key)?.to.equals(by) ?? false;
    });
    this.foreign += receipts.length - wanted.length;
    const isWorth = length <= SHORT_BYTES ||
      wanted.length >= LEAST_PART * receipts.length;
    const kept = isWorth ? wanted.filter((each) => this.#count(each)) : [];
    this.surplus += wanted.length - kept.length;
    return kept;
  }

  #count({ id, state }: Receipt): boolean {
    const { left } = this.#wanted.get(id.toHex())!;
    const kind = state === "delivered" ? "delivered" : "end";
    if (left[kind] === 0) return false;
    left[kind]--;
    return true;
  }
}
