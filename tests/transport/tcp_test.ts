import { tcp } from "../../src/core/transport/mod.ts";
import { testTransport } from "../compliance/transport.ts";

testTransport("tcp", () => ({
  dialer: tcp,
  listener: tcp,
  listenAt: "tcp://127.0.0.1:0",
  unreachable: "tcp://127.0.0.1:1",
  maxBufferedBytes: 16 * 1_048_576,
}));
