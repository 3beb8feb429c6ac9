/** Every node that names another module. */
export type Importing =
  | Deno.lint.ImportDeclaration
  | Deno.lint.ExportNamedDeclaration
  | Deno.lint.ExportAllDeclaration
  | Deno.lint.ImportExpression
  | Deno.lint.TSImportType;

/** The module that `node` names; `undefined` for none, or one that is computed. */
export function specifierOf(node: Importing): string | undefined {
  const source = node.type === "TSImportType"
    ? node.argument.type === "TSLiteralType" ? node.argument.literal : undefined
    : node.source;
  return source?.type === "Literal" && typeof source.value === "string"
    ? source.value
    : undefined;
}
