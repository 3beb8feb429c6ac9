import type { Bytes } from "../../core/bytes/mod.ts";
import type { Clock } from "../../core/async/mod.ts";
import type { Agent } from "../identity/agent.ts";
import type { AgentId } from "../identity/agent_id.ts";
import type { Message } from "../message/message.ts";
import {
  MAX_RECEIPTS,
  type Receipt,
  type ReceiptState,
  signReceipts,
} from "../receipt/receipt.ts";

/** How long a receipt waits for others to share its signature, in milliseconds. */
const GATHER_MS = 2;

interface Due {
  readonly to: AgentId;
  readonly receipts: Pick<Receipt, "id" | "state" | "reason" | "atMs">[];
  /** Latest deadline of the messages: until then somebody wants to know. */
  deadlineMs: number;
}

/** Gathers receipts that we owe others, and signs those for one of them together. */
export class ReceiptsDue {
  readonly #agent: Agent;
  readonly #clock: Clock;
  readonly #send: (to: AgentId, signed: Bytes, deadlineMs: number) => void;
  readonly #due = new Map<string, Due>();
  #cancel: (() => void) | undefined;

  /**
   * Starts with none.
   *
   * @param send - Takes receipts to who sent the messages.
   */
  constructor(
    agent: Agent,
    clock: Clock,
    send: (to: AgentId, signed: Bytes, deadlineMs: number) => void,
  ) {
    this.#agent = agent;
    this.#clock = clock;
    this.#send = send;
  }

  /** We owe the sender of `message` a receipt, if it wants one. */
  add(
    message: Message,
    state: ReceiptState,
    atMs: number,
    reason = "",
  ): void {
    if (!message.wantsReceipts) return;
    const { id, from, deadlineMs } = message;
    const key = `${from}`;
    const due = this.#due.get(key) ?? { to: from, receipts: [], deadlineMs };
    this.#due.set(key, due);
    due.receipts.push({ id, state, reason, atMs });
    due.deadlineMs = Math.max(due.deadlineMs, deadlineMs);
    if (due.receipts.length >= MAX_RECEIPTS) this.#flush(key, due);
    else this.#cancel ??= this.#clock.setTimeout(() => this.flush(), GATHER_MS);
  }

  /** Sends all, now. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    for (const [key, due] of this.#due) this.#flush(key, due);
  }

  #flush(key: string, { to, receipts, deadlineMs }: Due): void {
    this.#due.delete(key);
    this.#send(to, signReceipts(this.#agent, to, receipts), deadlineMs);
  }
}
