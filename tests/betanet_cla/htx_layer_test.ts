import { testConvergenceLayer } from "../compliance/convergence_layer.ts";
import { HtxWorld, SERVER } from "./_htx_world.ts";

const SMALL = {
  maxBundleBytes: 2_000_000,
  sending: { maxCount: 1_000, maxBytes: 8_000_000 },
  receiving: { maxCount: 1_000, maxBytes: 1_000_000 },
};

for (const datagrams of [true, false]) {
  const how = datagrams ? "with datagrams" : "on streams alone";
  testConvergenceLayer(`htx over memory, ${how}`, () => {
    const world = new HtxWorld();
    const options = { ...SMALL, datagrams };
    return {
      dialer: world.layer({ ...options, nodeId: "dtn://near/" }),
      listener: world.layer({ ...options, nodeId: "dtn://far/" }),
      listenAt: SERVER,
      unreachable: "memory://nobody",
      acknowledges: true,
      holdsBack: true,
      reorders: true,
      maxBufferedBytes: 1_100_000,
    };
  });
}
