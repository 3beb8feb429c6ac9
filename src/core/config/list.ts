import { Option, type OptionKind, type OptionSettings } from "./option.ts";

/** What lists are allowed. */
export interface ListSettings<T> extends OptionSettings<readonly T[]> {
  /**
   * Greatest number of items.
   *
   * @default {1024}
   */
  readonly maxItems?: number;
}

/** Values of one kind in order; of sections, tables under `[[key]]`. As an override, items with commas between. */
export function list<T>(
  element: Option<T>,
  settings: ListSettings<T> = {},
): Option<readonly T[]> {
  const item = element.kind as OptionKind<T>;
  const maxItems = settings.maxItems ?? 1024;
  const kind: OptionKind<readonly T[]> = {
    want: `a list of at most ${maxItems}, each ${item.want}`,
    element: element.kind,
    read(node, path, issues) {
      if (node.kind !== "array") {
        return issues.addInvalid(path, node, kind.want);
      }
      if (node.items.length > maxItems) {
        const got = `${node.items.length} items`;
        return issues.addInvalid(path, node, kind.want, got);
      }
      const items: T[] = [];
      for (const [i, child] of node.items.entries()) {
        items.push(item.read(child, `${path}[${i}]`, issues)!);
      }
      return items;
    },
    fromText: (text) => ({
      kind: "array",
      items: text === ""
        ? []
        : text.split(",").map((part) => item.fromText(part.trim())),
      line: "override",
    }),
    format: (items) =>
      `[${items.map((value) => item.format(value)).join(", ")}]`,
  };
  return new Option<readonly T[]>(kind as OptionKind<unknown>, settings);
}
