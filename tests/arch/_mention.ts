/** One place where the value of a name is used. */
export interface Mention {
  /** The name, such as `Math` in `Math.random`. */
  readonly owner: string;
  /** The member that is read, such as `random` of `Math.random` and `Math["random"]`, or `now` of `new Date()`. */
  readonly member: string | undefined;
  /** Whether any member may be meant, as in `const { random } = Math`. */
  readonly isWhole: boolean;
}

/** The use that `node` is of the value of its name; `undefined` if it is a type, a label, the name of a member or a new name. */
export function mentionOf(node: Deno.lint.Identifier): Mention | undefined {
  if (isMerelyNamed(node) || isBinding(node)) return undefined;
  const { name: owner, parent } = node;
  if (parent.type === "MemberExpression" && parent.object === node) {
    const member = memberOf(parent);
    return { owner, member, isWhole: member === undefined };
  }
  const isCalled =
    (parent.type === "CallExpression" || parent.type === "NewExpression") &&
    parent.callee === node;
  const isNow = isCalled && owner === "Date" && parent.arguments.length === 0;
  return { owner, member: isNow ? "now" : undefined, isWhole: !isCalled };
}

/** Whether `node` makes its name mean something in this file. */
export function isBinding(node: Deno.lint.Node): boolean {
  if (!("parent" in node)) return false;
  const { parent } = node;
  switch (parent.type) {
    case "VariableDeclarator":
    case "ClassDeclaration":
    case "TSEnumDeclaration":
    case "TSImportEqualsDeclaration":
      return parent.id === node;
    case "FunctionDeclaration":
    case "FunctionExpression":
    case "ArrowFunctionExpression":
      return parent.body !== node;
    case "ImportSpecifier":
    case "ImportDefaultSpecifier":
    case "ImportNamespaceSpecifier":
      return true;
    case "CatchClause":
      return parent.param === node;
    case "AssignmentPattern":
      return parent.left === node && isBinding(parent);
    case "Property":
      return parent.value === node && isBinding(parent);
    case "RestElement":
    case "ArrayPattern":
    case "ObjectPattern":
      return isBinding(parent);
    default:
      return false;
  }
}

function isMerelyNamed(node: Deno.lint.Identifier): boolean {
  const { parent } = node;
  switch (parent.type) {
    case "MemberExpression":
      return parent.property === node && !parent.computed;
    case "Property":
    case "MethodDefinition":
    case "PropertyDefinition":
      return parent.key === node && !parent.computed;
    case "ExportSpecifier":
      return parent.local !== node;
    case "BreakStatement":
    case "ContinueStatement":
    case "LabeledStatement":
    case "MetaProperty":
      return true;
    case "BinaryExpression":
      return parent.operator === "instanceof" && parent.right === node;
    default:
      return parent.type.startsWith("TS") && !VALUES.has(parent.type);
  }
}

/** TypeScript's own nodes that hold values. */
const VALUES: ReadonlySet<string> = new Set([
  "TSAsExpression",
  "TSEnumMember",
  "TSExportAssignment",
  "TSNonNullExpression",
  "TSSatisfiesExpression",
  "TSTypeAssertion",
]);

/** `b` of `a.b` and of `a["b"]`. */
function memberOf(
  { property, computed }: Deno.lint.MemberExpression,
): string | undefined {
  if (!computed) return property.type === "Identifier" ? property.name : "";
  return property.type === "Literal" && typeof property.value === "string"
    ? property.value
    : undefined;
}
