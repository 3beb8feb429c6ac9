import { silentLogger } from "../../src/core/log/mod.ts";
import { node } from "../../src/mixnet/mod.ts";
import { CRYPTO_NAMES } from "../_crypto.ts";
import { oneOf } from "../_flags.ts";
import type { WorkerScope } from "../_terminal.ts";
import { spawnWorker } from "../_worker.ts";
import { openMixCrypto } from "./open_mix_crypto.ts";

/** What programs call this task in their `workers`. */
const UNWRAP_TASK = "unwrap";

/** Starts a thread that unwraps packets, for a `WorkerUnwrapPool`. */
export function spawnUnwrapWorker(
  crypto: typeof CRYPTO_NAMES[number],
): Worker {
  return spawnWorker(UNWRAP_TASK, crypto);
}

/** Unwraps packets in this thread, with the cryptography that its starter chose by name. */
export function unwrapWorker(scope: WorkerScope, name: string): void {
  const crypto = oneOf("crypto", name, CRYPTO_NAMES);
  node.serveUnwraps(scope, openMixCrypto(crypto, silentLogger));
}
