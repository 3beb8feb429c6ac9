/** Who may import whom. A row lists every other unit that the unit may import. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "core/bytes": [],
  "core/async": [],
  "core/config": [],
  "core/log": [],
  "core/metrics": [],
  "core/crypto": core("bytes"),
  "core/storage": core("bytes async"),
  "core/transport": core("bytes async"),
  "core/noise": core("bytes crypto"),
  htx: core("bytes async config log metrics crypto storage transport noise"),
  status: [...core("async log metrics"), "htx"],
};

function core(names: string): string[] {
  return names.split(" ").map((name) => `core/${name}`);
}

/** `core/bytes` for `/r/src/core/bytes/reader.ts`, `htx` for `/r/src/htx/frame.ts`. */
export function unitOf(path: string): string | undefined {
  return path.match(/\/src\/((?:core\/)?[^/]+)\/[^/]/)?.[1];
}

type Node =
  | Deno.lint.ImportDeclaration
  | Deno.lint.ExportNamedDeclaration
  | Deno.lint.ExportAllDeclaration
  | Deno.lint.ImportExpression;

function check(ctx: Deno.lint.RuleContext): (node: Node) => void {
  return ({ source }) => {
    if (source?.type !== "Literal" || typeof source.value !== "string") return;
    if (!source.value.startsWith(".")) return;
    const from = unitOf(ctx.filename);
    const target = new URL(source.value, `file://${ctx.filename}`).pathname;
    const to = unitOf(target);
    if (!from || !to || from === to) return;
    if (!MAY_IMPORT[from]?.includes(to)) {
      ctx.report({
        range: source.range,
        message: `${from} may not import ${to}`,
      });
    } else if (!target.endsWith("/mod.ts")) {
      ctx.report({
        range: source.range,
        message: `Import ${to} through its mod.ts`,
      });
    }
  };
}

const plugin: Deno.lint.Plugin = {
  name: "layers",
  rules: {
    imports: {
      create: (ctx) => ({
        ImportDeclaration: check(ctx),
        ExportNamedDeclaration: check(ctx),
        ExportAllDeclaration: check(ctx),
        ImportExpression: check(ctx),
      }),
    },
  },
};
export default plugin;
