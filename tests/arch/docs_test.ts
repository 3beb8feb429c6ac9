import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { SCHEMA as DTN_SCHEMA } from "../../cli/dtn/config.ts";
import { exposeDtnNode } from "../../cli/dtn/node_metrics.ts";
import { SCHEMA as FABRIC_SCHEMA } from "../../cli/fabric/config.ts";
import { exposeFabricNode } from "../../cli/fabric/node_metrics.ts";
import { SCHEMA as HTX_SCHEMA } from "../../cli/htx/config.ts";
import { SCHEMA as MIXNODE_SCHEMA } from "../../cli/mixnode/config.ts";
import { describeConfig } from "../../src/core/config/mod.ts";
import { Metrics } from "../../src/core/metrics/mod.ts";
import { Mailboxes } from "../../src/fabric/mod.ts";
import {
  exposeClient,
  exposeServer,
  latencyHooks,
} from "../../src/htx/metrics.ts";
import { SessionDialer } from "../../src/htx/session_dialer.ts";
import * as tunnel from "../../src/htx/tunnel/mod.ts";
import { exposeMixServer, latenessHook } from "../../src/mixnet/node/mod.ts";
import { DtnWorld } from "../dtn/node/_dtn_world.ts";
import { FabricWorld } from "../fabric/_fabric_world.ts";
import { World } from "../htx/_world.ts";
import { idleGateway } from "../mixnet/node/_idle_gateway.ts";
import { MAY_IMPORT } from "./layers.ts";
import { files } from "./_modules.ts";
import { ROOT } from "./_unit.ts";

const paths = new Set(files());
const documents = [...paths].filter((path) =>
  /^(README|docs\/.*)\.md$/.test(path)
);
/** Documents whose `ts` blocks are programs. */
const EXAMPLES = [
  "README.md",
  ...["dtn", "fabric", "htx", "mixnet", "tls", "utls"].map((name) =>
    `docs/${name}.md`
  ),
];
/** Documents that have every key of a configuration. */
const CONFIGURATIONS = [
  ["docs/dtn.md", describeConfig(DTN_SCHEMA)],
  ["docs/fabric.md", describeConfig(FABRIC_SCHEMA)],
  ["docs/htx.md", describeConfig(HTX_SCHEMA)],
  ["docs/mixnet.md", describeConfig(MIXNODE_SCHEMA)],
] as const;
/** Documents that have every metric of their part. */
const METRICS = [
  ["docs/dtn.md", "dtn", dtnMetrics],
  ["docs/fabric.md", "fabric", fabricMetrics],
  ["docs/htx.md", "htx", htxMetrics],
  ["docs/mixnet.md", "mixnet", mixnetMetrics],
] as const;
const PARTS = [
  ...["htx", "utls", "mixnet", "dtn", "betanet_cla", "bitchat_cla", "ffi"],
  ...["navigator", "fabric", "vault", "federated", "linter"],
];

