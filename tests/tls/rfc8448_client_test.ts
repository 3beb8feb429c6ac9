import { assert, assertEquals } from "@std/assert";
import { type Bytes, concat } from "../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import { TlsClient } from "../../src/tls/client.ts";
import { CIPHER_SUITE } from "../../src/tls/suite.ts";
import { GROUP } from "../../src/utls/mod.ts";
import { recordedOffer, recordedOffers, recordedShare } from "./_offer.ts";
import { traceBytes, type TraceName, verifyShortRsa } from "./_rfc8448.ts";

const HEADER_LENGTH = 5;

Deno.test("TlsClient makes the records of the simple 1-RTT trace", () => {
  using client = traceClient("simple", 32);
  assertEquals(client.takeOutput(), traceBytes("simple", "recordClientHello1"));
  handshake(client, "simple");
  assertEquals(client.agreement, {
    alpn: undefined,
    cipherSuite: CIPHER_SUITE.aes128GcmSha256,
    group: GROUP.x25519,
    resumed: false,
    peerCertificates: client.agreement!.peerCertificates,
  });
  assertEquals(
    client.takeOutput(),
    traceBytes("simple", "recordClientFinished"),
  );
  client.receive(traceBytes("simple", "recordNewSessionTicket"));
  client.send(traceBytes("simple", "clientAppData"));
  assertEquals(
    client.takeOutput(),
    traceBytes("simple", "recordClientAppData"),
  );
  client.receive(traceBytes("simple", "recordServerAppData"));
  assertEquals(client.takeData(), [traceBytes("simple", "serverAppData")]);
  closeAsIn("simple", client);
});

Deno.test("TlsClient makes the binder and the data of the resumed trace from the ticket of the simple one", () => {
  using first = traceClient("simple", 32);
  handshake(first, "simple");
  first.receive(traceBytes("simple", "recordNewSessionTicket"));
  const [session] = first.takeSessions(0);
  const record = traceBytes("resumed", "recordClientHello1");
  const share = recordedShare(
    GROUP.x25519,
    traceBytes("resumed", "clientRngPool").slice(32, 64),
  );
  using client = new TlsClient({
    crypto: nodeProvider,
    offers: recordedOffers(
      recordedOffer(record.slice(HEADER_LENGTH), [share]),
    ),
    session: session!,
    nowMs: 0,
  });
  assertEquals(
    client.takeOutput().subarray(HEADER_LENGTH),
    record.subarray(HEADER_LENGTH),
  );
  client.receive(traceBytes("resumed", "recordServerHello"));
  client.receive(traceBytes("resumed", "recordServerHandshakeMessages"));
  assert(client.agreement?.resumed);
  assertEquals(
    client.agreement.peerCertificates,
    first.agreement!.peerCertificates,
  );
  client.takeOutput(); // no end of early data goes before our Finished, as we send none
  client.send(traceBytes("resumed", "clientAppData"));
  assertEquals(
    client.takeOutput(),
    traceBytes("resumed", "recordClientAppData"),
  );
  client.receive(traceBytes("resumed", "recordServerAppData"));
  assertEquals(client.takeData(), [traceBytes("resumed", "serverAppData")]);
  closeAsIn("resumed", client);
});

Deno.test("TlsClient makes the records of the HelloRetryRequest trace", () => {
  const trace = "helloRetryRequest";
  const random = traceBytes(trace, "clientRngPool");
  const [hello1, hello2] = [
    traceBytes(trace, "recordClientHello1"),
    traceBytes(trace, "recordClientHello2"),
  ];
  using client = new TlsClient({
    crypto: nodeProvider,
    offers: recordedOffers(
      recordedOffer(hello1.slice(HEADER_LENGTH), [
        recordedShare(GROUP.x25519, random.slice(32, 64)),
      ]),
      recordedOffer(hello2.slice(HEADER_LENGTH), [
        recordedShare(GROUP.p256, random.slice(64, 96)),
      ]),
    ),
    nowMs: 0,
    verifySignature: verifyShortRsa,
  });
  assertEquals(client.takeOutput(), hello1);
  client.receive(traceBytes(trace, "recordHelloRetryRequest"));
  assertEquals(client.takeOutput(), hello2);
  handshake(client, trace);
  assertEquals(client.agreement?.group, GROUP.p256);
  assertEquals(client.takeOutput(), traceBytes(trace, "recordClientFinished"));
  closeAsIn(trace, client);
});

Deno.test("TlsClient makes the records of the trace in compatibility mode", () => {
  const trace = "compatibility";
  using client = traceClient(trace, 64);
  assertEquals(client.takeOutput(), traceBytes(trace, "recordClientHello1"));
  handshake(client, trace);
  assertEquals(client.takeOutput(), traceBytes(trace, "recordClientFinished"));
  closeAsIn(trace, client);
});

Deno.test("TlsClient verifies the server's flight of the client authentication trace", () => {
  const trace = "clientAuthentication";
  using client = traceClient(trace, 32, false);
  handshake(client, trace);
  assertEquals(client.agreement?.peerCertificates.length, 1);
});

Deno.test("TlsClient makes the same of a trace that comes byte by byte", () => {
  using client = traceClient("simple", 32);
  client.takeOutput();
  const records = concat(
    traceBytes("simple", "recordServerHello"),
    traceBytes("simple", "recordServerHandshakeMessages"),
  );
  for (const byte of records) client.receive(Uint8Array.of(byte));
  client.accept();
  const records2 = concat(
    traceBytes("simple", "recordNewSessionTicket"),
    traceBytes("simple", "recordServerAppData"),
  );
  for (const byte of records2) client.receive(Uint8Array.of(byte));
  assertEquals(
    client.takeOutput(),
    traceBytes("simple", "recordClientFinished"),
  );
  assertEquals(client.takeData(), [traceBytes("simple", "serverAppData")]);
});

function traceClient(
  trace: Exclude<TraceName, "helloRetryRequest" | "resumed">,
  keyAt: number,
  hasShortKey = true,
): TlsClient {
  const hello = traceBytes(trace, "recordClientHello1").slice(HEADER_LENGTH);
  const privateKey: Bytes = traceBytes(trace, "clientRngPool")
    .slice(keyAt, keyAt + 32);
  return new TlsClient({
    crypto: nodeProvider,
    offers: recordedOffers(
      recordedOffer(hello, [recordedShare(GROUP.x25519, privateKey)]),
    ),
    nowMs: 0,
    ...(hasShortKey && { verifySignature: verifyShortRsa }),
  });
}

function handshake(client: TlsClient, trace: TraceName): void {
  client.receive(traceBytes(trace, "recordServerHello"));
  client.receive(traceBytes(trace, "recordServerHandshakeMessages"));
  client.accept();
}

function closeAsIn(trace: TraceName, client: TlsClient): void {
  client.closeNotify();
  assertEquals(
    client.takeOutput(),
    traceBytes(trace, "recordClientCloseNotify"),
  );
  client.receive(traceBytes(trace, "recordServerCloseNotify"));
  assert(client.isPeerClosed);
}
