import { doors } from "./doors.ts";
import { type Importing, specifierOf } from "./_specifier.ts";
import { isSource, ROOT, unitOf } from "./_unit.ts";

/** Who may import whom. A row lists every other unit that the unit may import. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "core/bytes": [],
  "core/async": [],
  "core/config": [],
  "core/log": [],
  "core/metrics": [],
  "core/capture": core("bytes"),
  "core/crypto": core("bytes"),
  "core/storage": core("bytes"),
  "core/transport": core("bytes async"),
  "core/noise": core("bytes crypto"),
  dtn: core("bytes async capture crypto log storage transport"),
  "core/hpke": core("bytes crypto"),
  http2: core("bytes"),
  ffi: core("bytes crypto"),
  utls: [...core("bytes capture crypto"), "http2"],
  tls: [...core("bytes async crypto storage transport"), "utls"],
  htx: [
    ...core("bytes async log metrics crypto storage transport noise"),
    "http2",
    "tls",
    "utls",
  ],
  mixnet: core("bytes async log metrics crypto storage transport noise"),
  betanet_cla: [
    ...core("bytes async crypto storage transport"),
    "dtn",
    "htx",
    "mixnet",
  ],
  fabric: [
    ...core("bytes async crypto log storage transport hpke"),
    "dtn",
    "htx",
  ],
  status: core("log metrics transport"),
};

function core(names: string): string[] {
  return names.split(" ").map((name) => `core/${name}`);
}

/** Lint rule: a unit imports those of its row, through their `mod.ts`, and nothing else of this repository. */
const imports: Deno.lint.Rule = {
  create(ctx) {
    if (!isSource(ctx.filename)) return {};
    const visit = (node: Importing) => {
      const message = fault(ctx.filename, node);
      if (message) ctx.report({ node, message });
    };
    return {
      ImportDeclaration: visit,
      ExportNamedDeclaration: visit,
      ExportAllDeclaration: visit,
      ImportExpression: visit,
      TSImportEqualsDeclaration: visit,
      TSImportType: visit,
    };
  },
};

function fault(path: string, node: Importing): string | undefined {
  const specifier = specifierOf(node);
  if (specifier === undefined) {
    return node.type === "ImportExpression"
      ? "Import a module by a literal name"
      : undefined;
  }
  if (/^(\/|file:|@aivillage\/)/.test(specifier)) {
    return "Import modules of this repository by relative paths";
  }
  if (!specifier.startsWith(".")) return undefined;
  const target = decodeURIComponent(
    new URL(specifier, new URL(encodeURI(path), "file://")).pathname,
  );
  const from = unitOf(path);
  const to = unitOf(target);
  if (to === undefined) return `src may not import ${specifier}`;
  if (from === to) return undefined;
  if (from === undefined || !MAY_IMPORT[from]?.includes(to)) {
    return `${from ?? "src"} may not import ${to}`;
  }
  return target === `${ROOT}src/${to}/mod.ts`
    ? undefined
    : `Import ${to} through its mod.ts`;
}

/** Shown by editors and `deno lint`. */
const plugin: Deno.lint.Plugin = { name: "layers", rules: { imports, doors } };
export default plugin;
