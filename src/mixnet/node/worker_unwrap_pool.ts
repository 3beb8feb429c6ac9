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
  readonly #starting = new Set<Worker>();
  /** Those that wait for any worker to become ready, or to fail. */
  readonly #expecting: (() => void)[] = [];
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

  /** Gives the batch to the worker that has the fewest, or to the next one while all are being replaced. */
  async unwrap(batch: UnwrapBatch): Promise<UnwrapBatch> {
    while (this.#hired.length === 0 && this.#starting.size > 0) {
      await new Promise<void>((resolve) => this.#expecting.push(resolve));
    }
    const [first, ...others] = this.#hired;
    if (!first) throw new Error("No unwrap worker is left");
    const least = others.reduce(
      (least, each) =>
        each.waiting.length < least.waiting.length ? each : least,
      first,
    );
    return await new Promise((resolve, reject) => {
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
    for (const worker of [...this.#starting]) {
      worker.terminate();
      this.#started(worker);
    }
    this.#keys = new Map();
  }

  /** Starts a worker, which counts once it says that it is ready: messages sent before could be lost. */
  #hire(): Promise<void> {
    const { spawn, geometry } = this.#options;
    const { payloadLength } = geometry;
    return new Promise((resolve, reject) => {
      const worker = spawn();
      const hired: Hired = { worker, waiting: [] };
      this.#starting.add(worker);
      worker.onmessage = ({ data }: MessageEvent<FromUnwrapWorker>) => {
        if (data.kind === "batch") {
          const batch = new UnwrapBatch(geometry, data.buffer, data.count);
          return hired.waiting.shift()?.resolve(batch);
        }
        this.#started(worker);
        this.#provider = data.provider;
        send(worker, { kind: "start", payloadLength });
        sendKeys(worker, this.#keys);
        this.#hired.push(hired);
        resolve();
      };
      worker.onerror = (event) => {
        event.preventDefault();
        const error = new Error(`An unwrap worker failed: ${event.message}`);
        if (this.#started(worker)) worker.terminate();
        reject(error);
        this.#replace(hired, error);
      };
    });
  }

  /** Whether `worker` was starting until now. */
  #started(worker: Worker): boolean {
    const wasStarting = this.#starting.delete(worker);
    queueMicrotask(() => {
      for (const resolve of this.#expecting.splice(0)) resolve();
    });
    return wasStarting;
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
