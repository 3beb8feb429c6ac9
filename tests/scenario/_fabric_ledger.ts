import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import { namespace, sqliteStore } from "../../src/core/storage/mod.ts";
import {
  type Receipt,
  ReceiptLog,
  verifyReceipts,
} from "../../src/fabric/mod.ts";
import { Outbox } from "../../src/fabric/outbox/outbox.ts";
import { agentOf } from "../fabric/_agents.ts";
import type { Parcel } from "./_fabric_parcel.ts";
import type { Told } from "./_fabric_processes.ts";

/** How a parcel ended. */
export type Fate =
  | "handled" // its handler was done with it, and signed so or answered
  | "refused" // the recipient signed that it does not want it, or answered so
  | "expired" // the recipient signed that it came too late, or its sender gave it up at its deadline
  | "unaccepted" // its sender's process died before it had accepted it, or had no room
  | "orphaned" // its sender's process died while it waited for the answer
  | "open"; // none of that

interface Account {
  readonly parcel: Parcel;
  /** The message's id, as hex. */
  id?: string;
  isRight?: boolean;
  failure?: string;
  /** Whether its sender's process died before it had said how it ended. */
  isOrphan?: boolean;
  /** What its handler was told, in order. */
  readonly runs: boolean[];
  /** What the sender's process kept of it, at the end. */
  receipts: readonly Receipt[];
  deadLetter?: string;
}

/** What was sent, and what became of it, over all lives of the nodes. */
export class FabricLedger implements Told {
  /** What must not happen, and did. */
  readonly faults: string[] = [];
  /** Receipts that were verified. */
  receipts = 0;
  readonly #accounts = new Map<number, Account>();
  /** Parcels whose message is known, by its id. */
  readonly #byId = new Map<string, Account>();
  /** Requests that are not answered, and notifications that are not accepted: their callers wait, by who sent them. */
  readonly #asking = new Map<string, Set<number>>();
  readonly #telling = new Map<string, Set<number>>();

  /** Parcels so far. */
  get size(): number {
    return this.#accounts.size;
  }

  /** A parcel is being sent. */
  send(parcel: Parcel): void {
    this.#accounts.set(parcel.number, { parcel, runs: [], receipts: [] });
    const { from, number, isRequest } = parcel;
    const waiting = isRequest ? this.#asking : this.#telling;
    waiting.set(from, (waiting.get(from) ?? new Set()).add(number));
  }

  /** How many answers an agent waits for. */
  asks(from: string): number {
    return this.#asking.get(from)?.size ?? 0;
  }

  /** How many of its messages an agent waits for to be accepted. */
  tells(from: string): number {
    return this.#telling.get(from)?.size ?? 0;
  }

