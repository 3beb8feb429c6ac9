import type { Bytes } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { type SphinxGeometry, sphinxGeometry } from "../sphinx/geometry.ts";
import { EpochKeyTable } from "./epoch_key_table.ts";
import { UnwrapBatch } from "./unwrap_batch.ts";

/** What a pool tells its workers. */
export type ToUnwrapWorker =
  | { readonly kind: "start"; readonly payloadLength: number }
  | {
    readonly kind: "keys";
    readonly keys: readonly (readonly [epoch: number, key: Bytes])[];
  }
  | {
    readonly kind: "batch";
    readonly buffer: ArrayBuffer;
    readonly count: number;
  };

/** What a worker tells its pool: `ready` before anything is told to it. */
export type FromUnwrapWorker =
  | { readonly kind: "ready"; readonly provider: string }
  | {
    readonly kind: "batch";
    readonly buffer: ArrayBuffer;
    readonly count: number;
  };

/** What a worker needs of its global scope. */
export interface UnwrapWorkerScope {
  /** Called for each message of the pool. */
  onmessage: ((event: MessageEvent<ToUnwrapWorker>) => void) | null;
  /** Answers the pool. */
  postMessage(message: FromUnwrapWorker, transfer?: ArrayBuffer[]): void;
}

/**
 * Serves a `WorkerUnwrapPool`: what the module of its workers calls with its global scope.
 *
 * ```ts ignore
 * serveUnwraps(self, defaultProvider());
 * ```
 */
export function serveUnwraps(
  scope: UnwrapWorkerScope,
  crypto: CryptoProvider,
): void {
  const keys = new EpochKeyTable();
  let geometry: SphinxGeometry | undefined;
  scope.onmessage = ({ data }) => {
    switch (data.kind) {
      case "start":
        geometry = sphinxGeometry(data.payloadLength);
        return;
      case "keys":
        keys.replace(new Map(data.keys));
        for (const [, key] of data.keys) key.fill(0);
        return;
      case "batch": {
        const { buffer, count } = data;
        new UnwrapBatch(geometry!, buffer, count)
          .unwrap(crypto, (epoch) => keys.get(epoch));
        return scope.postMessage({ kind: "batch", buffer, count }, [buffer]);
      }
    }
  };
  scope.postMessage({ kind: "ready", provider: crypto.name });
}
