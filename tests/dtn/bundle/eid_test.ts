import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat, decodeHex, encodeHex } from "../../../src/core/bytes/mod.ts";
import {
  BundleError,
  decodeEid,
  Eid,
  encodeEid,
  QUIRKS,
} from "../../../src/dtn/mod.ts";
import { bp7 } from "./_vectors.ts";

const { eid_ok, eid_bad, dtn_uri, non_canonical_uint_bad } = bp7.fields;

Deno.test("decodeEid() reads every good endpoint ID, and encodeEid() gives back its bytes", () => {
  for (const [hex, note] of eid_ok) {
    const isLenient = note!.includes("lenient");
    const bytes = decodeHex(hex!);
    const eid = decodeEid(bytes, isLenient ? { quirks: QUIRKS } : {});
    const [uri] = note!.split(" ");
    if (uri === "null") assert(eid.isNull, hex);
    else assert(eid.equals(Eid.parse(uri!)), `${hex}: ${eid}`);
    if (!isLenient) assertEquals(encodeHex(encodeEid(eid)), hex);
  }
});

Deno.test("decodeEid() refuses every bad endpoint ID", () => {
  for (const [hex, note] of eid_bad) {
    assertThrows(
      () => decodeEid(decodeHex(hex!)),
      BundleError,
      undefined,
      note,
    );
  }
  for (const uint of non_canonical_uint_bad) {
    assertThrows(() => decodeEid(decodeHex(`820282${uint}01`)), BundleError);
  }
  assertThrows(() => decodeEid(decodeHex("820100ff")), BundleError, "follow");
});

Deno.test("Eid.parse() takes the URIs that the schemes allow, and no other", () => {
  for (const uri of dtn_uri.valid) assertEquals(`${Eid.parse(uri)}`, uri);
  for (const uri of dtn_uri.invalid) {
    assertThrows(() => Eid.parse(uri), BundleError, undefined, uri);
  }
  for (const uri of ["ipn:0.0", "ipn:1.2", "ipn:977000.1.2", "ipn:!.7"]) {
    assertEquals(`${Eid.parse(uri)}`, uri);
  }
  assertEquals(`${Eid.parse("ipn:0.1.2")}`, "ipn:1.2");
  const bad = ["ipn:1", "ipn:01.2", "ipn:1.2.3.4", "ipn:4294967296.1"];
  for (const uri of [...bad, "ipn:1.!", "ipn:5.!.1", "ipn:-1.1", "ipn:.1"]) {
    assertThrows(() => Eid.parse(uri), BundleError, undefined, uri);
  }
});

Deno.test("an endpoint ID has at most 1,024 bytes", () => {
  const longest = Eid.dtn(`//n/${"x".repeat(1_020)}`);
  const bytes = encodeEid(longest);
  assert(decodeEid(bytes).equals(longest));
  assertThrows(() => Eid.dtn(`${longest.ssp}x`), BundleError);
  const longer = concat(
    decodeHex("8201790401"),
    bytes.subarray(5),
    Uint8Array.of(0x78),
  );
  const error = assertThrows(() => decodeEid(longer), BundleError);
  assertEquals(error.code, "limit");
});

Deno.test("an Eid knows its node, whether it is null, and whether it names one node only", () => {
  const nodeOf = (uri: string) => `${Eid.parse(uri).nodeId()}`;
  assertEquals(nodeOf("dtn://n1/a/b"), "dtn://n1/");
  assertEquals(nodeOf("ipn:977000.4.9"), "ipn:977000.4.0");
  assertEquals(nodeOf("dtn:none"), "dtn:none");
  assert(Eid.parse("ipn:0.5").isNull);
  assert(Eid.parse("ipn:0.0").equals(Eid.NONE));
  assert(!Eid.parse("ipn:7.0.5").isNull);
  assert(!Eid.parse("dtn://n1/~news").isSingleton);
  assert(Eid.parse("dtn://n1/news~").isSingleton);
  assert(Eid.parse("ipn:1.2").isSingleton);
});

Deno.test("two and three numbers of an ipn URI name the same endpoint, and each keeps its bytes", () => {
  const two = decodeEid(decodeHex("8202821b000ee8680000000101"));
  const three = decodeEid(decodeHex("8202831a000ee8680101"));
  assert(two.equals(three));
  assertEquals(`${two}`, "ipn:977000.1.1");
  assert(encodeEid(two).length !== encodeEid(three).length);
  assert(!two.equals(Eid.ipn(0, 1, 1)));
});
