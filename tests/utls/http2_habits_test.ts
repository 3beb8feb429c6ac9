import { assertEquals, assertNotEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import {
  drawSettings,
  type Http2Habits,
  parseProfile,
  profileOf,
  profileVersions,
} from "../../src/utls/mod.ts";
import { captures, flows, http2StartOf } from "./_chrome_captures.ts";
import { profileJson } from "./_profile_json.ts";

for (const capture of captures()) {
  Deno.test(`settings, window and priority are those of ${capture.file}`, () => {
    const { http2 } = profileOf(capture.version);
    const { settings, windowIncrement, priority } = http2StartOf(capture);
    assertEquals(drawSettings(http2, nodeProvider), settings);
    assertEquals(http2.windowIncrement, windowIncrement);
    assertEquals(http2.priority, priority);
    assertEquals(akamaiText(http2), capture.h2.akamai_text);
  });
}

Deno.test("every version has the published Akamai hash", () => {
  for (const version of profileVersions()) {
    const expected = version === 106
      ? "4f04edce68a7ecbe689edce7bf5f23f3"
      : version < 117
      ? "a345a694846ad9f6c97bcc3c75adbe26"
      : "52d84b11737d980aef856699f885ca86";
    const text = akamaiText(profileOf(version).http2);
    assertEquals(createHash("md5").update(text).digest("hex"), expected);
  }
});

Deno.test("preface, SETTINGS and WINDOW_UPDATE share the first record of Chromium 156, HEADERS has the next", () => {
  const { firstRecords, settings } = profileOf(156).http2;
  assertEquals(firstRecords, [
    ["preface", "settings", "windowUpdate"],
    ["headers"],
  ]);
  const [, , , first, second] =
    flows()["h2-normal"]![0]!.client_records_type_ver_len;
  const sealed = 1 + 16;
  assertEquals(first![2], 24 + 9 + 6 * settings.length + 9 + 4 + sealed);
  assertEquals(second![2] > 400, true);
});

Deno.test("drawSettings() adds a GREASE setting with a random value where the profile has one", () => {
  const json = profileJson(156);
  json.http2.greaseSetting = true;
  const { http2 } = parseProfile(json);
  const drawn = Array.from({ length: 64 }, () => {
    const settings = drawSettings(http2, nodeProvider);
    assertEquals(settings.slice(0, -1), http2.settings);
    return settings.at(-1)!;
  });
  assertEquals(drawn.every(([id]) => (id & 0x0f0f) === 0x0a0a), true);
  assertNotEquals(drawn[0]![1], drawn[1]![1]);
  assertEquals(new Set(drawn.map(([id]) => id)).size > 16, true);
});

function akamaiText({ settings, windowIncrement, pseudoOrder }: Http2Habits) {
  const list = settings.map((setting) => setting.join(":")).join(";");
  const order = pseudoOrder.map((name) => name[1]).join();
  return `${list}|${windowIncrement}|0|${order}`;
}
