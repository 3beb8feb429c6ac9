import { assert, assertEquals } from "@std/assert";
import { type Bytes, concat } from "../../src/core/bytes/mod.ts";
import { traceBytes, type TraceName } from "./_rfc8448.ts";
import { TraceServer } from "./_trace_server.ts";

const END_OF_EARLY_DATA = Uint8Array.of(5, 0, 0, 0);
const FINISHED_RECORD_LENGTH = 5 + 4 + 32 + 1 + 16;

Deno.test("a server makes the records of the simple 1-RTT trace, and its ticket's key is that of the resumed one", () => {
  using server = shakeHands("simple");
  const ticket = server.openOwn(traceBytes("simple", "recordNewSessionTicket"));
  server.sendTicket(ticket);
  assertEquals(
    server.takeOutput(),
    traceBytes("simple", "recordNewSessionTicket"),
  );
  exchangeData("simple", server);
  closeAsIn("simple", server);

  using resumed = new TraceServer("resumed", server.pskOf(ticket));
  assertEquals(resumed.takeOutput(), flightOf("resumed"));
  // The client's early data and the record that ends it are under keys that we never make.
  resumed.pass(END_OF_EARLY_DATA);
  resumed.receive(
    traceBytes("resumed", "recordClientFinished")
      .slice(-FINISHED_RECORD_LENGTH),
  );
  assert(resumed.agreement);
  exchangeData("resumed", resumed);
  closeAsIn("resumed", resumed);
});

Deno.test("a server makes the records of the HelloRetryRequest trace, and takes the second hello with its cookie", () => {
  using server = shakeHands("helloRetryRequest");
  closeAsIn("helloRetryRequest", server);
});

Deno.test("a server makes the records of the client authentication trace, and verifies the client's signature", () => {
  using server = shakeHands("clientAuthentication");
  assertEquals(server.verifiedClient, true);
  closeAsIn("clientAuthentication", server);
});

Deno.test("a server makes the records of the trace in compatibility mode", () => {
  using server = shakeHands("compatibility");
  closeAsIn("compatibility", server);
});

/** Answers the client of `trace` up to its Finished. */
function shakeHands(trace: Exclude<TraceName, "resumed">): TraceServer {
  const server = new TraceServer(trace);
  const retry = trace === "helloRetryRequest"
    ? traceBytes(trace, "recordHelloRetryRequest")
    : new Uint8Array(0);
  assertEquals(server.takeOutput(), concat(retry, flightOf(trace)));
  server.receive(traceBytes(trace, "recordClientFinished"));
  assert(server.agreement);
  return server;
}

function flightOf(trace: TraceName): Bytes {
  return concat(
    traceBytes(trace, "recordServerHello"),
    traceBytes(trace, "recordServerHandshakeMessages"),
  );
}

function exchangeData(
  trace: "simple" | "resumed",
  server: TraceServer,
): void {
  server.receive(traceBytes(trace, "recordClientAppData"));
  assertEquals(server.takeData(), [traceBytes(trace, "clientAppData")]);
  server.send(traceBytes(trace, "serverAppData"));
  assertEquals(server.takeOutput(), traceBytes(trace, "recordServerAppData"));
}

function closeAsIn(trace: TraceName, server: TraceServer): void {
  server.receive(traceBytes(trace, "recordClientCloseNotify"));
  assert(server.isPeerClosed);
  server.closeNotify();
  assertEquals(
    server.takeOutput(),
    traceBytes(trace, "recordServerCloseNotify"),
  );
}
