import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { profileOf, profileVersions, UtlsError } from "../../src/utls/mod.ts";

Deno.test("profileOf() has every major version of 106 to 156, each of one family", () => {
  const versions = Array.from({ length: 51 }, (_, at) => 106 + at);
  assertEquals(profileVersions(), versions);
  for (const version of versions) {
    const profile = profileOf(version);
    assertEquals(profile.version, version);
    const [first, last] = profile.versions;
    assertEquals(first <= version && version <= last, true);
  }
  assertEquals([
    ...new Set(versions.map((version) => profileOf(version).family)),
  ], [
    "106",
    "107-109",
    "110-111",
    "112-116",
    "117-118",
    "119-123",
    "124-130",
    "131-132",
    "133-140",
    "141-149",
    "150-151",
    "152-153",
    "154-156",
  ]);
});

Deno.test("profileOf() gives the same object each time, the newest for latest", () => {
  assertStrictEquals(profileOf(119), profileOf(119));
  assertStrictEquals(profileOf("latest"), profileOf(156));
});

Deno.test("profileOf() refuses other versions and says which exist", () => {
  for (const version of [105, 157, 119.5, NaN]) {
    const error = assertThrows(() => profileOf(version), UtlsError);
    assertEquals(error.code, "unknown_version");
    assertEquals(
      error.message,
      `Expected a version in 106 … 156, got ${version}`,
    );
  }
});
