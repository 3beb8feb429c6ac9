import { assertEquals } from "@std/assert";
import { checkedProvider, nodeProvider } from "../../src/core/crypto/mod.ts";
import { openLibcrypto } from "../../src/ffi/mod.ts";
import { testCryptoProvider } from "../compliance/crypto_provider.ts";
import { testMlKemAgreesWithWebCrypto } from "../compliance/ml_kem_web_crypto.ts";
import { isAvailable } from "./_peers.ts";

/** A wheel that carries OpenSSL 3.5 or later, which has ML-KEM; Debian 12's own is 3.0. */
const WHEEL = "psycopg-binary==3.3.9";
const FOLDER = `${import.meta.dirname!}/.cache/libcrypto`;

const path = fetchLibrary();
if (path !== undefined) {
  const primitives = openLibcrypto(path);
  const provider = checkedProvider(primitives);
  testCryptoProvider(provider);
  testMlKemAgreesWithWebCrypto(provider);

  Deno.test("openLibcrypto() takes ML-KEM-768 from OpenSSL 3.5", () => {
    assertEquals(primitives.mlKem768 === nodeProvider.mlKem768, false);
  });
}

/** The library's file, installed at the first call. */
function fetchLibrary(): string | undefined {
  if (Deno.build.os !== "linux") return undefined;
  if (!isAvailable("python3", ["-m", "pip", "--version"], "libcrypto_test")) {
    return undefined;
  }
  const install = ["-m", "pip", "install", "--quiet", "--no-deps"];
  const folder = ["--only-binary=:all:", "--upgrade", "--target", FOLDER];
  return libraryIn(FOLDER) ??
    (isAvailable("python3", [...install, ...folder, WHEEL], "libcrypto_test")
      ? libraryIn(FOLDER)
      : undefined);
}

function libraryIn(folder: string): string | undefined {
  const libs = `${folder}/psycopg_binary.libs`;
  try {
    const { name } = Deno.readDirSync(libs)
      .find(({ name }) => name.startsWith("libcrypto"))!;
    return `${libs}/${name}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
