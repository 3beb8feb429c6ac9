import { fatal } from "./error.ts";

/** How often a peer may do what moves nothing; the limits are BoringSSL's, which no honest peer reaches. */
const LIMIT = {
  changeCipherSpec: 32, // in a handshake
  emptyRecord: 32, // in a row
  keyUpdate: 32, // without data in between
  ticket: 32, // without data in between
  warning: 4, // in a connection
} as const;

/** What a {@link NuisanceBudget} counts. */
export type Nuisance = keyof typeof LIMIT;

/** Counts what costs a peer nothing and us work. */
export class NuisanceBudget {
  readonly #spent: Record<Nuisance, number> = {
    changeCipherSpec: 0,
    emptyRecord: 0,
    keyUpdate: 0,
    ticket: 0,
    warning: 0,
  };

  /**
   * Counts one.
   *
   * @throws {TlsError} `unexpected_message` if it is one too many.
   */
  spend(nuisance: Nuisance): void {
    if (++this.#spent[nuisance] > LIMIT[nuisance]) {
      throw fatal("unexpectedMessage", `Too many of ${nuisance}`);
    }
  }

  /** Data has come: empty records, key updates and tickets start anew. */
  renew(): void {
    this.#spent.emptyRecord = 0;
    this.#spent.keyUpdate = 0;
    this.#spent.ticket = 0;
  }
}
