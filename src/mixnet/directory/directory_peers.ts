import { type Clock, Deadline } from "../../core/async/mod.ts";
import type { Bytes } from "../../core/bytes/mod.ts";
import type { Logger } from "../../core/log/mod.ts";
import type { Address } from "../../core/transport/mod.ts";
import type { DirectoryFetch } from "./directory_fetch.ts";
import { DirectoryError, type DirectoryErrorCode } from "./error.ts";

/** Options of {@link DirectoryPeers}. */
export interface DirectoryPeersOptions {
  /** Where they are. */
  readonly addresses: readonly Address[];
  /** Asks them. */
  readonly ask: DirectoryFetch;
  /** How long one request may take in milliseconds. */
  readonly timeoutMs: number;
  /** Where it says what was refused. */
  readonly log: Logger;
  /** Time. */
  readonly clock: Clock;
}

/** How many answers are in memory at once. */
const MAX_REQUESTS = 4;

/** The other authorities, as one of them asks them. */
export class DirectoryPeers {
  readonly #options: DirectoryPeersOptions;
  #asked = 0;
  readonly #refused = new Map<DirectoryErrorCode, number>();

  /** Asks nobody yet. */
  constructor(options: DirectoryPeersOptions) {
    this.#options = options;
  }

  /** How often something of theirs was refused, or they did not answer, by reason. */
  get refused(): ReadonlyMap<DirectoryErrorCode, number> {
    return this.#refused;
  }

  /** Gives `take` what each has at `path`, four at a time; what it throws at is counted. */
  async each(
    path: string,
    maxBytes: number,
    take: (body: Bytes) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const left = this.#addresses();
    const work = async () => {
      for (let next = left.shift(); next; next = left.shift()) {
        await this.#ask(next, path, maxBytes, take, signal);
      }
    };
    await Promise.all(Array.from({ length: MAX_REQUESTS }, work));
  }

  /** Gives `take` what the first of them has at `path` that it does not throw at; says whether there was one. */
  async first(
    path: string,
    maxBytes: number,
    take: (body: Bytes) => void,
    signal: AbortSignal,
  ): Promise<boolean> {
    for (const address of this.#addresses()) {
      if (await this.#ask(address, path, maxBytes, take, signal)) return true;
    }
    return false;
  }

  /** Runs `take`; counts and logs what it refuses, and gives whether it did not. */
  try(take: () => void, fields: Readonly<Record<string, unknown>>): boolean {
    try {
      take();
      return true;
    } catch (error) {
      if (!(error instanceof DirectoryError)) throw error;
      this.#count(error, fields);
      return false;
    }
  }

  /** All, each time from the next one on, so that no silent one is always first. */
  #addresses(): Address[] {
    const { addresses } = this.#options;
    const first = this.#asked++ % Math.max(1, addresses.length);
    return [...addresses.slice(first), ...addresses.slice(0, first)];
  }

  async #ask(
    address: Address,
    path: string,
    maxBytes: number,
    take: (body: Bytes) => void,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (signal.aborted) return false;
    const { ask, clock, timeoutMs } = this.#options;
    using deadline = new Deadline(clock, timeoutMs, { signal });
    try {
      const answer = await ask({ address, path, maxBytes }, deadline.signal);
      return answer.status === 200 &&
        this.try(() => take(answer.body), { address });
    } catch (error) {
      if (!(error instanceof DirectoryError)) throw error;
      this.#count(error, { address });
      return false;
    }
  }

  #count(
    { code }: DirectoryError,
    fields: Readonly<Record<string, unknown>>,
  ): void {
    this.#refused.set(code, (this.#refused.get(code) ?? 0) + 1);
    this.#options.log.debug("directory.peer", { ...fields, code });
  }
}
