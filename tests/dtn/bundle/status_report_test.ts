import { assertEquals, assertThrows } from "@std/assert";
import { decodeHex } from "../../../src/core/bytes/mod.ts";
import {
  adminRecordType,
  BUNDLE_FLAG,
  BundleError,
  createBundle,
  decodeBundle,
  decodeStatusReport,
  Eid,
  encodeStatusReport,
  payloadOf,
  REPORT_REASON,
  statusReportOn,
} from "../../../src/dtn/mod.ts";
import { ion } from "./_vectors.ts";

const bundle = createBundle({
  source: Eid.parse("dtn://n1/app"),
  destination: Eid.parse("ipn:2.7"),
  creation: { timeMs: 849_000_000_000, sequence: 5 },
  lifetimeMs: 60_000,
  payload: new Uint8Array(10),
});

Deno.test("decodeStatusReport() reads ION's report of a forwarded bundle, and encodeStatusReport() writes its bytes", () => {
  const [, , , captured] = ion.captured_from_ion;
  const carrier = decodeBundle(decodeHex(captured!.hex));
  assertEquals(carrier.primary.flags & BUNDLE_FLAG.adminRecord, 2);
  const payload = payloadOf(carrier);
  const report = decodeStatusReport(payload);
  assertEquals(report, {
    statuses: { forwarded: 848_649_994_847 },
    reason: REPORT_REASON.noInformation,
    source: Eid.parse("ipn:1.1"),
    creation: { timeMs: 848_649_994_847, sequence: 1 },
  });
  assertEquals(encodeStatusReport(report), payload);
});

Deno.test("statusReportOn() names the bundle, and the part that a fragment is", () => {
  const whole = statusReportOn(
    bundle,
    { received: true, deleted: 7 },
    REPORT_REASON.hopLimitExceeded,
  );
  const payload = encodeStatusReport(whole);
  assertEquals(adminRecordType(payload), 1);
  assertEquals(decodeStatusReport(payload), whole);
  assertEquals(
    payload.toHex(),
    "8201848481f581f481f482f50709" + "8201682f2f6e312f617070" +
      "821b000000c5ac57ea0005",
  );
  const primary = {
    ...bundle.primary,
    fragment: { offset: 30, totalLength: 90 },
  };
  const part = statusReportOn({ ...bundle, primary }, { delivered: true }, 0);
  assertEquals(part.fragment, { offset: 30, length: 10 });
  assertEquals(decodeStatusReport(encodeStatusReport(part)), part);
});

Deno.test("decodeStatusReport() refuses what is none", () => {
  const good = encodeStatusReport(statusReportOn(bundle, { received: 9 }, 1));
  for (let length = 0; length < good.length; length++) {
    const error = assertThrows(
      () => decodeStatusReport(good.subarray(0, length)),
      BundleError,
    );
    assertEquals(error.code, "admin_record");
  }
  const others = ["820284", "8300", "01", "820183", `${good.toHex()}00`];
  for (const hex of others) {
    assertThrows(() => decodeStatusReport(decodeHex(hex)), BundleError);
  }
  assertEquals(adminRecordType(decodeHex("820780")), 7);
  assertThrows(() => adminRecordType(decodeHex("a0")), BundleError);
});
