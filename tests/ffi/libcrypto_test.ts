import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  checkedProvider,
  failedSelfTests,
  nobleProvider,
  type Primitives,
  selectProvider,
} from "../../src/core/crypto/mod.ts";
import { setImmediate } from "node:timers";
import { FfiError, openLibcrypto } from "../../src/ffi/mod.ts";
import { testCryptoProvider } from "../compliance/crypto_provider.ts";
import { testProvidersAgree } from "../compliance/providers_agree.ts";

const primitives = openOrExplain();

if (primitives) {
  const libcrypto = checkedProvider(primitives);
  testCryptoProvider(libcrypto);
  testProvidersAgree(libcrypto, nobleProvider);

  Deno.test("openLibcrypto() names the version and passes the self-test", () => {
    assertMatch(libcrypto.name, /^libcrypto 3\.\d+\.\d+$/);
    assertEquals(failedSelfTests(libcrypto), []);
  });

  Deno.test("selectProvider() finds libcrypto faster than node", () => {
    const { provider, trials } = selectProvider([primitives]);
    assertEquals(trials.map((trial) => trial.provider.name), [
      libcrypto.name,
      "node",
    ]);
    assertEquals(provider.name, libcrypto.name);
  });

  Deno.test("libcrypto frees the contexts of AEADs that are disposed", () => {
    checkMemory(() => {
      using aead = libcrypto.aesGcm(KEY);
      aead.open(NONCE, aead.seal(NONCE, KEY));
    });
  });

  Deno.test("libcrypto frees the contexts of AEADs that are forgotten", async () => {
    const before = Deno.memoryUsage().rss;
    for (let i = 0; i < 200_000; i++) {
      libcrypto.aesGcm(KEY).seal(NONCE, KEY);
      if (i % 1_000 === 0) await new Promise((next) => setImmediate(next));
    }
    const grown = (Deno.memoryUsage().rss - before) / 2 ** 20;
    assert(grown < 130, `Memory grew by ${grown.toFixed(1)} MiB`);
  });

  Deno.test("libcrypto frees nothing at exit, where other threads may", {
    ignore: Deno.build.os !== "linux",
  }, async () => {
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-check", ABORT_IN_CLEANUP],
    }).output();
    assert(success, new TextDecoder().decode(stderr));
  });

  Deno.test("libcrypto frees what a forgery leaves behind", () => {
    using aead = libcrypto.chacha20poly1305(KEY);
    const forged = new Uint8Array(40);
    checkMemory(() => {
      assertThrows(() => aead.open(NONCE, forged));
    });
  });

  Deno.test("libcrypto frees keys, points and the codes it made", () => {
    const pair = libcrypto.p256.generateKeyPair();
    const offCurve = pair.publicKey.with(64, pair.publicKey[64]! ^ 1);
    checkMemory(() => {
      libcrypto.hmac("sha384", KEY, KEY);
      assertThrows(() => libcrypto.p256.sharedSecret(KEY, offCurve));
    });
  });
}

Deno.test("openLibcrypto() says that there is no such library", () => {
  const error = assertThrows(
    () => openLibcrypto("/nowhere/libcrypto.so.3"),
    FfiError,
    "Cannot load libcrypto 3",
  );
  assertEquals(error.code, "not_found");
  assert(error.cause instanceof Error);
});

Deno.test("openLibcrypto() refuses a library that is not OpenSSL 3", {
  ignore: Deno.build.os !== "linux",
}, () => {
  const error = assertThrows(() => openLibcrypto("libc.so.6"), FfiError);
  assertEquals(error.code, "unsupported");
});

Deno.test("openLibcrypto() says that it is not permitted", {
  permissions: { ffi: false },
}, () => {
  const error = assertThrows(() => openLibcrypto(), FfiError);
  assertEquals(error.code, "not_permitted");
});

const KEY = new Uint8Array(32).fill(7);
const NONCE = new Uint8Array(12);
/** Uses libcrypto, and aborts if `OPENSSL_cleanup` runs when the program ends. */
const ABORT_IN_CLEANUP = `
  import { openLibcrypto } from "${new URL(
  "../../src/ffi/mod.ts",
  import.meta.url,
)}";
  openLibcrypto().hash("sha256");
  const { dlsym } = Deno.dlopen("libc.so.6", {
    dlsym: { parameters: ["pointer", "buffer"], result: "pointer" },
  }).symbols;
  const { OPENSSL_atexit } = Deno.dlopen("libcrypto.so.3", {
    OPENSSL_atexit: { parameters: ["pointer"], result: "i32" },
  }).symbols;
  const abort = dlsym(null, new TextEncoder().encode("abort\\0"));
  if (!abort || OPENSSL_atexit(abort) !== 1) throw new Error("not set up");
`;

/**
 * Runs `work` 10^5 times, and again up to twice: what leaks 200 bytes a time adds 20 MiB each time, garbage that waits to be collected
 * does so once.
 */
function checkMemory(work: () => void): void {
  for (let i = 0; i < 20_000; i++) work();
  let grown = Infinity;
  for (let round = 0; round < 3 && grown >= 15; round++) {
    const before = Deno.memoryUsage().rss;
    for (let i = 0; i < 100_000; i++) work();
    grown = (Deno.memoryUsage().rss - before) / 2 ** 20;
  }
  assert(grown < 15, `Memory grew by ${grown.toFixed(1)} MiB each time`);
}

function openOrExplain(): Primitives | undefined {
  try {
    return openLibcrypto();
  } catch (error) {
    if (!(error instanceof FfiError)) throw error;
    // deno-lint-ignore no-console -- why tests are missing
    console.warn(`libcrypto tests skipped: ${error.message}`);
  }
}
