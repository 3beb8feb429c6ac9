import { assertEquals } from "@std/assert";

interface Graph {
  readonly modules: readonly {
    readonly dependencies?: readonly {
      readonly specifier: string;
      readonly code?: unknown; // absent if only types are imported
    }[];
  }[];
}

Deno.test("importing core/crypto loads no node: module", async () => {
  const graph = await deno<Graph>(
    ["info", "--json"],
    "../../src/core/crypto/mod.ts",
  );
  const imported = graph.modules.flatMap((module) => module.dependencies ?? [])
    .filter((dependency) => dependency.code)
    .map((dependency) => dependency.specifier);
  assertEquals(imported.filter((name) => name.startsWith("node:")), []);
  assertEquals(imported.includes("./noble.ts"), true);
});

Deno.test("without node:crypto the node provider refuses and noble is chosen", async () => {
  assertEquals(await deno(["run", "--no-check"], "./_without_node.ts"), {
    refusal: "TypeError: The node provider needs node:crypto",
    chosen: "noble",
    tried: ["node", "noble"],
    hash: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  });
});

/** The JSON that `deno` prints for a module. */
async function deno<T>(args: string[], module: string): Promise<T> {
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...args,
      `--config=${config}`,
      new URL(module, import.meta.url).href,
    ],
    stdout: "piped",
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}
