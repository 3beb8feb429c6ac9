import type { Address } from "../../src/core/transport/mod.ts";
import type { DtnLedger } from "./_dtn_ledger.ts";
import type { Letter } from "./_dtn_letter.ts";
import type {
  DtnLine,
  DtnOrder,
  DtnProcessOptions,
} from "./_dtn_node_process.ts";
import { LineProcess } from "./_line_process.ts";
import { ProcessLives } from "./_process_lives.ts";

const ACCEPT_AGAIN_MS = 250;

/** What a node reports. */
export type DtnReport = DtnLine & { readonly kind: "report" };

/** One node of a scenario over all its lives. */
export class DtnMachine implements AsyncDisposable {
  /** `n` of `dtn://n/`. */
  readonly name: string;
  /** Acceptances that the disk had no room for. */
  undurable = 0;
  /** What it reported last. */
  report: DtnReport | undefined;
  readonly #options: DtnProcessOptions;
  readonly #launcher: readonly string[];
  readonly #ledger: DtnLedger;
  readonly #onParted: (link: number) => void;
  readonly #lives: ProcessLives<DtnLine, DtnOrder>;
  #address: Address = "";

  constructor({ name, options, launcher = [], ledger, onParted }: {
    readonly name: string;
    readonly options: DtnProcessOptions;
    readonly launcher?: readonly string[];
    readonly ledger: DtnLedger;
    /** Hears of contacts that it began and that are over. */
    readonly onParted: (link: number) => void;
  }) {
    this.name = name;
    this.#options = options;
    this.#launcher = launcher;
    this.#ledger = ledger;
    this.#onParted = onParted;
    this.#lives = new ProcessLives(name, (line) => this.#hear(line));
  }

  /** Whether it lives and is ready. */
  get isUp(): boolean {
    return this.#lives.isUp;
  }

  /** Where it takes contacts in this life. */
  get address(): Address {
    return this.#address;
  }

  /** Resident memory of its process, in bytes. */
  get rssBytes(): number {
    return this.#lives.process.rssBytes;
  }

  /** Starts it on what it has kept, with other flags than before if any are given, and waits until it is ready. */
  async start(flags: Readonly<Record<string, string>> = {}): Promise<void> {
    const options = {
      ...this.#options,
      flags: { ...this.#options.flags, ...flags },
    };
    const args = ["serve", "--log-level=warn", "--quiet"];
    await this.#lives.begin(
      new LineProcess(
        ...["./_dtn_node_process.ts", options, args, this.#launcher] as const,
      ),
    );
    for (const letter of this.#ledger.unanswered(this.name)) {
      await this.#lives.tell({ kind: "send", letter });
    }
  }

  /** Sends a letter, now or when it is up again. */
  async send(letter: Letter): Promise<void> {
    this.#ledger.send(letter);
    await this.tell({ kind: "send", letter });
  }

  /** Tells it something, if it is up. */
  async tell(order: DtnOrder): Promise<void> {
    if (this.isUp) await this.#lives.tell(order);
  }

  /** Ends it with SIGKILL, and reads what it had said before. */
  async kill(): Promise<void> {
    await this.#lives.kill();
  }

  /** Ends it with SIGTERM. */
  async stop(): Promise<void> {
    const code = await this.#lives.end((process) => process.terminate());
    if (code !== 0) throw new Error(`${this.name} ended with code ${code}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lives[Symbol.asyncDispose]();
  }

  #hear(line: DtnLine): void {
    switch (line.kind) {
      case "ready":
        this.#address = line.address;
        return;
      case "sent":
        return this.#ledger.answer(line.number, line.outcome);
      case "delivery": {
        const { number, digest } = line;
        this.#ledger.deliver(number, this.name, digest);
        void this.#lives.tell({ kind: "accept", number });
        return;
      }
      case "accepted":
        if (line.isDurable) return this.#ledger.accept(line.number);
        this.undurable++;
        setTimeout(
          () => void this.tell({ kind: "accept", number: line.number }),
          ACCEPT_AGAIN_MS,
        );
        return;
      case "parted":
        return this.#onParted(line.link);
      case "report":
        this.report = line;
    }
  }
}
