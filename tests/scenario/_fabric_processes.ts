import type { Address } from "../../src/core/transport/mod.ts";
import type {
  FabricLine,
  FabricOrder,
  FabricProcessOptions,
} from "./_fabric_node_process.ts";
import type { Parcel } from "./_fabric_parcel.ts";
import { LineProcess } from "./_line_process.ts";

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
  /** Whether it lives and is ready. */
  isUp = false;
  readonly #options: FabricProcessOptions;
  readonly #told: Told;
  readonly #onReady: (sessions: Address, contacts: Address) => void;
  #process: LineProcess | undefined;
  #reading: Promise<void> = Promise.resolve();
  #ready: PromiseWithResolvers<void> = Promise.withResolvers();
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
  }

  /** Starts it on what it has kept, and waits until it is ready. */
  async start(): Promise<void> {
    this.#ready = Promise.withResolvers();
    const process = new LineProcess("./_fabric_node_process.ts", this.#options);
    this.#process = process;
    this.#reading = this.#read(process);
    await this.#ready.promise;
    this.isUp = true;
  }

  /** Lets it send a parcel; says whether it is up. */
  async send(parcel: Parcel): Promise<boolean> {
    if (!this.isUp) return false;
    await this.#tell({ kind: "send", parcel });
    return true;
  }

  /** What it reports now; `undefined` if it is not up. */
  async report(): Promise<FabricReport | undefined> {
    if (!this.isUp) return undefined;
    this.#report = Promise.withResolvers();
    await this.#tell({ kind: "report" });
    return await Promise.race([
      this.#report.promise,
      this.#reading.then(() => undefined),
    ]);
  }

  /** Ends it with SIGKILL, and reads what it had said before. */
  async kill(): Promise<void> {
    this.isUp = false;
    await this.#process?.kill();
    await this.#reading;
  }

  /** Lets it end by itself. */
  async stop(): Promise<void> {
    this.isUp = false;
    await this.#process?.[Symbol.asyncDispose]();
    await this.#reading;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill().catch(() => {}); // it may have ended
    await this.#process?.[Symbol.asyncDispose]();
  }

  async #tell(order: FabricOrder): Promise<void> {
    await this.#process!.tell(order).catch((error) => {
      if (this.isUp) throw error; // else it was killed meanwhile
    });
  }

  async #read(process: LineProcess): Promise<void> {
    for (;;) {
      const line = await process.line<FabricLine>().catch(() => {});
      if (!line) break;
      this.#hear(line);
    }
    this.#ready.reject(new Error(`${this.name} ended before it was ready`));
    this.#ready.promise.catch(() => {});
  }

  #hear(line: FabricLine): void {
    switch (line.kind) {
      case "ready":
        this.#onReady(line.sessions, line.contacts);
        return this.#ready.resolve();
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
