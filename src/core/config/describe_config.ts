import type { Fields, Option } from "./option.ts";

/**
 * A TOML text with every key of `schema`: its meaning, what is allowed, and its default.
 *
 * Keys without a default, optional sections and lists of sections are commented out.
 *
 * ```ts
 * import { describeConfig, duration, section } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const schema = section({ idle_timeout: duration({ default: "30s", doc: "Silence before we close" }) });
 * assertEquals(describeConfig(schema), '# Silence before we close\n# a duration ("250ms", "10s", "5m", "2h")\nidle_timeout = "30s"\n');
 * ```
 */
export function describeConfig(schema: Option<unknown>): string {
  return describeFields(schema.kind.fields ?? {}, "", "").join("\n\n") + "\n";
}

/** A block of lines for each key and header; `mute` is `# ` within what is commented out. */
function describeFields(fields: Fields, path: string, mute: string): string[] {
  const values: string[] = [];
  const tables: string[] = [];
  for (const [key, option] of Object.entries(fields)) {
    const { kind, doc, isOptional } = option;
    const inside = kind.fields ?? kind.element?.fields;
    if (!inside) {
      values.push(describeKey(key, option, mute));
      continue;
    }
    const child = path === "" ? key : `${path}.${key}`;
    const header = kind.fields ? `[${child}]` : `[[${child}]]`;
    const inner = kind.fields && !isOptional ? mute : "# ";
    tables.push(`${commentOf(doc)}${inner}${header}`);
    tables.push(...describeFields(inside, child, inner));
  }
  return [...values, ...tables];
}

function describeKey(
  key: string,
  { kind, doc, default: value, isOptional }: Option<unknown>,
  mute: string,
): string {
  if (value !== undefined) {
    return `${commentOf(doc)}# ${kind.want}\n${mute}${key} = ${
      kind.format(value)
    }`;
  }
  const need = isOptional ? "optional" : "required";
  return `${commentOf(doc)}# ${kind.want}; ${need}\n# ${key} =`;
}

function commentOf(doc: string): string {
  return doc === "" ? "" : `# ${doc}\n`;
}
