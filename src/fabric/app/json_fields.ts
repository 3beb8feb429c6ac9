/**
 * The fields of a body, which is a JSON object.
 *
 * @throws {RangeError} If it is something else.
 */
export function fieldsIn(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new RangeError("The body is no JSON", { cause });
  }
  return objectOf(value, "The body");
}

/**
 * A JSON object.
 *
 * @throws {RangeError} If it is something else.
 */
export function objectOf(
  value: unknown,
  name: string,
): Record<string, unknown> {
  const isObject = typeof value === "object" && value !== null &&
    !Array.isArray(value);
  if (isObject) return value as Record<string, unknown>;
  throw new RangeError(`${name} is a JSON object`);
}

interface Types {
  readonly string: string;
  readonly number: number;
  readonly boolean: boolean;
}

/**
 * A field of a type, or `undefined` if it is absent.
 *
 * @throws {RangeError} If it is something else.
 */
export function optional<K extends keyof Types>(
  value: unknown,
  type: K,
  name: string,
): Types[K] | undefined {
  if (value === undefined) return undefined;
  const found: string = typeof value;
  if (found === type) return value as Types[K];
  throw new RangeError(`${name} is a ${type}`);
}

/**
 * A field that is one of `allowed`, or `undefined` if it is absent.
 *
 * @throws {RangeError} If it is something else.
 */
export function oneOf<T extends string>(
  value: unknown,
  allowed: readonly T[],
  name: string,
): T | undefined {
  if (value === undefined) return undefined;
  const found = allowed.find((each) => each === value);
  if (found !== undefined) return found;
  throw new RangeError(`${name} is one of ${allowed.join(", ")}`);
}