Deno.test("documents name only files that exist, and link to nothing else", () => {
  for (const document of documents) {
    const text = read(document);
    const named = [
      ...text.matchAll(/`((?:src|cli|tests|docs|bench)\/[^`\s]*)`/g),
    ];
    for (const [, path] of named) assertExists(path!, document);
    for (const [, link] of text.matchAll(/\]\(([^)#]+)[^)]*\)/g)) {
      if (/^https?:/.test(link!)) continue;
      const base = new URL(document, "file:///");
      assertExists(new URL(link!, base).pathname.slice(1), document);
    }
  }
});

Deno.test("documents quote tests that are in their files", () => {
  const quotes = /`(tests\/[^`]*)` ("[^"]+"(?:, "[^"]+")*)/g;
  for (const document of documents) {
    for (const [, path, names] of read(document).matchAll(quotes)) {
      for (const [, name] of names!.matchAll(/"([^"]+)"/g)) {
        assertStringIncludes(read(path!), name!, document);
      }
    }
  }
});

Deno.test("docs/conformance.md gives every row a state, and shows what it calls done", () => {
  for (const [clause, , file, test, state] of conformance()) {
    assert(/^(done|partial: |not done)/.test(state!), clause);
    const shown = file !== "" && /^`tests\/[^`]+` ".+"$/.test(test!);
    assert(shown || state!.startsWith("not done"), clause);
  }
});

Deno.test("docs/conformance.md has each clause of §1, §2, §5 and §7 once", () => {
  const count: Record<string, number> = {
    ...{ "1": 2, "2": 7, "5.1": 10, "5.2": 11, "5.3": 11, "5.4": 3 },
    ...{ "5.5": 4, "5.6": 6, "6.1": 1, "6.2": 1, "8.1": 1, "11": 1 },
    ...{ "7.1": 3, "7.2": 6, "7.3": 1 },
  };
  const wanted = Object.entries(count).flatMap(([section, n]) =>
    Array.from({ length: n }, (_, i) => `BN11-${section}-${i + 1}`)
  );
  const clauses = conformance().map(([clause]) => clause!)
    .filter((clause) => clause.startsWith("BN11-"));
  assertEquals(clauses.sort(), wanted.sort());
});

Deno.test("docs/profile.md has each gap once", () => {
  const gaps = rows("docs/profile.md").map(([gap]) => gap!)
    .filter((gap) => /^G[0-9]+$/.test(gap));
  assertEquals(gaps, Array.from({ length: 31 }, (_, i) => `G${i + 1}`));
});

Deno.test("docs/profile.md leaves no cell of a gap empty", () => {
  const gaps = rows("docs/profile.md").filter(([gap]) =>
    /^G[0-9]+$/.test(gap!)
  );
  for (const cells of gaps) {
    assertEquals(cells.length, 5, cells[0]);
    assert(cells.every((cell) => cell !== ""), cells[0]);
  }
});

Deno.test("docs/architecture.md has the table of layers", () => {
  const table = rows("docs/architecture.md").flatMap(([unit, , others]) => {
    const name = unit!.replaceAll("`", "");
    const names = [...others?.matchAll(/`([^`]+)`/g) ?? []].map(([, n]) => n!);
    return name in MAY_IMPORT ? [[name, names.sort()]] : [];
  });
  const sorted = Object.entries(MAY_IMPORT)
    .map(([unit, others]) => [unit, [...others].sort()]);
  assertEquals(Object.fromEntries(table), Object.fromEntries(sorted));
});

for (const [path, config] of CONFIGURATIONS) {
  Deno.test(`${path} has every key of the configuration with its default`, () => {
    const table = rows(path);
    for (const { key, value, doc } of configKeys(config)) {
      const row = table.find(([keys]) =>
        keys!.split(" ").includes(`\`${key}\``)
      );
      assert(row, key);
      const shown = [value ? `\`${value}\`` : "none", doc];
      assertEquals([row[1], row[2]], shown, key);
    }
  });
}

for (const [path, prefix, exposed] of METRICS) {
  Deno.test(`${path} has every metric with its labels, and no other`, async () => {
    const table = rows(path).filter(([name]) =>
      /^`[a-z_]+`$/.test(name!) && name!.startsWith(`\`${prefix}_`)
    );
    const found = await labelsOf(await exposed());
    assertEquals(
      table.map(([name]) => name!.replaceAll("`", "")).sort(),
      [...found.keys()].sort(),
    );
    for (const [name, labels] of found) {
      const row = table.find(([each]) => each === `\`${name}\``)!.join(" ");
      for (const label of labels) assertStringIncludes(row, label);
    }
  });
}

Deno.test("docs/limits.md names constants and options that are in their files", () => {
  const limits = rows("docs/limits.md").slice(1);
  assert(limits.length > 50);
  for (const cells of limits) {
    const [, path, name] = cells[2]!.match(/^`([^`]+)` `([^`]+)`$/) ?? [];
    if (!path || !name) continue;
    assertStringIncludes(read(path), name, cells.join(" | "));
  }
});

Deno.test("README.md has the two commands and every part", () => {
  const text = read("README.md");
  for (const task of ["demo", "test"]) {
    assertStringIncludes(text, `\`\`\`sh\nnpx -y deno@2.9.6 task ${task}\n`);
  }
  const named = rows("README.md").map(([part]) => part!.replaceAll("`", ""));
  assertEquals(named.filter((part) => PARTS.includes(part)), PARTS);
});

Deno.test("the examples of README.md and the documents run", async () => {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "test",
      "--frozen",
      "--no-check",
      "--allow-all",
      "--doc",
      ...EXAMPLES,
    ],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  assert(success, decoder.decode(stdout) + decoder.decode(stderr));
});

