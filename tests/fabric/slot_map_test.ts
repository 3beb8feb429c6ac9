import { assertEquals } from "@std/assert";
import { SlotMap } from "../../src/fabric/slot_map.ts";

Deno.test("SlotMap does what a Map does, through any changes", () => {
  const map = new SlotMap<number>();
  const model = new Map<string, number>();
  let seed = 1;
  const draw = (below: number) => {
    seed = (seed * 48_271) % 0x7fffffff;
    return seed % below;
  };
  for (let i = 0; i < 20_000; i++) {
    const key = `${draw(50)}`;
    if (draw(2) === 0) {
      map.set(key, i);
      model.set(key, i);
    } else assertEquals(map.delete(key), model.delete(key));
    if (draw(1_000) === 0) {
      map.clear();
      model.clear();
    }
    assertEquals([map.size, map.get(key)], [model.size, model.get(key)]);
    assertEquals(map.has(key), model.has(key));
    if (i % 100 > 0) continue;
    assertEquals([...map], [...model]);
    assertEquals([...map.values()], [...model.values()]);
    assertEquals(map.firstKey(), [...model.keys()][0]);
  }
});

Deno.test("SlotMap goes on while what was reached is taken out, and keeps no slot once it is empty", () => {
  const map = new SlotMap<string>();
  for (const key of ["a", "b", "c"]) map.set(key, key.toUpperCase());
  const seen: string[] = [];
  for (const [key, value] of map) {
    map.delete(key);
    seen.push(value);
  }
  assertEquals([seen, map.size], [["A", "B", "C"], 0]);
  map.set("d", "D");
  assertEquals([...map], [["d", "D"]]);
});
