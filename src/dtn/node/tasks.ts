import type { Logger } from "../../core/log/mod.ts";

/** Work that goes on by itself; whoever began it waits for none. */
export class Tasks {
  readonly #running = new Set<Promise<void>>();
  readonly #log: Logger;

  /** Says to `log` what failed. */
  constructor(log: Logger) {
    this.#log = log;
  }

  /** Looks after `task` until it is over. */
  track(task: Promise<void>): void {
    const tracked = task.catch((error) => {
      this.#log.error("dtn.failed", { error });
    }).finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  /** Resolves once nothing goes on any more. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
