import { delay, systemClock } from "../../src/core/async/mod.ts";
import { LineProcess } from "./_line_process.ts";
import type { LinkTally } from "./_mixnet_link_tally.ts";
import type {
  NodeOrder,
  NodeProcessOptions,
  NodeReport,
} from "./_mixnet_node_process.ts";

/** How long anything may take before the test fails. */
const PATIENCE_MS = 180_000;

/** What a process said of its links, and when. */
export interface Entry {
  /** Wall time. */
  readonly atMs: number;
  readonly links: LinkTally;
}

/** One process from its start to its end, as its accounts see it. */
export interface Life {
  readonly startedAtMs: number;
  /** How it ended, if it did. */
  readonly end: "killed" | "terminated" | undefined;
  /** All it said, in order. */
  readonly entries: readonly Entry[];
}

/** A process that runs a node, and all its reports. */
export class NodeLife implements Life, AsyncDisposable {
  readonly startedAtMs: number = Date.now();
  readonly entries: NodeReport[] = [];
  end: "killed" | "terminated" | undefined;
  readonly #process: LineProcess;
  readonly #reading: Promise<void>;

  constructor(options: NodeProcessOptions) {
    this.#process = new LineProcess("./_mixnet_node_process.ts", options, [
      "serve",
      "--log-level=error",
      "--quiet",
    ]);
    this.#reading = this.#read();
  }

  /** What it reported last. */
  get report(): NodeReport | undefined {
    return this.entries.at(-1);
  }

  /** Waits for a report that says so. */
  async until(
    condition: (report: NodeReport) => boolean,
    what: string,
  ): Promise<NodeReport> {
    await until(
      () => this.report !== undefined && condition(this.report),
      () => `${what}: ${JSON.stringify(this.report)}`,
    );
    return this.report!;
  }

  tell(order: NodeOrder): Promise<void> {
    return this.#process.tell(order);
  }

  /** Ends it with SIGKILL. */
  async kill(): Promise<void> {
    this.end = "killed";
    await this.#process.kill();
    await this.#reading;
  }

  /** Ends it with SIGTERM; resolves when it has drained and said its last. */
  async terminate(): Promise<void> {
    this.end = "terminated";
    const code = await this.#process.terminate();
    await this.#reading;
    if (code !== 0) throw new Error(`A node ended with code ${code}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill().catch(() => {}); // it may have ended
    await this.#process[Symbol.asyncDispose]();
  }

  async #read(): Promise<void> {
    for await (const report of this.#process.said<NodeReport>()) {
      this.entries.push(report);
    }
  }
}

/** Waits until `condition` holds, a minute at most. */
export async function until(
  condition: () => boolean,
  what: () => string,
): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`In vain: ${what()}`);
    await delay(systemClock, 50);
  }
}
