import { type Importing, specifierOf } from "./_specifier.ts";
import { ROOT } from "./_unit.ts";

/** What a module takes from another: names, or `*` for all of them. */
export interface Taken {
  /** The other module, as a path in the repository. */
  readonly from: string;
  /** Names as the other module exports them. */
  readonly names: readonly string[];
}

/** One TypeScript file and what crosses its border. */
export interface Module {
  /** Its path in the repository, such as `src/htx/frame.ts`. */
  readonly path: string;
  /** Its text. */
  readonly text: string;
  /** What it takes from modules of this repository. */
  readonly takes: readonly Taken[];
  /** Names of the values that it declares and exports; types, which signatures need, are left out. */
  readonly declares: readonly string[];
  /** Whether it has `export * from`. */
  readonly exportsAll: boolean;
}

/** The TypeScript files below `directory`, parsed; vectors and packages are left out. */
export function readModules(directory: string): Module[] {
  return files(directory).filter((path) => path.endsWith(".ts")).map(parse);
}

/** Every file below `directory` that belongs to the project, as paths in the repository. */
export function files(directory = ""): string[] {
  const skipped = /^(\.git|node_modules|dist|target|\.cache)$/;
  return [...Deno.readDirSync(ROOT + directory)].flatMap((entry) => {
    const path = directory ? `${directory}/${entry.name}` : entry.name;
    if (entry.isFile) return [path];
    return entry.isDirectory && !skipped.test(entry.name) ? files(path) : [];
  }).sort();
}

function parse(path: string): Module {
  const text = Deno.readTextFileSync(ROOT + path);
  const takes: Taken[] = [];
  const declares: string[] = [];
  let exportsAll = false;
  const take = (node: Importing, names: readonly string[]) => {
    const specifier = specifierOf(node);
    if (!specifier?.startsWith(".")) return;
    const from = new URL(specifier, `file:///${path}`).pathname.slice(1);
    takes.push({ from, names });
  };
  const visitor: Deno.lint.LintVisitor = {
    ImportDeclaration: (node) => take(node, node.specifiers.map(importedName)),
    ImportExpression: (node) => take(node, ["*"]),
    TSImportType: (node) => take(node, ["*"]),
    ExportAllDeclaration(node) {
      exportsAll ||= node.exported === null;
      take(node, ["*"]);
    },
    ExportNamedDeclaration(node) {
      if (node.source) take(node, node.specifiers.map((s) => nameOf(s.local)));
      else if (node.parent.type === "Program") {
        declares.push(...node.specifiers.map((s) => nameOf(s.exported)));
        declares.push(...declaredValues(node.declaration));
      }
    },
  };
  run(path, text, visitor);
  return { path, text, takes, declares, exportsAll };
}

/** The linter is the parser: it gives a visitor the syntax tree of `text`. */
function run(path: string, text: string, visitor: Deno.lint.LintVisitor): void {
  const rules = { read: { create: () => visitor } };
  Deno.lint.runPlugin({ name: "modules", rules }, ROOT + path, text);
}

function importedName(
  node: Deno.lint.ImportDeclaration["specifiers"][number],
): string {
  if (node.type === "ImportSpecifier") return nameOf(node.imported);
  return node.type === "ImportDefaultSpecifier" ? "default" : "*";
}

function nameOf(node: Deno.lint.Identifier | Deno.lint.StringLiteral): string {
  return node.type === "Identifier" ? node.name : node.value;
}

function declaredValues(
  node: Deno.lint.ExportNamedDeclaration["declaration"],
): string[] {
  if (
    node?.type === "FunctionDeclaration" || node?.type === "ClassDeclaration"
  ) return node.id ? [node.id.name] : [];
  if (node?.type !== "VariableDeclaration") return [];
  return node.declarations.flatMap(({ id }) =>
    id.type === "Identifier" ? [id.name] : []
  );
}
