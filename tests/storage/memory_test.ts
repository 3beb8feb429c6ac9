import { assertThrows } from "@std/assert";
import { memoryStore } from "../../src/core/storage/mod.ts";
import { testStore } from "../compliance/store.ts";

testStore("memoryStore()", memoryStore);

Deno.test("memoryStore() refuses limits that are not whole numbers", () => {
  assertThrows(() => memoryStore({ maxEntries: -1 }), RangeError);
  assertThrows(() => memoryStore({ maxBytes: NaN }), RangeError);
});
