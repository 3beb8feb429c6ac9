import { assert, assertEquals } from "@std/assert";
import { DENO, GLOBALS, PACKAGES } from "./doors.ts";
import plugin, { MAY_IMPORT } from "./layers.ts";
import { readModules } from "./_modules.ts";
import { ROOT, unitOf } from "./_unit.ts";

const REFUSED: readonly (readonly [file: string, code: string])[] = [
  [
    "src/htx/a.ts",
    `import { x25519 } from "@noble/curves/ed25519.js"; x25519;`,
  ],
  ["src/htx/a.ts", `import { createHash } from "node:crypto"; createHash;`],
  ["src/htx/a.ts", `export { createHash } from "node:crypto";`],
  ["src/htx/a.ts", `await import("node:crypto");`],
  ["src/htx/a.ts", `import { DatabaseSync } from "node:sqlite"; DatabaseSync;`],
  ["src/htx/a.ts", `import "prom-client";`],
  ["src/htx/a.ts", `import "node:net";`],
  ["src/htx/a.ts", `import "npm:left-pad";`],
  ["src/htx/a.ts", `import "https://example.org/a.ts";`],
  ["src/core/noise/a.ts", `import "@hono/hono";`],
  ["src/htx/a.ts", `await Deno.connect({ port: 1 });`],
  ["src/htx/a.ts", `Deno["connect"]({ port: 1 });`],
  ["src/htx/a.ts", `const { connect } = Deno;`],
  ["src/htx/a.ts", `globalThis.Deno;`],
  ["src/htx/a.ts", `new Deno.QuicEndpoint();`],
  ["src/htx/a.ts", `Deno.serve(() => new Response());`],
  ["src/htx/a.ts", `Deno.readTextFileSync("/a");`],
  ["src/core/transport/a.ts", `Deno.readTextFileSync("/a");`],
  ["src/core/storage/a.ts", `Deno.listen({ port: 1 });`],
  ["src/core/storage/a.ts", `Deno.env.get("A");`],
  ["src/htx/a.ts", `Deno.dlopen("a.so", {});`],
  ["src/htx/a.ts", `Deno.args;`],
  ["src/htx/a.ts", `Deno.exit(1);`],
  ["src/htx/a.ts", `new Deno.Command("a");`],
  ["src/htx/a.ts", `console.log(1);`],
  ["src/htx/a.ts", `new WebSocket("ws://a");`],
  ["src/htx/a.ts", `await fetch("http://a");`],
  ["src/htx/a.ts", `setTimeout(() => {}, 1);`],
  ["src/htx/a.ts", `Date.now();`],
  ["src/htx/a.ts", `new Date();`],
  ["src/htx/a.ts", `const random = Math.random;`],
  ["src/htx/a.ts", `crypto.getRandomValues(new Uint8Array(1));`],
  ["src/htx/a.ts", `await crypto.subtle.digest("SHA-1", bytes);`],
  ["src/htx/a.ts", `eval("1");`],
  ["src/htx/a.ts", `new Function("1");`],
  ["src/htx/a.ts", `const f = fetch; f("http://a");`],
  ["src/htx/a.ts", `[1].map(fetch);`],
  ["src/htx/a.ts", `export const a = { fetch };`],
  ["src/htx/a.ts", `export { fetch };`],
  ["src/htx/a.ts", `function f(get = fetch) { get(); }`],
  ["src/htx/a.ts", `(fetch as () => void)();`],
  ["src/htx/a.ts", `const { log } = console; log(1);`],
  ["src/htx/a.ts", `const s = setTimeout; s(() => {}, 1);`],
  ["src/htx/a.ts", `setImmediate(() => {});`],
  ["src/htx/a.ts", `self.fetch("http://a");`],
  ["src/htx/a.ts", `window.fetch("http://a");`],
  ["src/htx/a.ts", `navigator.sendBeacon("http://a");`],
  ["src/htx/a.ts", `AbortSignal.timeout(5);`],
  ["src/htx/a.ts", `performance.timeOrigin;`],
  ["src/htx/a.ts", `const { random } = Math; random();`],
  ["src/htx/a.ts", `Math["random"]();`],
  ["src/htx/a.ts", `Math[name]();`],
  ["src/htx/a.ts", `Date["now"]();`],
  ["src/htx/a.ts", `crypto["getRandomValues"](bytes);`],
  ["src/htx/a.ts", `import fs = require("node:fs"); fs;`],
  ["src/htx/a.ts", `let fs: typeof import("node:fs");`],
  ["cli/htx.ts", `console.error(1);`],
  ["cli/htx.ts", `const { log } = console; log(1);`],
  ["cli/htx.ts", `Deno["exit"](1);`],
  ["cli/htx.ts", `Deno.exit(1);`],
  ["cli/htx.ts", `Deno.args;`],
  ["cli/_main.ts", `Deno.env.get("A");`],
  ["cli/_main.ts", `const { exit } = Deno;`],
  ["cli/_main.ts", `globalThis.Deno;`],
];

