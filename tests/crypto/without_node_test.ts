import { assertEquals } from "@std/assert";

const MODULE = new URL("../../src/core/crypto/mod.ts", import.meta.url);

Deno.test("importing core/crypto loads no node: module", async () => {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", MODULE.href],
    stdout: "piped",
  });
  const { stdout } = await command.output();
  const graph = JSON.parse(new TextDecoder().decode(stdout)) as {
    modules: {
      specifier: string;
      dependencies?: { specifier: string; code?: unknown }[];
    }[];
  };
  const imported = graph.modules.flatMap((module) =>
    (module.dependencies ?? []).filter((dependency) => dependency.code)
      .map((dependency) => dependency.specifier)
  );
  assertEquals(imported.filter((name) => name.startsWith("node:")), []);
  assertEquals(imported.includes("./noble.ts"), true);
});

Deno.test("without node:crypto the node provider refuses and noble is chosen", async () => {
  const worker = new Worker(new URL("./_without_node.ts", import.meta.url), {
    type: "module",
  });
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  worker.onmessage = (event) => resolve(event.data);
  worker.onerror = (event) => reject(event.error);
  try {
    assertEquals(await promise, {
      refusal: "TypeError: The node provider needs node:crypto",
      chosen: "noble",
      tried: ["node", "noble"],
      hash: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    });
  } finally {
    worker.terminate();
  }
});
