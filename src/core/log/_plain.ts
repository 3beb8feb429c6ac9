/** A value that JSON has. */
export type Plain = string | number | boolean | null | PlainFields | Plain[];

/** Fields with plain values. */
export interface PlainFields {
  /** The value of each field. */
  readonly [name: string]: Plain;
}

const MAX_CHARS = 256;
const MAX_STACK_CHARS = 4096;
const MAX_ENTRIES = 16;
const MAX_DEPTH = 2;

/** Makes the values of `fields` plain and short; see `createLogger` for how. */
export function toPlain(
  fields: Readonly<Record<string, unknown>>,
  { stacks }: { readonly stacks: boolean },
): PlainFields {
  return mapValues(Object.keys(fields), fields, 0);

  function plain(value: unknown, depth: number): Plain {
    switch (typeof value) {
      case "string":
        return cut(value, MAX_CHARS);
      case "boolean":
        return value;
      case "number":
        return Number.isFinite(value) ? value : String(value);
      case "object":
        return value === null ? null : plainObject(value, depth);
      case "function":
      case "symbol":
        return `[${typeof value}]`;
      default:
        return String(value); // bigint, undefined
    }
  }

  function plainObject(value: object, depth: number): Plain {
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
      return `[${value.byteLength} bytes]`;
    }
    if (depth > MAX_DEPTH) return "[...]";
    const shown = ownForm(value);
    if (shown !== undefined) return plain(shown, depth + 1);
    if (value instanceof Error) return plainError(value, depth);
    if (Array.isArray(value)) {
      const items = value.slice(0, MAX_ENTRIES).map((v) => plain(v, depth + 1));
      const left = value.length - items.length;
      return left > 0 ? [...items, `[${left} more]`] : items;
    }
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== null && prototype !== Object.prototype) {
      return `[${cut(String(value.constructor?.name), MAX_CHARS)}]`;
    }
    return mapValues(Object.keys(value), value, depth + 1);
  }

  function plainError(error: Error, depth: number): Plain {
    const { name, message, cause, stack } = error;
    const code = (error as { code?: unknown }).code;
    return {
      name: plain(name, depth + 1),
      ...(code === undefined ? {} : { code: plain(code, depth + 1) }),
      message: plain(message, depth + 1),
      ...(cause === undefined ? {} : { cause: plain(cause, depth + 1) }),
      ...(stacks && stack ? { stack: cut(stack, MAX_STACK_CHARS) } : {}),
    };
  }

  function mapValues(names: string[], from: object, depth: number) {
    const kept = depth === 0 ? names : names.slice(0, MAX_ENTRIES);
    const entries = kept.map((name): [string, Plain] => [
      cut(name, MAX_CHARS),
      attempt(() => plain((from as Record<string, unknown>)[name], depth)),
    ]);
    const left = names.length - kept.length;
    if (left > 0) entries.push(["more", left]);
    return Object.fromEntries(entries);
  }
}

/** What `value` wants to be printed as, if it says so. */
function ownForm(value: object): unknown {
  const own = value as Record<string | symbol, unknown>;
  for (const name of ["toJSON", INSPECT, NODE_INSPECT]) {
    const print = own[name];
    if (typeof print === "function") {
      return print.call(value, "", {}, () => "[...]") ?? null;
    }
  }
}

const INSPECT = Symbol.for("Deno.customInspect");
const NODE_INSPECT = Symbol.for("nodejs.util.inspect.custom");

function attempt(fn: () => Plain): Plain {
  try {
    return fn();
  } catch {
    return "[unprintable]";
  }
}

function cut(text: string, maxChars: number): string {
  return text.length <= maxChars
    ? text
    : `${text.slice(0, maxChars)}[${text.length - maxChars} more]`;
}
