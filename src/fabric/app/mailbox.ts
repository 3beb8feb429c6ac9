import { FabricError } from "../error.ts";
import type { Handler, Incoming } from "../agent/handlers.ts";
import { jsonText } from "./json_text.ts";

/** A message that is to be given to an application. */
export interface Letter {
  /** The message, and who sent it. */
  readonly incoming: Incoming;
  /** Its payload, as JSON. */
  readonly json: string;
  /** The application is done with it; `value` answers a request. */
  answer(value: unknown): void;
  /** The application does not want it. */
  refuse(reason: string): void;
}

/** An application that takes letters. */
export interface LetterTaker {
  /** Takes a letter, which is then its own to answer, refuse or give back; `false` if it has no room now. */
  offer(letter: Letter): boolean;
}

/** Letters that wait for an application; further ones are refused. */
const MAX_WAITING = 1_024;

/** Messages of one type for one agent, which wait for applications of this machine, each for one of them. */
export class Mailbox {
  /** Messages refused as too many waited. */
  refused = 0;
  readonly #waiting: Letter[] = [];
  readonly #takers = new Set<LetterTaker>();

  /** Letters that wait. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Applications that listen. */
  get takers(): number {
    return this.#takers.size;
  }

  /** Takes messages for it, as a fabric's handler. */
  readonly handler: Handler = (payload, incoming) => {
    if (this.#waiting.length >= MAX_WAITING) {
      this.refused++;
      throw new FabricError("refused", "no_application");
    }
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const { signal } = incoming;
    const letter: Letter = {
      incoming,
      json: jsonText(payload),
      answer: resolve,
      refuse: (reason) => reject(new FabricError("refused", reason)),
    };
    signal.addEventListener("abort", () => {
      this.#remove(letter);
      reject(signal.reason);
    });
    this.#waiting.push(letter);
    this.pump();
    return promise;
  };

  /** Gives letters to an application from now on. */
  join(taker: LetterTaker): void {
    this.#takers.add(taker);
    this.pump();
  }

  /** An application is gone; others get what it had, but for what is over. */
  leave(taker: LetterTaker, had: Iterable<Letter>): void {
    this.#takers.delete(taker);
    const left = [...had].filter(({ incoming }) => !incoming.signal.aborted);
    this.#waiting.unshift(...left);
    this.pump();
  }

  /** Gives what waits to those that have room, in turns. */
  pump(): void {
    for (let letter; (letter = this.#waiting[0]) && this.#give(letter);) {
      this.#waiting.shift();
    }
  }

  #give(letter: Letter): boolean {
    for (const taker of this.#takers) {
      if (!taker.offer(letter)) continue;
      // Behind all others from now on.
      this.#takers.delete(taker);
      this.#takers.add(taker);
      return true;
    }
    return false;
  }

  #remove(letter: Letter): void {
    const index = this.#waiting.indexOf(letter);
    if (index >= 0) this.#waiting.splice(index, 1);
  }
}
