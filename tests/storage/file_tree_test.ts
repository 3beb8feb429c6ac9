import { assertEquals, assertThrows } from "@std/assert";
import { readFileTree, StorageError } from "../../src/core/storage/mod.ts";

Deno.test("readFileTree() takes plain files only, within its limits", () => {
  const dir = Deno.makeTempDirSync();
  try {
    Deno.mkdirSync(`${dir}/a/b`, { recursive: true });
    Deno.writeTextFileSync(`${dir}/a/b/c.txt`, "four");
    Deno.writeTextFileSync(`${dir}/d`, "four");
    Deno.writeTextFileSync(`${dir}/.e`, "hidden");
    Deno.symlinkSync(`${dir}/d`, `${dir}/link`);
    Deno.symlinkSync(dir, `${dir}/a/loop`);
    const files = readFileTree(dir, { maxFiles: 2, maxBytes: 8 });
    assertEquals([...files.keys()].sort(), ["a/b/c.txt", "d"]);
    assertEquals(new TextDecoder().decode(files.get("d")), "four");
    for (const limits of [{ maxFiles: 1 }, { maxBytes: 7 }]) {
      const error = assertThrows(() => readFileTree(dir, limits), StorageError);
      assertEquals(error.code, "full");
    }
    for (const path of [`${dir}/none`, `${dir}/d`]) {
      const error = assertThrows(() => readFileTree(path), StorageError);
      assertEquals(error.code, "absent");
    }
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
});
