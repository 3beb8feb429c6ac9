import { assertEquals } from "@std/assert";
import { SenderLanes } from "../../../src/fabric/inbox/sender_lanes.ts";

Deno.test("senders take turns, however much one of them has waiting, or how urgent it says that it is", () => {
  const lanes = new SenderLanes();
  const push = (id: string, priority: "low" | "critical") =>
    lanes.push({ id, priority, sender: id[0]! });
  for (let n = 0; n < 100; n++) push(`a${n}`, "critical");
  for (const id of ["b0", "b1", "c0"]) push(id, "low");
  push("b2", "critical");
  const shift = () => lanes.shift(() => true)?.id;
  assertEquals(Array.from({ length: 7 }, shift), [
    ...["a0", "b2", "c0", "a1", "b0", "a2", "b1"],
  ]);
  assertEquals(lanes.shift((sender) => sender !== "a"), undefined);
  push("b3", "low");
  assertEquals(lanes.shift((sender) => sender !== "a")?.id, "b3");
  assertEquals(Array.from({ length: 98 }, shift).at(-1), undefined);
});
