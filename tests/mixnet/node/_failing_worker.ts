import type {
  FromUnwrapWorker,
  ToUnwrapWorker,
} from "../../../src/mixnet/node/unwrap_worker.ts";

/** Says that it is ready, and fails at its first batch. */
const scope = self as unknown as {
  onmessage: (event: MessageEvent<ToUnwrapWorker>) => void;
  postMessage(message: FromUnwrapWorker): void;
};
scope.onmessage = ({ data }) => {
  if (data.kind === "start") {
    scope.postMessage({ kind: "ready", provider: "failing" });
  }
  if (data.kind === "batch") throw new Error("as the test wants");
};
