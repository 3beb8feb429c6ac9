import { assert } from "@std/assert";
import { digestOf, type Letter, payloadOf } from "./_dtn_letter.ts";

/** What became of a letter. */
export type Fate =
  | "delivered" // an application has it, and its node knows
  | "expired" // its lifetime was over before
  | "refused" // the node of who sent it did not store it, and said why
  | "open"; // none of that yet

interface Account {
  readonly letter: Letter;
  /** What the node of who sent it answered; absent until it has. */
  outcome?: string;
  /** Whether the application was given it. */
  isGiven: boolean;
  /** Whether the node knows that the application took it. */
  isAccepted: boolean;
}

/** How much later than its end a letter may be given out: what a busy machine takes to carry lines. */
const SLACK_MS = 3_000;

/** What was sent, answered, delivered and accepted, over all lives of the nodes. */
export class DtnLedger {
  /** Letters that were given again, as their node died before it knew that they were taken. */
  again = 0;
  /** Letters that were sent when their node was back: it had died before it answered, or was down. */
  late = 0;
  /** What must not happen, and did. */
  readonly faults: string[] = [];
  /** Refusals by reason. */
  readonly refusals = new Map<string, number>();
  readonly #accounts = new Map<number, Account>();

  /** Letters so far. */
  get size(): number {
    return this.#accounts.size;
  }

  /** A letter is being sent. */
  send(letter: Letter): void {
    const account = { letter, isGiven: false, isAccepted: false };
    this.#accounts.set(letter.number, account);
  }

  /** Letters of `from` that it has not answered. */
  unanswered(from: string): Letter[] {
    const letters: Letter[] = [];
    for (const { letter, outcome } of this.#accounts.values()) {
      if (letter.from === from && outcome === undefined) letters.push(letter);
    }
    this.late += letters.length;
    return letters;
  }

  /** What the node of who sent it answers. */
  answer(number: number, outcome: string): void {
    const account = this.#account(number);
    // It had stored it before it died.
    account.outcome = outcome === "known" ? "stored" : outcome;
    if (account.outcome === "stored" || outcome === "expired") return;
    this.refusals.set(outcome, (this.refusals.get(outcome) ?? 0) + 1);
  }

  /** The application at `node` is given it. */
  deliver(number: number, node: string, digest: string): void {
    const account = this.#account(number);
    const { letter } = account;
    const lateMs = Date.now() - endOf(letter);
    const expect = (holds: boolean, fault: string) => {
      if (!holds) this.faults.push(`Letter ${number} ${fault}`);
    };
    expect(node === letter.to, `was given to ${node}`);
    expect(digest === digestOf(payloadOf(letter)), "carried another payload");
    expect(!account.isAccepted, "was delivered twice");
    expect(fateOf(account) !== "refused", "was refused, and came");
    expect(lateMs < SLACK_MS, `came ${lateMs} ms too late`);
    if (account.isGiven) this.again++;
    account.isGiven = true;
  }

  /** Its node knows that it was taken. */
  accept(number: number): void {
    this.#account(number).isAccepted = true;
  }

  /** How many letters met which fate. */
  get fates(): Readonly<Record<Fate, number>> {
    const fates = { delivered: 0, expired: 0, refused: 0, open: 0 };
    for (const account of this.#accounts.values()) fates[fateOf(account)]++;
    return fates;
  }

  /** Letters without a fate, for a failure to name. */
  get open(): Letter[] {
    return [...this.#accounts.values()]
      .filter((account) => fateOf(account) === "open")
      .map(({ letter }) => letter);
  }

  #account(number: number): Account {
    const account = this.#accounts.get(number);
    assert(account, `Nobody sent letter ${number}`);
    return account;
  }
}

function fateOf({ letter, outcome, isAccepted }: Account): Fate {
  if (isAccepted) return "delivered";
  if (outcome !== undefined && !["stored", "expired"].includes(outcome)) {
    return "refused";
  }
  return Date.now() > endOf(letter) ? "expired" : "open";
}

function endOf({ createdMs, lifetimeMs }: Letter): number {
  return createdMs + lifetimeMs;
}
