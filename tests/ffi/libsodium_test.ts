import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  checkedProvider,
  failedSelfTests,
  nobleProvider,
  nodeProvider,
  type Primitives,
} from "../../src/core/crypto/mod.ts";
import { FfiError, openLibsodium } from "../../src/ffi/mod.ts";
import { testCryptoProvider } from "../compliance/crypto_provider.ts";
import { testProvidersAgree } from "../compliance/providers_agree.ts";

const primitives = openOrExplain();

if (primitives) {
  const libsodium = checkedProvider(primitives);
  testCryptoProvider(libsodium);
  testProvidersAgree(libsodium, nobleProvider);

  Deno.test("openLibsodium() names the version and its base, and passes the self-test", () => {
    assertMatch(libsodium.name, /^libsodium 1\.\d+\.\d+ on node$/);
    assertEquals(failedSelfTests(libsodium), []);
  });
}

Deno.test("openLibsodium() says that there is no such library", () => {
  const error = assertThrows(
    () => openLibsodium(nodeProvider, "/nowhere/libsodium.so.23"),
    FfiError,
    "Cannot load libsodium",
  );
  assertEquals(error.code, "not_found");
});

Deno.test("openLibsodium() refuses a library that lacks a function", {
  ignore: Deno.build.os !== "linux",
}, () => {
  const open = () => openLibsodium(nodeProvider, "libc.so.6");
  assertEquals(assertThrows(open, FfiError).code, "unsupported");
});

Deno.test("openLibsodium() says that it is not permitted", {
  permissions: { ffi: false },
}, () => {
  const error = assertThrows(() => openLibsodium(nodeProvider), FfiError);
  assertEquals(error.code, "not_permitted");
});

function openOrExplain(): Primitives | undefined {
  try {
    return openLibsodium(nodeProvider);
  } catch (error) {
    if (!(error instanceof FfiError)) throw error;
    // deno-lint-ignore no-console -- why tests are missing
    console.warn(`libsodium tests skipped: ${error.message}`);
  }
}
