import type { Logger } from "../../core/log/mod.ts";
import { type Bundle, encodeBundle } from "../bundle/bundle.ts";
import type { Eid } from "../bundle/eid.ts";
import type { Applications } from "./applications.ts";
import type { SendBundleOptions } from "./dtn_node_options.ts";
import type { Tasks } from "./tasks.ts";

/** What an endpoint answers to a bundle; nothing if that is `undefined` or throws. */
type Answer = (request: Bundle) => SendBundleOptions | undefined;

/** An answer that can be sent. */
export interface MadeAnswer {
  readonly bundle: Bundle;
  /** Its bytes. */
  readonly size: number;
}

/** Parts of {@link Answers}. */
export interface AnswersOptions {
  /** Give what waits in the store. */
  readonly applications: Applications;
  /** What goes on by itself. */
  readonly tasks: Tasks;
  /** Says that the disk failed. */
  readonly log: Logger;
  /** Makes a bundle to be sent, protected as the security policy says; throws if it cannot. */
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
          if (made) await this.#options.send(made.bundle);
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

  /** The answer of an endpoint to `request`; nothing if it has none, or makes one that is none. */
  to(endpoint: string, request: Bundle): MadeAnswer | undefined {
    const { make, log } = this.#options;
    try {
      const options = this.#answers.get(endpoint)?.(request);
      if (!options) return undefined;
      const bundle = make(options);
      return { bundle, size: encodeBundle(bundle).length };
    } catch (error) {
      log.debug("dtn.no_answer", { error });
      return undefined;
    }
  }
}
