import { MemoryNetwork } from "../../src/core/transport/mod.ts";
import { testTransport } from "../compliance/transport.ts";

testTransport("memory", () => {
  const network = new MemoryNetwork({ bufferBytes: 100_000 });
  return {
    dialer: network.transport("near"),
    listener: network.transport("far"),
    listenAt: "memory://far:0",
    unreachable: "memory://far:1",
    maxBufferedBytes: 100_000,
  };
});
