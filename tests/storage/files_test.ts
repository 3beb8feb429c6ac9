import { assertEquals, assertThrows } from "@std/assert";
import {
  MAX_TEXT_FILE_BYTES,
  readSecretFile,
  readTextFile,
  StorageError,
  type StorageErrorCode,
  writeSecretFile,
} from "../../src/core/storage/mod.ts";

Deno.test("writeSecretFile() writes what readSecretFile() reads, for the owner only", () => {
  using dir = tempDir();
  const path = `${dir.path}/key`;
  writeSecretFile(path, "first, and longer");
  writeSecretFile(path, "schlüssel\n");
  assertEquals(readSecretFile(path), "schlüssel\n");
  assertEquals(Deno.statSync(path).mode! & 0o777, 0o600);
  assertEquals([...Deno.readDirSync(dir.path)].length, 1);
});

Deno.test("writeSecretFile() closes a file that was open to others", () => {
  using dir = tempDir();
  const path = `${dir.path}/key`;
  Deno.writeTextFileSync(path, "old", { mode: 0o644 });
  writeSecretFile(path, "new");
  assertEquals(readSecretFile(path), "new");
});

Deno.test("writeSecretFile() leaves nothing behind when it fails", () => {
  using dir = tempDir();
  Deno.mkdirSync(`${dir.path}/key`);
  assertCode("io", () => writeSecretFile(`${dir.path}/key`, "secret"));
  assertEquals([...Deno.readDirSync(dir.path)].length, 1);
  assertCode("absent", () => writeSecretFile(`${dir.path}/no/key`, "secret"));
});

Deno.test("readSecretFile() refuses a file that others can access", () => {
  using dir = tempDir();
  const path = `${dir.path}/key`;
  writeSecretFile(path, "secret");
  for (const mode of [0o640, 0o604, 0o620, 0o601]) {
    Deno.chmodSync(path, mode);
    assertCode("exposed", () => readSecretFile(path));
    assertEquals(readSecretFile(path, { allowExposed: true }), "secret");
    assertEquals(readTextFile(path), "secret");
  }
});

Deno.test("readTextFile() says why it cannot read", () => {
  using dir = tempDir();
  const path = `${dir.path}/file`;
  assertCode("absent", () => readTextFile(path));
  assertCode("absent", () => readSecretFile(path));
  assertCode("corrupt", () => readTextFile(dir.path));
  Deno.writeFileSync(path, new Uint8Array([0xff]));
  assertCode("corrupt", () => readTextFile(path));
});

Deno.test("readTextFile() reads up to MAX_TEXT_FILE_BYTES", () => {
  using dir = tempDir();
  const path = `${dir.path}/file`;
  Deno.writeTextFileSync(path, "x".repeat(MAX_TEXT_FILE_BYTES));
  assertEquals(readTextFile(path).length, MAX_TEXT_FILE_BYTES);
  Deno.writeTextFileSync(path, "x", { append: true });
  assertCode("corrupt", () => readTextFile(path));
});

function tempDir() {
  const path = Deno.makeTempDirSync();
  return {
    path,
    [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }),
  };
}

function assertCode(code: StorageErrorCode, fn: () => unknown) {
  assertEquals(assertThrows(fn, StorageError).code, code);
}
