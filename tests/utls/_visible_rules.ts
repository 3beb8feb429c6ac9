import { encodeHex } from "../../src/core/bytes/mod.ts";
import type { ExtensionRule, HelloRules, Profile } from "../../src/utls/mod.ts";

/** The rules as far as hellos show them: places in a table that is permuted, and padding that is never needed, do not show. */
export function visibleRules({ hello, version }: Profile): HelloRules {
  if (hello.extensionOrder === "build") return hello;
  const [first, ...rest] = hello.extensions;
  const last = rest.pop();
  const number = (rule: ExtensionRule) =>
    rule.rule === "grease" ? 0 : rule.type;
  const moving = rest.map((rule) =>
    rule.rule === "trustAnchors" && rule.order !== "build"
      ? {
        ...rule,
        ids: rule.ids.toSorted((a, b) => encodeHex(a) < encodeHex(b) ? -1 : 1),
      }
      : rule
  ).sort((a, b) => number(a) - number(b));
  return {
    ...hello,
    extensions: [first!, ...moving, last!],
    padding: hello.padding && version < 124,
  };
}
