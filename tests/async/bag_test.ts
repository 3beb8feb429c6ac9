import { assertEquals } from "@std/assert";
import { Bag } from "../../src/core/async/mod.ts";

Deno.test("Bag holds what was put in and not taken out", () => {
  const bag = new Bag<{ name: string; place: number }>();
  const [a, b, c] = ["a", "b", "c"].map((name) => ({ name, place: -1 }));
  const names = () => [...bag].map(({ name }) => name).sort().join("");
  for (const each of [a!, b!, c!]) bag.add(each);
  assertEquals([bag.size, names()], [3, "abc"]);
  assertEquals([bag.delete(a!), bag.delete(a!)], [true, false]);
  assertEquals([bag.size, names()], [2, "bc"]);
  bag.add(a!);
  assertEquals([bag.delete(c!), bag.delete(b!), names()], [true, true, "a"]);
  assertEquals([bag.delete(a!), bag.size], [true, 0]);
});
