/**
 * Strings, numbers and booleans of TOML 1.0.
 *
 * @module
 */
import type { TomlValue } from "./toml.ts";
import type { TomlScanner } from "./toml_scanner.ts";

const BARE_REGEXP = /[0-9A-Za-z_+.:-]+/y;
const DECIMAL_REGEXP = /^[+-]?(?:0|[1-9](?:_?\d)*)$/;
const RADIX_REGEXP =
  /^0(?:x[\dA-Fa-f](?:_?[\dA-Fa-f])*|o[0-7](?:_?[0-7])*|b[01](?:_?[01])*)$/;
const FLOAT_REGEXP =
  /^[+-]?(?:0|[1-9](?:_?\d)*)(?:\.\d(?:_?\d)*)?(?:[eE][+-]?\d(?:_?\d)*)?$/;
const SPECIAL_REGEXP = /^([+-]?)(inf|nan)$/;
const DATE_REGEXP = /^\d{4}-|^\d\d:/;

const BASIC_REGEXP = /[\t -!#-[\]-~\u0080-\uffff]+/y;
const LITERAL_REGEXP = /[\t -&(-~\u0080-\uffff]*/y;
const BASIC_LINES_REGEXP = /[\t\n -!#-[\]-~\u0080-\uffff]+|\r\n/y;
const LITERAL_LINES_REGEXP = /[\t\n -&(-~\u0080-\uffff]+|\r\n/y;
const LINE_JOIN_REGEXP = /\\[ \t]*\r?\n/y;
const JOINED_REGEXP = /[ \t\n]+|\r\n/y;
const MAX_BARE_CHARS = 128;
const ESCAPE_REGEXP = /\\(?:[btnfr"\\]|u[\dA-Fa-f]{4}|U[\dA-Fa-f]{8})/y;
const ESCAPES: Readonly<Record<string, string>> = {
  b: "\b",
  t: "\t",
  n: "\n",
  f: "\f",
  r: "\r",
  '"': '"',
  "\\": "\\",
};

/** Reads a number or boolean. */
export function readBare(scanner: TomlScanner): TomlValue {
  const { line } = scanner;
  const text = scanner.match(BARE_REGEXP) ?? scanner.fail("want a value");
  if (text.length > MAX_BARE_CHARS) scanner.fail("number is too long");
  if (text === "true" || text === "false") {
    return { kind: "boolean", value: text === "true", line };
  }
  const digits = text.replaceAll("_", "");
  if (DECIMAL_REGEXP.test(text) || RADIX_REGEXP.test(text)) {
    const value = Number(digits);
    if (!Number.isSafeInteger(value)) {
      scanner.fail("want an integer within ±(2^53 - 1)");
    }
    return { kind: "integer", value: value === 0 ? 0 : value, line };
  }
  if (FLOAT_REGEXP.test(text)) {
    return { kind: "float", value: Number(digits), line };
  }
  const [, sign, name] = SPECIAL_REGEXP.exec(text) ?? [];
  if (name) {
    const value = name === "nan" ? NaN : sign === "-" ? -Infinity : Infinity;
    return { kind: "float", value, line };
  }
  return scanner.fail(
    DATE_REGEXP.test(text)
      ? "dates are not used here: write a string"
      : "want a value: strings must be quoted",
  );
}

/** Reads the string that comes next, if one does. */
export function readString(scanner: TomlScanner): string | undefined {
  if (scanner.take('"""')) return readLines(scanner, '"', BASIC_LINES_REGEXP);
  if (scanner.take("'''")) return readLines(scanner, "'", LITERAL_LINES_REGEXP);
  return readLineString(scanner);
}

/** Reads the string of one line that comes next, if one does: the only kind that a key may be. */
export function readLineString(scanner: TomlScanner): string | undefined {
  let text: string | undefined;
  if (scanner.take("'")) {
    text = scanner.match(LITERAL_REGEXP) ?? "";
    if (!scanner.take("'")) {
      scanner.fail("string is not closed by ' on its line");
    }
  } else if (scanner.take('"')) {
    const parts: string[] = [];
    while (!scanner.take('"')) {
      parts.push(
        scanner.match(BASIC_REGEXP) ?? readEscape(scanner) ??
          scanner.fail('string is not closed by " on its line'),
      );
    }
    text = parts.join("");
  }
  return text;
}

function readLines(
  scanner: TomlScanner,
  quote: string,
  pattern: RegExp,
): string {
  scanner.match(/\r?\n/y);
  const parts: string[] = [];
  while (!scanner.take(quote.repeat(3))) {
    const part = scanner.match(pattern) ??
      (scanner.take(quote) ? quote : undefined) ??
      (quote === '"'
        ? readLineJoin(scanner) ?? readEscape(scanner)
        : undefined);
    if (part === undefined) {
      scanner.fail(`string is not closed by ${quote.repeat(3)}`);
    }
    parts.push(part);
  }
  for (let i = 0; i < 2 && scanner.take(quote); i++) parts.push(quote);
  return parts.join("");
}

/** Takes a backslash at the end of a line and the blank space after it, which stand for nothing. */
function readLineJoin(scanner: TomlScanner): string | undefined {
  if (scanner.match(LINE_JOIN_REGEXP) === undefined) return undefined;
  while (scanner.match(JOINED_REGEXP));
  return "";
}

function readEscape(scanner: TomlScanner): string | undefined {
  const escape = scanner.match(ESCAPE_REGEXP);
  if (escape === undefined) {
    return scanner.take("\\")
      ? scanner.fail("unknown escape in a string")
      : undefined;
  }
  const simple = ESCAPES[escape[1]!];
  if (simple !== undefined) return simple;
  const codePoint = parseInt(escape.slice(2), 16);
  if (codePoint > 0x10ffff || codePoint >> 11 === 0xd800 >> 11) {
    scanner.fail("escape is not a Unicode scalar value");
  }
  return String.fromCodePoint(codePoint);
}
