import { nodeProvider } from "../../../src/core/crypto/mod.ts";
import {
  serveUnwraps,
  type UnwrapWorkerScope,
} from "../../../src/mixnet/node/unwrap_worker.ts";

serveUnwraps(self as unknown as UnwrapWorkerScope, nodeProvider);
