/** Runs as a program that has no `process`, as a browser has none, and prints what it could do. */
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
const report = {
  refusal: String(refusal),
  chosen: provider.name,
  tried: trials.map((trial) => trial.provider.name),
  hash: nobleProvider.hash("sha256").toHex(),
};
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(report)));
