/** Says that it is ready, and fails at the first batch. */
const scope = self as unknown as Worker;
scope.onmessage = ({ data }) => {
  if (data.kind === "batch") throw new Error("out of order");
};
scope.postMessage({ kind: "ready", provider: "none" });
