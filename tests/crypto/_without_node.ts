/** Runs in a worker that has no `process`, as a browser has none, and reports what it could do. */
Object.defineProperty(globalThis, "process", { value: undefined });
const { nodeProvider, nobleProvider, selectProvider } = await import(
  "../../src/core/crypto/mod.ts"
);

let refusal: unknown;
try {
  nodeProvider.hash("sha256");
} catch (error) {
  refusal = error;
}
const { provider, trials } = selectProvider([]);
const worker = globalThis as unknown as {
  postMessage(message: unknown): void;
};
worker.postMessage({
  refusal: String(refusal),
  chosen: provider.name,
  tried: trials.map((trial) => trial.provider.name),
  hash: nobleProvider.hash("sha256").toHex(),
});
