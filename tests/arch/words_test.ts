import { assert } from "@std/assert";
import { files } from "./_modules.ts";
import { ROOT } from "./_unit.ts";

const SELF = "tests/arch/words_test.ts";
const BANNED =
  /\b(production[- ]ready|robust(ly|ness)?|comprehensive(ly)?|seamless(ly)?|enterprise|blazing(ly)?|military[- ]grade)\b/i;
const EMOJI = /\p{Emoji_Presentation}/u;

/** Paths of a developer's machine, and hosts of registries, which belong in deno.lock alone. */
const MACHINE =
  /(?<![\w.])\/(root\b|work\/(main|shared)|home\/[a-z]|Users\/[a-z])|\b(registry\.npmjs\.org|files\.pythonhosted\.org|static\.crates\.io|index\.crates\.io|proxy\.golang\.org)\b/;

Deno.test("documentation does without words that claim more than a test shows", () => {
  const documents = files().filter((path) => path.endsWith(".md"));
  for (const path of documents) assertWithout(path, BANNED);
});

Deno.test("no file has emoji", () => {
  for (const path of textFiles()) assertWithout(path, EMOJI);
});

Deno.test("no file names a path of a developer's machine or a registry's host", () => {
  for (const path of textFiles()) {
    if (path !== "deno.lock" && path !== SELF) assertWithout(path, MACHINE);
  }
});

/** Sources and documents: what others made, and data, are not ours to reword. */
function textFiles(): string[] {
  return files().filter((path) =>
    /(\.(ts|md|sh|json|toml|py|rs|go)|\/run|^LICENSE.*)$/.test(path) &&
    !/^tests\/vectors\/.*\.json$/.test(path)
  );
}

function assertWithout(path: string, pattern: RegExp): void {
  const lines = Deno.readTextFileSync(ROOT + path).split("\n");
  const index = lines.findIndex((line) => pattern.test(line));
  assert(index < 0, `${path}:${index + 1}: ${lines[index]?.trim()}`);
}