for (const [file, code] of REFUSED) {
  Deno.test(`the doors rule refuses ${code} in ${file}`, () => {
    assertEquals(messages(file, code).length, 1, code);
  });
}

Deno.test("the doors rule lets through what its tables allow, and what only looks like a use", () => {
  const allowed = [
    [
      "src/core/crypto/a.ts",
      `import "node:crypto"; import "@noble/hashes/sha2.js";`,
    ],
    ["src/core/transport/a.ts", `await Deno.connect({ port: 1 });`],
    ["src/core/storage/a.ts", `Deno.readFileSync("/a");`],
    [
      "src/htx/a.ts",
      `let a: Deno.Conn; error instanceof Deno.errors.NotFound;`,
    ],
    [
      "src/htx/a.ts",
      `// Deno.exit(1)\n/* console.log() */ "Deno.exit(1)"; f("fetch()");`,
    ],
    [
      "src/htx/a.ts",
      `clock.setTimeout(f, 1); app.fetch(r); o.console; a.Deno.exit;`,
    ],
    ["src/htx/a.ts", `crypto.seal(key); new Date(time); Math.max(1, 2);`],
    ["src/htx/a.ts", `class A { setTimeout() {} fetch() {} }`],
    [
      "src/htx/a.ts",
      `let f: typeof fetch; interface A { fetch(a: Worker): Date }`,
    ],
    ["src/htx/a.ts", `const { fetch: get } = app; get; ({ fetch: 1 });`],
    ["src/htx/a.ts", `function f(crypto: Provider) { g({ crypto }); }`],
    ["src/htx/a.ts", `a instanceof Date; AbortSignal.any(signals);`],
    ["cli/_terminal.ts", `Deno.exit(1); console.log(1);`],
    ["cli/htx.ts", `await Deno.readTextFile("/a"); Deno.execPath();`],
    ["tests/htx/a_test.ts", `console.log(Deno.env.get("A"));`],
  ] as const;
  for (const [file, code] of allowed) assertEquals(messages(file, code), []);
});

Deno.test("the tables of doors name units that exist, each of which uses what it may", () => {
  const texts = new Map<string, string>();
  for (const { path, text } of readModules("src")) {
    const unit = unitOf(ROOT + path)!;
    texts.set(unit, (texts.get(unit) ?? "") + text);
  }
  const rows = [
    ...Object.entries({ ...PACKAGES, ...GLOBALS }),
    ...Object.entries(DENO).map(([name, row]) =>
      [`Deno.${name}`, row] as const
    ),
  ];
  for (const [name, units] of rows) {
    const uses = (unit: string) => texts.get(unit)?.includes(name) ?? false;
    if (typeof units === "string") assert([...texts.keys()].some(uses), name);
    else assertEquals(units.filter(uses), units, name);
    for (const unit of texts.keys()) assert(unit in MAY_IMPORT, unit);
  }
});

function messages(path: string, code: string): string[] {
  return Deno.lint.runPlugin(plugin, ROOT + path, code)
    .filter(({ id }) => id === "layers/doors")
    .map(({ message }) => message);
}
