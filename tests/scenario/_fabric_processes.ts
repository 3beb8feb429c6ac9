import type { Address } from "../../src/core/transport/mod.ts";
import type {
  FabricLine,
  FabricOrder,
  FabricProcessOptions,
} from "./_fabric_node_process.ts";
import type { Parcel } from "./_fabric_parcel.ts";
import { LineProcess } from "./_line_process.ts";
import { ProcessLives } from "./_process_lives.ts";

/** What a node reports. */
export type FabricReport = FabricLine & { readonly kind: "report" };

/** How a parcel that was to be sent ended, as far as its sender's process has said. */
export interface Told {
  accepted(number: number, id: string): void;
  answered(number: number, isRight: boolean): void;
  failed(number: number, reason: string): void;
}

/** One node of a scenario over all its lives. */
export class FabricMachine implements AsyncDisposable {
  /** Its name. */
  readonly name: string;
  /** Where its state is. */
  readonly state: string;
  readonly #options: FabricProcessOptions;
  readonly #told: Told;
  readonly #onReady: (sessions: Address, contacts: Address) => void;
  readonly #lives: ProcessLives<FabricLine, FabricOrder>;
  #report: PromiseWithResolvers<FabricReport> | undefined;

  constructor(
    options: FabricProcessOptions,
    told: Told,
    onReady: (sessions: Address, contacts: Address) => void = () => {},
  ) {
    this.name = options.node;
    this.state = options.state;
    this.#options = options;
    this.#told = told;
    this.#onReady = onReady;
    this.#lives = new ProcessLives(this.name, (line) => this.#hear(line));
  }

  /** Whether it lives and is ready. */
  get isUp(): boolean {
    return this.#lives.isUp;
  }

  /** Starts it on what it has kept, and waits until it is ready. */
  async start(): Promise<void> {
    await this.#lives.begin(
      new LineProcess("./_fabric_node_process.ts", this.#options),
    );
  }

  /** Lets it send a parcel; says whether it is up. */
  async send(parcel: Parcel): Promise<boolean> {
    if (!this.isUp) return false;
    await this.#lives.tell({ kind: "send", parcel });
    return true;
  }

  /** What it reports now; `undefined` if it is not up. */
  async report(): Promise<FabricReport | undefined> {
    if (!this.isUp) return undefined;
    this.#report = Promise.withResolvers();
    await this.#lives.tell({ kind: "report" });
    return await Promise.race([
      this.#report.promise,
      this.#lives.over.then(() => undefined),
    ]);
  }

  /** Ends it with SIGKILL, and reads what it had said before. */
  async kill(): Promise<void> {
    await this.#lives.kill();
  }

  /** Lets it end by itself. */
  async stop(): Promise<void> {
    await this.#lives.end((process) => process[Symbol.asyncDispose]());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lives[Symbol.asyncDispose]();
  }

  #hear(line: FabricLine): void {
    switch (line.kind) {
      case "ready":
        return this.#onReady(line.sessions, line.contacts);
      case "accepted":
        return this.#told.accepted(line.number, line.id);
      case "answered":
        return this.#told.answered(line.number, line.isRight);
      case "failed":
        return this.#told.failed(line.number, line.reason);
      case "report":
        return this.#report?.resolve(line);
    }
  }
}
