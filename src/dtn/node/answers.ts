import type { Logger } from "../../core/log/mod.ts";
import type { Bundle } from "../bundle/bundle.ts";
import type { Eid } from "../bundle/eid.ts";
import type { Applications } from "./applications.ts";
import type { SendBundleOptions } from "./dtn_node_options.ts";
import { DtnNodeError } from "./error.ts";
import type { Tasks } from "./tasks.ts";

/** What an endpoint answers to a bundle; `undefined` for nothing. */
export type Answer = (request: Bundle) => SendBundleOptions | undefined;

/** Parts of {@link Answers}. */
export interface AnswersOptions {
  /** Give what waits in the store. */
  readonly applications: Applications;
  /** What goes on by itself. */
  readonly tasks: Tasks;
  /** Says that the disk failed. */
  readonly log: Logger;
  /**
   * Makes a bundle to be sent.
   *
   * @throws {DtnNodeError} If it cannot be protected as the security policy says.
   */
  readonly make: (options: SendBundleOptions) => Bundle;
  /** Stores a bundle that was made. */
  readonly send: (bundle: Bundle) => Promise<unknown>;
}

/** Endpoints whose bundles a function answers. */
export class Answers {
  readonly #options: AnswersOptions;
  readonly #answers = new Map<string, Answer>();

  /** Starts without one. */
  constructor(options: AnswersOptions) {
    this.#options = options;
  }

  /** As `DtnNode.answer`. */
  register(endpoint: Eid, answer: Answer): Disposable {
    const { applications, tasks, log } = this.#options;
    const registration = applications.register(endpoint);
    const key = `${endpoint}`;
    this.#answers.set(key, answer);
    tasks.track((async () => {
      for await (const { bundle, accept } of registration) {
        try {
          const made = this.to(key, bundle);
          if (made) await this.#options.send(made);
          accept(); // also if the answer was refused: it does not wait for ever
        } catch (error) {
          log.error("dtn.not_answered", { error });
        }
      }
    })());
    return {
      [Symbol.dispose]: () => {
        this.#answers.delete(key);
        registration[Symbol.dispose]();
      },
    };
  }

  /** The answer of an endpoint to `request`, if it has one. */
  to(endpoint: string, request: Bundle): Bundle | undefined {
    const options = this.#answers.get(endpoint)?.(request);
    if (!options) return undefined;
    try {
      return this.#options.make(options);
    } catch (error) {
      if (!(error instanceof DtnNodeError)) throw error;
      return undefined;
    }
  }
}
