import { assertEquals } from "@std/assert";
import { concat, Writer } from "../../src/core/bytes/mod.ts";
import { MemoryNetwork } from "../../src/core/transport/mod.ts";
import {
  type ClientHello,
  encodeClientHello,
  profileOf,
} from "../../src/utls/mod.ts";
import { RecordedListener } from "../../cli/utls/recorded_listener.ts";
import { sentHellos, splitAsSent } from "../../cli/utls/sent_records.ts";
import { observedHellos } from "../utls/_observed_browser.ts";

function record(type: number, version: number, payload: Uint8Array) {
  return new Writer().u8(type).u16(version).u16(payload.length).put(payload)
    .finish();
}

Deno.test("sentHellos() tells the hello after a HelloRetryRequest, and leaves out a record that was cut", () => {
  const hellos = observedHellos(profileOf(156), 1);
  const of = (kind: string): ClientHello =>
    hellos.find((each) => each.kind === kind)!.hello;
  const first = record(22, 0x0301, encodeClientHello(of("websocket")));
  const ccs = record(20, 0x0303, Uint8Array.of(1));
  const second = record(22, 0x0303, encodeClientHello(of("retry")));
  assertEquals(sentHellos(concat(first, ccs, second)), [
    { kind: "websocket", recordVersion: 0x0301, hello: of("websocket") },
    { kind: "retry", recordVersion: 0x0303, hello: of("retry") },
  ]);
  assertEquals(
    sentHellos(concat(first, ccs, second.subarray(0, -1))).length,
    1,
  );
  assertEquals(sentHellos(first.subarray(0, 4)), []);
});

Deno.test("splitAsSent() cuts data where records ended, Finished left out", () => {
  const sent = concat(
    record(22, 0x0301, new Uint8Array(4)),
    ...[53, 20, 19, 30].map((length) =>
      record(23, 0x0303, new Uint8Array(length))
    ),
  );
  const data = Uint8Array.of(1, 2, 3, 4, 5);
  assertEquals(splitAsSent(data, sent), [
    Uint8Array.of(1, 2, 3),
    Uint8Array.of(4, 5),
  ]);
});

Deno.test("RecordedListener tells what a client sent when its connection ends, 16 KiB of it", async () => {
  const network = new MemoryNetwork();
  const told: Uint8Array[] = [];
  await using listener = new RecordedListener(
    await network.transport("server").listen("memory://server:0"),
    (sent) => told.push(sent),
  );
  const arrival = listener[Symbol.asyncIterator]().next();
  await using client = await network.transport("client")
    .dial(listener.address);
  const server = (await arrival).value!;
  const buffer = new Uint8Array(20_000);
  await client.write(Uint8Array.of(1, 2, 3));
  assertEquals(await server.read(buffer), 3);
  await server.write(Uint8Array.of(4));
  assertEquals(await client.read(buffer), 1);
  await client.write(buffer);
  for (let left = buffer.length; left > 0;) {
    left -= (await server.read(buffer))!;
  }
  assertEquals(told, []);
  server.close();
  await server.closed;
  assertEquals(told[0]!.length, 16_384);
  assertEquals(told[0]!.subarray(0, 3), Uint8Array.of(1, 2, 3));
});
