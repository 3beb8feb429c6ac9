/** Every node that names another module. */
export type Importing =
  | Deno.lint.ImportDeclaration
  | Deno.lint.ExportNamedDeclaration
  | Deno.lint.ExportAllDeclaration
  | Deno.lint.ImportExpression
  | Deno.lint.TSImportEqualsDeclaration
  | Deno.lint.TSImportType;

/** The module that `node` names; `undefined` for none, or one that is computed. */
export function specifierOf(node: Importing): string | undefined {
  const source = sourceOf(node);
  return source?.type === "Literal" && typeof source.value === "string"
    ? source.value
    : undefined;
}

function sourceOf(node: Importing): Deno.lint.Node | null | undefined {
  switch (node.type) {
    case "TSImportType":
      return node.argument.type === "TSLiteralType"
        ? node.argument.literal
        : undefined;
    case "TSImportEqualsDeclaration":
      return node.moduleReference.type === "TSExternalModuleReference"
        ? node.moduleReference.expression
        : undefined;
    default:
      return node.source;
  }
}
