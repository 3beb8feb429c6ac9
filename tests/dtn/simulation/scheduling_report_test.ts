import { assert, assertEquals } from "@std/assert";
import {
  schedulingPlots,
  schedulingTable,
} from "../../../bench/_scheduling_runs.ts";

const DOCS = new URL("../../../docs/", import.meta.url);

Deno.test("docs/dtn.md has the table and the plots that the simulation gives", () => {
  const text = Deno.readTextFileSync(new URL("dtn.md", DOCS));
  assert(text.includes(schedulingTable()), "bench/dtn_scheduling.ts says more");
  for (const [name, svg] of Object.entries(schedulingPlots())) {
    assert(text.includes(`](plots/${name})`), name);
    const drawn = Deno.readTextFileSync(new URL(`plots/${name}`, DOCS));
    assertEquals(drawn, svg, name);
  }
});
