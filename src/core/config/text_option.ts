import { formatDuration, parseDuration } from "./duration.ts";
import { range } from "./number_option.ts";
import { Option, type OptionKind, type OptionSettings } from "./option.ts";
import { formatSize, parseSize } from "./size.ts";

/** How a value is written as a string. */
export interface ParsedSettings<T> extends OptionSettings<T> {
  /** What is allowed, after "want", e.g. `host:port`. */
  readonly want: string;
  /** The value that `text` writes; throws if it writes none. */
  readonly parse: (text: string) => T;
  /** A text that `parse` reads as `value`. */
  readonly format: (value: T) => string;
  /**
   * Whether errors hide what was got.
   *
   * @default {false}
   */
  readonly secret?: boolean;
}

/**
 * A value of any type that is written as a string.
 *
 * ```ts
 * import { parseConfig, parsed, section } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const schema = section({
 *   origin: parsed({ want: "a URL", parse: (text) => new URL(text), format: String }),
 * });
 * assertEquals(parseConfig('origin = "http://localhost/"', schema).origin.port, "");
 * ```
 */
export function parsed<T>(settings: ParsedSettings<T>): Option<T> {
  const { want, parse, format, secret } = settings;
  const kind: OptionKind<T> = {
    want,
    read(node, path, issues) {
      if (node.kind !== "string") {
        return issues.addInvalid(
          path,
          node,
          want,
          secret ? "another type" : undefined,
        );
      }
      try {
        return parse(node.value);
      } catch {
        const got = `a string of ${node.value.length} characters`;
        return issues.addInvalid(path, node, want, secret ? got : undefined);
      }
    },
    fromText: (text) => ({ kind: "string", value: text, line: "override" }),
    format: (value) => JSON.stringify(format(value)),
  };
  return new Option<T>(kind as OptionKind<unknown>, settings);
}

/** What strings are allowed. */
export interface StringSettings extends OptionSettings<string> {
  /**
   * What is allowed, after "want".
   *
   * @default {"a string"}
   */
  readonly want?: string;
  /** What the whole string must match. */
  readonly pattern?: RegExp;
  /**
   * Whether errors hide what was got.
   *
   * @default {false}
   */
  readonly secret?: boolean;
}

/** A string. */
export function string(settings: StringSettings = {}): Option<string> {
  const { pattern } = settings;
  const whole = pattern && new RegExp(`^(?:${pattern.source})$`, pattern.flags);
  return parsed({
    want: pattern ? `a string like ${pattern.source}` : "a string",
    ...settings,
    parse(text) {
      if (whole && !whole.test(text)) throw new SyntaxError("No match");
      return text;
    },
    format: String,
  });
}

/** One of some words. */
export function oneOf<const Word extends string>(
  words: readonly Word[],
  settings: OptionSettings<NoInfer<Word>> = {},
): Option<Word> {
  const byName = new Map(words.map((word) => [word as string, word]));
  return parsed<Word>({
    want: words.map((word) => JSON.stringify(word)).join(" or "),
    ...settings,
    parse(text) {
      const word = byName.get(text);
      if (word === undefined) throw new SyntaxError("No such word");
      return word;
    },
    format: String,
  });
}

/** What durations or sizes are allowed, each in its own notation. */
export interface QuantitySettings {
  /** Least value allowed, e.g. `"1s"`. */
  readonly min?: string;
  /** Greatest value allowed. */
  readonly max?: string;
  /** Value if the key is absent. */
  readonly default?: string;
  /** What it is for, in a line. */
  readonly doc?: string;
}

/** Milliseconds, written as {@link parseDuration} reads them. */
export function duration(settings: QuantitySettings = {}): Option<number> {
  return quantity(
    'a duration ("250ms", "10s", "5m", "2h")',
    parseDuration,
    formatDuration,
    settings,
  );
}

/** Bytes, written as {@link parseSize} reads them. */
export function size(settings: QuantitySettings = {}): Option<number> {
  return quantity(
    'a size ("512B", "64KiB", "1MB")',
    parseSize,
    formatSize,
    settings,
  );
}

function quantity(
  noun: string,
  parse: (text: string) => number,
  format: (value: number) => string,
  settings: QuantitySettings,
): Option<number> {
  const bound = (text?: string) => text === undefined ? undefined : parse(text);
  const min = bound(settings.min) ?? -Infinity;
  const max = bound(settings.max) ?? Infinity;
  const fallback = bound(settings.default);
  return parsed({
    want: noun + range(min, max, format),
    ...(fallback === undefined ? {} : { default: fallback }),
    doc: settings.doc ?? "",
    parse(text) {
      const value = parse(text);
      if (value < min || value > max) throw new RangeError("Out of range");
      return value;
    },
    format,
  });
}
