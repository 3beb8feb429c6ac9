import type { SphinxGeometry } from "../sphinx/geometry.ts";
import { UnwrapBatch } from "./unwrap_batch.ts";
import type { UnwrapPool } from "./unwrap_pool.ts";
import type { FromUnwrapWorker, ToUnwrapWorker } from "./unwrap_worker.ts";

/** Options of {@link WorkerUnwrapPool}. */
export interface WorkerUnwrapPoolOptions {
  /**
   * Starts a worker whose module calls `serveUnwraps`. The module's place is the caller's to know: a file beside it, or the program
   * itself where all is in one file.
   */
  readonly spawn: () => Worker;
  /** Number of workers; the processors at hand less one serve well. */
  readonly workers: number;
  /** Sizes of the packets. */
  readonly geometry: SphinxGeometry;
  /** How often a worker is replaced that failed; 8 by default. */
  readonly maxRestarts?: number;
}

/** Batches that one worker holds: it has the next one when it is done. */
const BATCHES_PER_WORKER = 2;

interface Waiting {
  readonly resolve: (batch: UnwrapBatch) => void;
  readonly reject: (error: Error) => void;
}

interface Hired {
  readonly worker: Worker;
  /** Those that wait for its batches, which it answers in order. */
  readonly waiting: Waiting[];
}

/**
 * Unwraps in worker threads. Buffers move to them and back; keys are copied to each, and erased there when they are replaced.
 *
 * A worker that fails loses the batches it had, and is replaced a bounded number of times.
 */
export class WorkerUnwrapPool implements UnwrapPool {
  readonly #options: WorkerUnwrapPoolOptions;
  readonly #hired: Hired[] = [];
  #keys: ReadonlyMap<number, Uint8Array> = new Map();
  #provider = "starting";
  #restarts = 0;

  private constructor(options: WorkerUnwrapPoolOptions) {
    this.#options = options;
  }

  /**
   * Starts the workers, and waits until all are ready.
   *
   * @throws {RangeError} If the number of workers is not a whole number above 0.
   * @throws {Error} If one of them fails.
   */
  static async start(
    options: WorkerUnwrapPoolOptions,
  ): Promise<WorkerUnwrapPool> {
    const { workers } = options;
    if (!Number.isSafeInteger(workers) || workers < 1) {
      throw new RangeError(`Want 1 worker or more: got ${workers}`);
    }
    const pool = new WorkerUnwrapPool(options);
    try {
      await Promise.all(Array.from({ length: workers }, () => pool.#hire()));
    } catch (error) {
      pool[Symbol.dispose]();
      throw error;
    }
    return pool;
  }

  /** Two batches for each worker. */
  get capacity(): number {
    return BATCHES_PER_WORKER * this.#options.workers;
  }

  /** Name of the provider that the workers chose. */
  get provider(): string {
    return this.#provider;
  }

  /** Number of workers that failed and were replaced. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Gives all workers the keys. */
  setKeys(keys: ReadonlyMap<number, Uint8Array>): void {
    this.#keys = keys;
    for (const { worker } of this.#hired) sendKeys(worker, keys);
  }

  /** Gives the batch to the worker that has the fewest. */
  unwrap(batch: UnwrapBatch): Promise<UnwrapBatch> {
    let least: Hired | undefined;
    for (const each of this.#hired) {
      if (each.waiting.length < (least?.waiting.length ?? Infinity)) {
        least = each;
      }
    }
    return new Promise((resolve, reject) => {
      if (!least) return reject(new Error("No unwrap worker is left"));
      least.waiting.push({ resolve, reject });
      const { buffer, count } = batch;
      send(least.worker, { kind: "batch", buffer, count }, [buffer]);
    });
  }

  /** Ends the workers; what they had is lost. */
  [Symbol.dispose](): void {
    for (const each of this.#hired.splice(0)) {
      dismiss(each, new Error("The unwrap pool was closed"));
    }
    this.#keys = new Map();
  }

  #hire(): Promise<void> {
    const { spawn, geometry } = this.#options;
    return new Promise((resolve, reject) => {
      const hired: Hired = { worker: spawn(), waiting: [] };
      const { worker } = hired;
      this.#hired.push(hired);
      worker.onmessage = ({ data }: MessageEvent<FromUnwrapWorker>) => {
        if (data.kind === "ready") {
          this.#provider = data.provider;
          return resolve();
        }
        const batch = new UnwrapBatch(geometry, data.buffer, data.count);
        hired.waiting.shift()?.resolve(batch);
      };
      worker.onerror = (event) => {
        event.preventDefault();
        const error = new Error(`An unwrap worker failed: ${event.message}`);
        reject(error);
        this.#replace(hired, error);
      };
      send(worker, { kind: "start", payloadLength: geometry.payloadLength });
      sendKeys(worker, this.#keys);
    });
  }

  #replace(hired: Hired, error: Error) {
    const at = this.#hired.indexOf(hired);
    if (at < 0) return;
    this.#hired.splice(at, 1);
    dismiss(hired, error);
    if (this.#restarts >= (this.#options.maxRestarts ?? 8)) return;
    this.#restarts++;
    this.#hire().catch(() => {});
  }
}

function dismiss({ worker, waiting }: Hired, error: Error) {
  worker.terminate();
  for (const { reject } of waiting.splice(0)) reject(error);
}

function sendKeys(worker: Worker, keys: ReadonlyMap<number, Uint8Array>) {
  const copies = [...keys].map(([epoch, key]) =>
    [epoch, new Uint8Array(key)] as const
  );
  send(
    worker,
    { kind: "keys", keys: copies },
    copies.map(([, key]) => key.buffer),
  );
}

function send(
  worker: Worker,
  message: ToUnwrapWorker,
  transfer: ArrayBuffer[] = [],
) {
  worker.postMessage(message, transfer);
}
