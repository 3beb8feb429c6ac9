import { testConvergenceLayer } from "../compliance/convergence_layer.ts";
import { HtxWorld, SERVER } from "./_htx_world.ts";

const SMALL = {
  maxBundleBytes: 2_000_000,
  sending: { maxCount: 1_000, maxBytes: 8_000_000 },
  receiving: { maxCount: 1_000, maxBytes: 1_000_000 },
};

testConvergenceLayer("htx over memory", () => {
  const world = new HtxWorld();
  return {
    dialer: world.layer({ ...SMALL, nodeId: "dtn://near/" }),
    listener: world.layer({ ...SMALL, nodeId: "dtn://far/" }),
    listenAt: SERVER,
    unreachable: "memory://nobody",
    acknowledges: true,
    holdsBack: true,
    reorders: true,
    maxBufferedBytes: 1_100_000,
  };
});