Deno.test("tests/vectors/README.md has a section for every source", () => {
  const text = read("tests/vectors/README.md");
  for (
    const { name, isDirectory } of Deno.readDirSync(`${ROOT}tests/vectors`)
  ) {
    if (isDirectory) assertStringIncludes(text, `\n## ${name}/\n`);
  }
});

function read(path: string): string {
  return Deno.readTextFileSync(ROOT + path);
}

function assertExists(path: string, document: string): void {
  if (/[<*{]/.test(path)) return; // a pattern
  const folder = path.replace(/\/?$/, "/");
  const exists = paths.has(path) ||
    [...paths].some((each) => each.startsWith(folder));
  assert(exists, `${document} names ${path}`);
}

/** The cells of every table row of a document. */
function rows(path: string): string[][] {
  return read(path).split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) => line.slice(1, -1).split("|").map((cell) => cell.trim()));
}

function conformance(): string[][] {
  return rows("docs/conformance.md").filter(([clause]) =>
    !/^(clause|standard|---)/.test(clause!)
  ).map((cells) => {
    assertEquals(cells.length, 5, cells[0]);
    return cells;
  });
}

/** Keys, defaults and the first line of their texts, as `--print-config` prints them. */
function* configKeys(config: string) {
  let table = "";
  let doc: string[] = [];
  for (const line of config.split("\n")) {
    const header = line.match(/^(?:# )?\[{1,2}([^[\]]+)\]{1,2}$/)?.[1];
    const [, key, value] = line.match(/^(?:# )?([a-z_]+) =(?: (.*))?$/) ?? [];
    if (header !== undefined) table = header;
    else if (key) yield { key: `${table}.${key}`, value, doc: doc[0] };
    const isText = line.startsWith("# ") && !key && header === undefined;
    doc = isText ? [...doc, line.slice(2)] : [];
  }
}

/** The metrics of a server and a proxy that have done nothing. */
async function htxMetrics(): Promise<Metrics[]> {
  await using world = await World.start();
  const { server, gate, decoy } = world;
  const { dial } = world.network.transport("target");
  const forwarder = new tunnel.Forwarder({
    allow: new tunnel.AllowList([]),
    dial,
    resolve: () => Promise.resolve([]),
  });
  const atServer = new Metrics();
  latencyHooks(atServer);
  exposeServer(atServer, { server, gate, decoy, forwarder, tls: [] });
  await using dialer = new SessionDialer(() => world.dial());
  const atProxy = new Metrics();
  const tunnels = [new tunnel.LocalProxy(dialer)];
  exposeClient(atProxy, { dialer, tunnels });
  return [atServer, atProxy];
}

/** The metrics of a gateway that has done nothing. */
async function mixnetMetrics(): Promise<Metrics[]> {
  const { server, pool, clock } = idleGateway();
  const metrics = new Metrics();
  latenessHook(metrics);
  exposeMixServer(metrics, server, { pool, clock });
  await server[Symbol.asyncDispose]();
  return [metrics];
}

/** The metrics of a node that has done nothing, but those of its layers. */
async function dtnMetrics(): Promise<Metrics[]> {
  await using world = new DtnWorld();
  const node = await world.node("idle");
  const metrics = new Metrics();
  exposeDtnNode(metrics, { node, bundles: node.bundles });
  return [metrics];
}

/** The metrics of a node of agents that has done nothing. */
async function fabricMetrics(): Promise<Metrics[]> {
  await using world = new FabricWorld();
  const { node, book } = await world.start("idle", "node");
  const metrics = new Metrics();
  const mailboxes = new Mailboxes([]);
  exposeFabricNode(metrics, { node, book, mailboxes, groups: new Map() });
  return [metrics];
}

/** Names of metrics and the values of their labels. */
async function labelsOf(
  all: readonly Metrics[],
): Promise<Map<string, Set<string>>> {
  const found = new Map<string, Set<string>>();
  for (const metrics of all) {
    for (const { name, series } of await metrics.snapshot()) {
      const values = found.get(name) ?? new Set();
      for (const { labels } of series) {
        for (const value of Object.values(labels)) values.add(value);
      }
      found.set(name, values);
    }
  }
  return found;
}
