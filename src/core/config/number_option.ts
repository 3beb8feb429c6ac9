import { Option, type OptionKind, type OptionSettings } from "./option.ts";
import type { TomlNumber, TomlValue } from "./parse_toml.ts";

/** What numbers are allowed. */
export interface NumberSettings extends OptionSettings<number> {
  /** Least value allowed. */
  readonly min?: number;
  /** Greatest value allowed. */
  readonly max?: number;
}

/** An integer within ±(2^53 − 1). */
export function integer(settings: NumberSettings = {}): Option<number> {
  return new Option(numberKind("an integer", ["integer"], settings), settings);
}

/** A finite number, written as an integer or a float. */
export function number(settings: NumberSettings = {}): Option<number> {
  const kinds = ["integer", "float"] as const;
  return new Option(numberKind("a number", kinds, settings), settings);
}

/** `true` or `false`. */
export function boolean(
  settings: OptionSettings<boolean> = {},
): Option<boolean> {
  const kind: OptionKind<boolean> = {
    want: "true or false",
    read(node, path, issues) {
      if (node.kind === "boolean") return node.value;
      return issues.addInvalid(path, node, kind.want);
    },
    fromText(text) {
      return text === "true" || text === "false"
        ? { kind: "boolean", value: text === "true", line: "override" }
        : { kind: "string", value: text, line: "override" };
    },
    format: String,
  };
  return new Option(kind as OptionKind<unknown>, settings);
}

function numberKind(
  noun: string,
  kinds: readonly TomlValue["kind"][],
  { min = -Infinity, max = Infinity }: NumberSettings,
): OptionKind<unknown> {
  const kind: OptionKind<number> = {
    want: noun + range(min, max),
    read(node, path, issues) {
      if (
        (node.kind === "integer" || node.kind === "float") &&
        kinds.includes(node.kind) && isExact(node) &&
        node.value >= min && node.value <= max
      ) return node.value;
      return issues.addInvalid(path, node, kind.want);
    },
    fromText(text) {
      const line = "override";
      if (!/^[+-]?\d+(\.\d+)?$/.test(text)) {
        return { kind: "string", value: text, line };
      }
      const value = Number(text);
      return { kind: text.includes(".") ? "float" : "integer", value, line };
    },
    format: String,
  };
  return kind as OptionKind<unknown>;
}

/** ` in 1..10`, ` of at least 1`, ` of at most 10`, or nothing. */
export function range(
  min: number,
  max: number,
  format: (bound: number) => string = String,
): string {
  if (min > -Infinity && max < Infinity) {
    return ` in ${format(min)}..${format(max)}`;
  }
  if (min > -Infinity) return ` of at least ${format(min)}`;
  return max < Infinity ? ` of at most ${format(max)}` : "";
}

/** Whether an integer is one that was not rounded, or a float finite. */
function isExact({ kind, value }: TomlNumber): boolean {
  return kind === "integer"
    ? Number.isSafeInteger(value)
    : Number.isFinite(value);
}
