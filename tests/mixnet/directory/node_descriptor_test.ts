import { assertEquals, assertThrows } from "@std/assert";
import { nodeProvider as crypto } from "../../../src/core/crypto/mod.ts";
import {
  DirectoryError,
  type NodeDescriptor,
  signDescriptor,
  verifyDescriptor,
} from "../../../src/mixnet/mod.ts";
import { describe, signed } from "./_network.ts";

Deno.test("a descriptor comes back as it was signed", () => {
  const { seed, descriptor } = describe(3);
  const bytes = signDescriptor(crypto, seed, descriptor);
  assertEquals(verifyDescriptor(crypto, bytes), descriptor);
});

Deno.test("a descriptor may say how its quic: and htx: addresses are reached", () => {
  const { seed, descriptor } = describe(3);
  for (const length of [1, 1_024]) {
    const reached = {
      ...descriptor,
      certificate: new Uint8Array(length).fill(7),
      peerRecord: new Uint8Array(4 * length).fill(8),
    };
    const bytes = signDescriptor(crypto, seed, reached);
    assertEquals(verifyDescriptor(crypto, bytes), reached);
  }
});

Deno.test("verifyDescriptor() refuses every changed byte and every truncation", () => {
  const bytes = signed(4);
  for (let i = 0; i < bytes.length; i++) {
    const changed = bytes.with(i, bytes[i]! ^ 1);
    assertThrows(() => verifyDescriptor(crypto, changed), DirectoryError);
    const cut = bytes.subarray(0, i);
    const error = assertThrows(
      () => verifyDescriptor(crypto, cut),
      DirectoryError,
    );
    assertEquals(error.code, "malformed");
  }
});

Deno.test("verifyDescriptor() refuses another key's signature", () => {
  const { descriptor } = describe(3);
  const bytes = signed(4, { identityKey: describe(4).descriptor.identityKey });
  assertEquals(
    verifyDescriptor(crypto, bytes).identityKey,
    describe(4).descriptor.identityKey,
  );
  assertThrows(
    () => signDescriptor(crypto, describe(4).seed, descriptor),
    RangeError,
    "its own key",
  );
});

Deno.test("signDescriptor() makes no descriptor that others would refuse", () => {
  const { seed, descriptor } = describe(3);
  const keys = [...descriptor.sphinxKeys.values()];
  const bad: readonly Partial<NodeDescriptor>[] = [
    { network: "Test" },
    { network: "" },
    { addresses: [] },
    { addresses: ["not an address"] },
    { addresses: Array(9).fill("tcp://127.0.0.1:1") },
    { linkKey: new Uint8Array(31) },
    { sphinxKeys: new Map() },
    { sphinxKeys: new Map(Array.from({ length: 9 }, (_, i) => [i, keys[0]!])) },
    { asn: 2 ** 32 },
    { asn: -1 },
    { sequence: 0.5 },
    { expiresMs: -1_000 },
    { certificate: new Uint8Array(0) },
    { certificate: new Uint8Array(1_025) },
    { peerRecord: new Uint8Array(4_097) },
  ];
  for (const changes of bad) {
    const sign = () =>
      signDescriptor(crypto, seed, { ...descriptor, ...changes });
    const error = assertThrows(sign, DirectoryError);
    assertEquals(error.code, "malformed", JSON.stringify(Object.keys(changes)));
  }
});
