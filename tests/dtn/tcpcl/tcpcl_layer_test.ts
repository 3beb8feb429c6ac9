import { MemoryNetwork, tcp } from "../../../src/core/transport/mod.ts";
import {
  TcpclLayer,
  type TcpclOptions,
} from "../../../src/dtn/tcpcl/tcpcl_layer.ts";
import { testConvergenceLayer } from "../../compliance/convergence_layer.ts";

const SMALL: Partial<TcpclOptions> = {
  transferMruBytes: 2_000_000,
  sending: { maxCount: 1_000, maxBytes: 4_000_000 },
  receiving: { maxCount: 1_000, maxBytes: 1_000_000 },
};

testConvergenceLayer("tcpcl over memory", () => {
  const network = new MemoryNetwork();
  return {
    dialer: new TcpclLayer({
      ...SMALL,
      nodeId: "dtn://near/",
      transport: network.transport("near"),
    }),
    listener: new TcpclLayer({
      ...SMALL,
      nodeId: "dtn://far/",
      transport: network.transport("far"),
    }),
    listenAt: "memory://far",
    unreachable: "memory://nobody",
    acknowledges: true,
    holdsBack: true,
    maxBufferedBytes: 4_000_000,
  };
});

testConvergenceLayer("tcpcl over tcp", () => ({
  dialer: new TcpclLayer({ ...SMALL, nodeId: "ipn:1.0", transport: tcp }),
  listener: new TcpclLayer({ ...SMALL, nodeId: "ipn:2.0" }),
  listenAt: "tcp://127.0.0.1:0",
  unreachable: "tcp://127.0.0.1:1",
  acknowledges: true,
  holdsBack: true,
  maxBufferedBytes: 16 * 1_048_576,
}));
