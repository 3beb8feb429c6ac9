import { assertEquals } from "@std/assert";
import { VirtualClock } from "../../src/core/async/mod.ts";
import { MemoryNetwork } from "../../src/core/transport/mod.ts";
import {
  type Contact,
  createBundle,
  dtnTime,
  Eid,
  encodeBundle,
  TcpclLayer,
} from "../../src/dtn/mod.ts";
import { Conversation } from "./_conversation.ts";
import { isAvailable } from "./_peers.ts";

const PORT = 4556;
const LENGTH = "tcpcl.v4.xferext.transfer_length.total_len";
const REASON = "tcpcl.v4.xfer_refuse.reason";
const CRC_GOOD = "1";
/** A payload that takes three segments. */
const LARGE = 120_000;

Deno.test({
  name:
    "tshark reads our sessions of TCPCL, every message and the bundles in them, and finds no fault",
  ignore: !isAvailable("tshark", ["--version"], "tcpcl_tshark_test") ||
    !isAvailable("text2pcap", ["--version"], "tcpcl_tshark_test"),
  async fn() {
    const conversation = await makeConversation();
    const show = (filter: string, ...fields: string[]) =>
      conversation.show(
        PORT,
        ...["-Y", filter, "-T", "fields", "-E", "separator=;"],
        ...fields.flatMap((field) => ["-e", field]),
      );
    const seen = (await show("tcpcl", "tcpcl.v4.mhdr.type"))
      .split("\n").flatMap((line) => line.split(",")).filter((type) => type);
    const counts = Object.fromEntries(
      Object.entries(Object.groupBy(seen, (type) => type))
        .map(([type, all]) => [Number(type), all!.length]),
    );
    // SESS_INIT 2, three bundles in one segment and one in three; all but the refused one acknowledged; SESS_TERM and its reply
    assertEquals(counts, { 1: 6, 2: 5, 3: 1, 4: 2, 5: 2, 7: 2 });
    assertEquals(await show(LENGTH, LENGTH), `${bundleOf(LARGE).length}\n`);
    assertEquals(await show(REASON, REASON), "4\n");
    const crcs = await show("bpv7", "bpv7.crc_status");
    const verdicts = crcs.split(/[\n,]/).filter((verdict) => verdict);
    assertEquals(verdicts, Array(8).fill(CRC_GOOD)); // of two blocks in each bundle
    assertEquals(await show("_ws.malformed", "frame.number"), "");
    const warnings = "_ws.expert.severity >= 0x00600000";
    // It knows no application of the bundles, and the refused one has no acknowledgement.
    const payload = "Unknown type code\n";
    const refused = `XFER_SEGMENT has no related XFER_ACK,${payload}`;
    assertEquals(
      await show(warnings, "_ws.expert.message"),
      payload + payload + refused + payload,
    );
  },
});

/** Two layers that exchange bundles both ways, refuse one, keep each other alive and part. */
async function makeConversation(): Promise<Conversation> {
  const conversation = new Conversation();
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock });
  const layer = (name: string, transport = network.transport(name)) =>
    new TcpclLayer({
      nodeId: `dtn://${name}/`,
      transport,
      clock,
      keepaliveS: 10,
      segmentMruBytes: 50_000,
    });
  await using listener = await layer("far").listen("memory://far");
  const near = await layer(
    "near",
    conversation.record(network.transport("near")),
  )
    .dial("memory://far");
  const far: Contact = (await listener[Symbol.asyncIterator]().next()).value;
  for (const size of [10, LARGE]) {
    await Promise.all([decide(far, true), near.send(bundleOf(size))]);
  }
  await Promise.all([decide(far, false), near.send(bundleOf(20))]);
  await Promise.all([decide(near, true), far.send(bundleOf(30))]);
  await clock.run(8_000);
  await near.end();
  await far.closed;
  return conversation;
}

async function decide(contact: Contact, takes: boolean): Promise<void> {
  const { value } = await contact.received[Symbol.asyncIterator]().next();
  if (takes) value.accept();
  else value.refuse("notAcceptable");
}

let sequence = 0;

function bundleOf(size: number): Uint8Array {
  return encodeBundle(createBundle({
    source: Eid.parse("dtn://near/out"),
    destination: Eid.parse("dtn://far/in"),
    creation: { timeMs: dtnTime(1_800_000_000_000), sequence: sequence++ },
    lifetimeMs: 3_600_000,
    payload: new Uint8Array(size).fill(7),
  }));
}
