import { ws } from "../../src/core/transport/mod.ts";
import { testTransport } from "../compliance/transport.ts";

testTransport("ws", () => ({
  dialer: ws,
  listener: ws,
  listenAt: "ws://127.0.0.1:0/a?b",
  unreachable: "ws://127.0.0.1:1/a?b",
  maxBufferedBytes: 16 * 1_048_576,
}));
