import { assertEquals } from "@std/assert";
import type { HeaderField } from "../../src/http2/mod.ts";
import {
  navigationFields,
  parseProfile,
  type Profile,
  profileOf,
} from "../../src/utls/mod.ts";
import { captures, http2StartOf } from "./_chrome_captures.ts";
import { profileJson } from "./_profile_json.ts";

const TARGET = { authority: "www.example.com", path: "/" };

for (const capture of captures()) {
  const { file, version } = capture;
  Deno.test(`navigationFields() are those of ${file} in another build`, () => {
    assertEquals(
      navigationFields(asBuilt(version), TARGET),
      asReleased(version, http2StartOf(capture).fields),
    );
  });
}

/** The profile with the brands of the captured builds in place of Chrome's; 110 without trials is as 109. */
function asBuilt(version: number): Profile {
  const profile = profileOf(version === 110 ? 109 : version);
  const { fields } = profile.navigation;
  const brand = version === 156 ? {} : { brand: "HeadlessChrome" };
  return { ...profile, version, navigation: { fields, ...brand } };
}

/** What the captured builds sent, with the name, language and, up to 110, brands that they lack. */
function asReleased(
  version: number,
  sent: readonly HeaderField[],
): HeaderField[] {
  const fields = sent
    .filter(([name]) => name !== "accept-language")
    .map(([name, value]): HeaderField => [
      name,
      value.replace(/HeadlessChrome\/[0-9.]+/, `Chrome/${version}.0.0.0`),
    ]);
  if (version <= 110) {
    const expected = navigationFields(asBuilt(version), TARGET);
    fields.splice(4, 0, ...expected.slice(4, 7));
  }
  const end = fields.at(-1)![0] === "priority" ? -1 : fields.length;
  return fields.toSpliced(end, 0, ["accept-language", "en-US,en;q=0.9"]);
}

Deno.test("navigationFields() name the brands as Chrome does", () => {
  const brandsOf = (version: number) =>
    navigationFields(profileOf(version), TARGET)
      .find(([name]) => name === "sec-ch-ua")![1];
  assertEquals(
    brandsOf(106),
    '"Chromium";v="106", "Google Chrome";v="106", "Not;A=Brand";v="99"',
  );
  assertEquals(
    brandsOf(110),
    '"Chromium";v="110", "Not A(Brand";v="24", "Google Chrome";v="110"',
  );
  assertEquals(
    brandsOf(119),
    '"Google Chrome";v="119", "Chromium";v="119", "Not?A_Brand";v="24"',
  );
});

Deno.test("navigationFields() carry authority, path and each cookie in a field of its own, before priority", () => {
  const fields = navigationFields(profileOf(156), {
    authority: "a.example:8443",
    path: "/b?c",
    cookie: "d=1; e=2",
  });
  assertEquals(fields.slice(0, 4), [
    [":method", "GET"],
    [":authority", "a.example:8443"],
    [":scheme", "https"],
    [":path", "/b?c"],
  ]);
  assertEquals(fields.slice(-3), [
    ["cookie", "d=1"],
    ["cookie", "e=2"],
    ["priority", "u=0, i"],
  ]);
  const old = navigationFields(profileOf(106), { ...TARGET, cookie: "d=1" });
  assertEquals(old.at(-1), ["cookie", "d=1"]);
});

Deno.test("navigationFields() follow the profile's order of pseudo-header fields", () => {
  const json = profileJson(156);
  json.http2.pseudoOrder.reverse();
  assertEquals(
    navigationFields(parseProfile(json), TARGET).slice(0, 4)
      .map(([name]) => name),
    [":path", ":scheme", ":authority", ":method"],
  );
});
