import { assert, assertEquals } from "@std/assert";
import { type Bytes, decodeHex, Writer } from "../../src/core/bytes/mod.ts";
import { nodeProvider as crypto, Secret } from "../../src/core/crypto/mod.ts";
import {
  BLOCK_TYPE,
  bpsec,
  type Bundle,
  BUNDLE_FLAG,
  createBundle,
  decodeBundle,
  Eid,
  encodeBundle,
  encodeStatusReport,
  REPORT_REASON,
  statusReportOn,
} from "../../src/dtn/mod.ts";
import { makeFolder } from "../cli/_htx_process.ts";
import { bp7 } from "../dtn/bundle/_vectors.ts";
import { generator } from "../htx/_mutation.ts";
import { isAvailable } from "./_peers.ts";
import { randomBundle } from "./_random_bundle.ts";

const ignore = !isAvailable("tshark", ["--version"], "bundle_tshark_test");
const BUNDLES = 2_000;
const PORT = 4556;
const CRC_STATUS = { good: "1", bad: "0", unverified: "2" };
/** What tshark says of a payload that it knows no protocol for, as it does of most. */
const OPAQUE = "Unknown type code";

Deno.test({
  name:
    `bundles: tshark reads ${BUNDLES} of ours as we mean them, every check value good, and complains of none`,
  ignore,
  async fn() {
    const random = generator(62);
    const bundles = Array.from({ length: BUNDLES }, (_, i) => {
      const bundle = randomBundle(random, {
        timeLimitMs: 2 ** 40,
        allocators: false,
        otherTypes: true,
      });
      // it does not read what reports on fragments have more (RFC 9171 section 6.1.1)
      return i % 5 || bundle.primary.fragment ? bundle : reportOn(bundle, i);
    }).filter((each) => encodeBundle(each).length < 65_000);
    const { complaints, seen } = await ask(bundles.map((b) => encodeBundle(b)));
    assertEquals(complaints, []);
    assertEquals(seen.length, bundles.length);
    for (const [i, { primary, blocks }] of bundles.entries()) {
      const all = [primary, ...blocks];
      const [destination, source, lifetime, sequence, numbers, crcs] = seen[i]!;
      assertEquals(destination, `${primary.destination}`);
      assertEquals(source, `${primary.source}`);
      assertEquals(lifetime, `${primary.lifetimeMs}`);
      assertEquals(sequence?.split(",")[0], `${primary.creation.sequence}`);
      assertEquals(numbers, blocks.map(({ number }) => number).join());
      assertEquals(
        crcs,
        all.filter(({ crcType }) => crcType).map(() => CRC_STATUS.good).join(),
      );
    }
  },
});

Deno.test({
  name:
    "bundles: tshark says which blocks sign and encrypt which, and complains of nothing",
  ignore,
  async fn() {
    const key = new Secret(crypto.random(32));
    const node = Eid.parse("ipn:9.0");
    const targets = [BLOCK_TYPE.payload];
    const policy = new bpsec.SecurityPolicy({
      crypto,
      node,
      keys: { keyFor: () => key },
      rules: [
        { role: "source", service: "integrity", targets: [0, ...targets] },
        { role: "source", service: "confidentiality", targets, wrap: true },
      ],
    });
    const secured = policy.protect(createBundle({
      source: node,
      destination: Eid.parse("ipn:8.7"),
      creation: { timeMs: 849_000_000_000, sequence: 1 },
      lifetimeMs: 60_000,
      payload: crypto.random(100),
      flags: BUNDLE_FLAG.mustNotFragment,
    }));
    assertEquals(secured.blocks.length, 5); // two signatures, one of them encrypted
    const { complaints, seen } = await ask([encodeBundle(secured)]);
    const notes = [
      "BIB block number 2",
      "BCB block number 4",
      "BCB block number 5",
    ]
      .map((by) => `Block is targed by ${by}`);
    assertEquals(complaints, [["1", ...notes]]);
    const numbers = secured.blocks.map(({ number }) => number).join();
    assertEquals(seen.map((fields) => fields[4]), [numbers]);
  },
});

Deno.test({
  name:
    "bundles: tshark complains of what we refuse, so its silence says something",
  ignore,
  async fn() {
    const ids = ["duplicate-block-number", "payload-not-last", "crc-type-25"];
    const bad = bp7.conformance.filter(({ id }) => ids.includes(id));
    const good = encodeBundle(reportOn(
      decodeBundle(decodeHex(
        bp7.conformance.find(({ id }) => id === "bplib-crc16")!.hex,
      )),
      1,
    ));
    good[good.length - 3]! ^= 1;
    const { complaints } = await ask([
      ...bad.map(({ hex }) => decodeHex(hex)),
      good,
    ]);
    assertEquals(complaints.map(([frame]) => frame), ["1", "2", "3", "4"]);
  },
});

/** A bundle that reports on `bundle`. */
function reportOn(bundle: Bundle, sequence: number): Bundle {
  const report = statusReportOn(
    bundle,
    { received: 1_000, forwarded: true },
    REPORT_REASON.unidirectionalLink,
  );
  return createBundle({
    source: Eid.parse("ipn:9.0"),
    destination: bundle.primary.reportTo,
    creation: { timeMs: 849_000_000_000, sequence },
    lifetimeMs: 60_000,
    payload: encodeStatusReport(report),
    flags: BUNDLE_FLAG.adminRecord,
  });
}

async function ask(datagrams: readonly Uint8Array[]) {
  await using folder = await makeFolder();
  const path = `${folder.path}/bundles.pcap`;
  await Deno.writeFile(path, pcapOf(datagrams));
  const fields = [
    ...["bpv7.primary.dst_uri", "bpv7.primary.src_uri"],
    ...["bpv7.primary.lifetime", "bpv7.create_ts.seqno"],
    ...["bpv7.canonical.block_num", "bpv7.crc_status"],
  ];
  const text = await tshark(
    ...["-r", path, "-Y", "bpv7", "-T", "fields"],
    ...fields.flatMap((field) => ["-e", field]),
  );
  const notes = await tshark(
    ...["-r", path, "-T", "fields", "-e", "frame.number"],
    ...["-e", "_ws.malformed", "-e", "_ws.expert.message"],
  );
  const complaints = notes.split("\n").map((line) =>
    line.split(/[\t,]/).filter((word) => word && word !== OPAQUE)
  ).filter(({ length }) => length > 1);
  const seen = text.split("\n").map((line) => line.split("\t"));
  return { complaints, seen };
}

async function tshark(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command("tshark", {
    args: [...args],
    stdin: "null",
  }).output();
  assert(code === 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trimEnd();
}

/** A capture of raw IPv4 packets, one datagram each. */
function pcapOf(datagrams: readonly Uint8Array[]): Bytes {
  const w = new Writer(1 << 20);
  w.u32(0xa1b2c3d4).u16(2).u16(4).u32(0).u32(0).u32(1 << 18).u32(101);
  for (const [i, datagram] of datagrams.entries()) {
    const length = 28 + datagram.length;
    w.u32(i).u32(0).u32(length).u32(length);
    w.u16(0x4500).u16(length).u32(0).u16(0x4011).u16(0);
    w.u32(0x7f000001).u32(0x7f000002);
    w.u16(PORT).u16(PORT).u16(8 + datagram.length).u16(0).put(datagram);
  }
  return w.finish();
}
