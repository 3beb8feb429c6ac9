import { selfSigned } from "../../src/core/transport/mod.ts";
import { quic } from "../../src/core/transport/mod.ts";
import { testTransport } from "../compliance/transport.ts";

testTransport("quic", async () => {
  const certificate = await selfSigned({ names: ["127.0.0.1"] });
  const transport = quic({
    certificate,
    caCerts: [certificate.certPem],
    dialTimeoutMs: 2_000,
  });
  return {
    dialer: transport,
    listener: transport,
    listenAt: "quic://127.0.0.1:0",
    unreachable: "quic://127.0.0.1:1",
    maxBufferedBytes: 16 * 1_048_576,
  };
});