  /** Requests that were answered. */
  get answers(): number {
    return [...this.#accounts.values()].filter(({ isRight }) => isRight).length;
  }

  accepted(number: number, id: string): void {
    const account = this.#ended(number);
    account.id = id;
    this.#byId.set(id, account);
  }

  answered(number: number, isRight: boolean): void {
    this.#ended(number).isRight = isRight;
    if (!isRight) this.faults.push(`${number} was answered wrongly`);
  }

  failed(number: number, reason: string): void {
    this.#ended(number).failure = reason;
  }

  /** The process of a node has died: nobody hears of what it had not said. */
  orphan(node: string): void {
    for (const account of this.#accounts.values()) {
      const isOpen = account.id === undefined &&
        account.isRight === undefined &&
        account.failure === undefined;
      if (isOpen && nodeOf(account.parcel.from) === node) {
        this.#ended(account.parcel.number).isOrphan = true;
      }
    }
  }

  /** Requests that wait for their answers, and notifications that wait to be accepted. */
  get waiting(): number {
    let count = 0;
    for (const { id, isRight, failure, isOrphan } of this.#accounts.values()) {
      if (!(id || isOrphan) && isRight === undefined && !failure) count++;
    }
    return count;
  }

  /** Reads what the handlers of a node wrote down. */
  readHandled(state: string): void {
    for (const line of Deno.readTextFileSync(`${state}/handled`).split("\n")) {
      if (!line) continue;
      const [number, at, again] = line.split(" ");
      const account = this.#accounts.get(Number(number));
      if (account?.parcel.to !== at) this.faults.push(`${line}: not for it`);
      account?.runs.push(again === "1");
      this.#order.push(Number(number));
    }
    this.#checkOrder();
  }

  /** Reads what an agent, whose process has ended, kept of what it sent; every receipt is verified again. */
  readAgent(name: string, state: string): void {
    const agent = agentOf(name);
    using store = sqliteStore(`${state}/${agent.name.agent}.sqlite`);
    const log = new ReceiptLog({ crypto, store: namespace(store, "receipts") });
    for (const signed of log.entries()) {
      for (const receipt of verifyReceipts(crypto, signed)) {
        this.receipts++;
        const account = this.#byId.get(receipt.id.toHex());
        const { from, to } = account?.parcel ?? { from: name, to: "" };
        if (!receipt.from.equals(agentOf(from).id)) {
          this.faults.push(`A receipt is for another than ${from}`);
        }
        if (!account) continue;
        if (!receipt.by.equals(agentOf(to).id)) {
          this.faults.push(`A receipt is by another than ${to}`);
        }
        account.receipts = [...account.receipts, receipt];
      }
    }
    const outbox = new Outbox(namespace(store, "outbox"));
    for (const { message, reason } of outbox.deadLetters()) {
      const account = this.#byId.get(message.id.toHex());
      if (account) account.deadLetter = reason;
    }
    for (const entry of outbox.entries()) {
      const parcel = this.#byId.get(entry.id)?.parcel;
      const text = JSON.stringify([entry, parcel]);
      this.faults.push(`Waits in an outbox: ${text}`);
    }
  }

  /** How many parcels met which fate. */
  fates(): Readonly<Record<Fate, number>> {
    const fates = {
      ...{ handled: 0, refused: 0, expired: 0 },
      ...{ unaccepted: 0, orphaned: 0, open: 0 },
    };
    for (const account of this.#accounts.values()) fates[fateOf(account)]++;
    return fates;
  }

  /** Parcels without a fate, for a failure to name. */
  get open(): unknown[] {
    return [...this.#accounts.values()].filter((each) =>
      fateOf(each) === "open"
    ).map(({ receipts, ...rest }) => ({
      ...rest,
      states: receipts.map(({ state, reason }) => [state, reason]),
    }));
  }

  /** Second runs of handlers, each said to be one; and first runs that were said to be possibly second ones. */
  runs(): { readonly again: number; readonly doubted: number } {
    let [again, doubted] = [0, 0];
    for (const { parcel, runs } of this.#accounts.values()) {
      if (runs[0]) doubted++;
      again += Math.max(0, runs.length - 1);
      if (runs.slice(1).includes(false)) {
        this.faults.push(
          `${JSON.stringify(parcel)} was handled twice, and nobody said so`,
        );
      }
    }
    return { again, doubted };
  }

  /** What was handled for all that its sender was told nothing of it in time. */
  get handledUnheard(): number {
    let count = 0;
    for (const account of this.#accounts.values()) {
      if (account.runs.length > 0 && fateOf(account) === "expired") count++;
    }
    return count;
  }

  #ended(number: number): Account {
    const account = this.#accounts.get(number)!;
    this.#asking.get(account.parcel.from)?.delete(number);
    this.#telling.get(account.parcel.from)?.delete(number);
    return account;
  }

  #order: number[] = [];

  /** Messages in order of one agent to another came to their handler in it. */
  #checkOrder(): void {
    const last = new Map<string, number>();
    const seen = new Set<number>();
    for (const number of this.#order) {
      const { parcel } = this.#accounts.get(number) ?? {};
      if (!parcel?.isOrdered || seen.has(number)) continue;
      seen.add(number);
      const pair = `${parcel.from} ${parcel.to}`;
      if (number < (last.get(pair) ?? -1)) {
        this.faults.push(`${number} came after ${last.get(pair)}`);
      }
      last.set(pair, number);
    }
    this.#order = [];
  }
}

function fateOf(account: Account): Fate {
  const { receipts, deadLetter, failure, runs, parcel } = account;
  const states = receipts.map(({ state }) => state);
  if (account.isRight || states.includes("handled")) {
    return runs.length > 0 ? "handled" : "open";
  }
  if (states.includes("refused")) return "refused";
  if (states.includes("expired") || deadLetter === "expired") return "expired";
  if (deadLetter !== undefined) return "refused";
  if (failure?.startsWith("full")) return "unaccepted";
  if (failure?.startsWith("refused")) {
    return failure.endsWith("expired") ? "expired" : "refused";
  }
  if (failure?.startsWith("expired")) return "expired";
  if (account.isOrphan) return parcel.isRequest ? "orphaned" : "unaccepted";
  return "open";
}

function nodeOf(agent: string): string {
  return agent.split("@")[1]!;
}
