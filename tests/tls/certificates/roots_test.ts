import { assert, assertEquals, assertThrows } from "@std/assert";
import { DecodeError } from "../../../src/core/bytes/mod.ts";
import { StorageError } from "../../../src/core/storage/mod.ts";
import { bundledRoots, spkiOf, systemRoots } from "../../../src/tls/mod.ts";
import { certificateDer, pem } from "../_certificates.ts";

Deno.test("bundledRoots() brings more than a hundred certificates, once", async () => {
  const roots = await bundledRoots();
  assert(roots.length > 100);
  for (const root of roots) assert(spkiOf(root).length > 40);
  assert(await bundledRoots() === roots);
});

Deno.test("systemRoots() reads every certificate of a file", async () => {
  const path = await Deno.makeTempFile();
  try {
    const wanted = ["root-rsa", "root-p384"].map(certificateDer);
    const blocks = wanted.map((der) => pem("CERTIFICATE", der));
    await Deno.writeTextFile(path, `# comment\n${blocks.join("# other\n")}`);
    assertEquals(systemRoots(path), wanted);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("systemRoots() throws for a file that is absent or malformed", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, "-----BEGIN CERTIFICATE-----\nAQID\n");
  assertThrows(() => systemRoots(path), DecodeError);
  await Deno.remove(path);
  const error = assertThrows(() => systemRoots(path), StorageError);
  assertEquals(error.code, "absent");
});
