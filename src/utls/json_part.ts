import { type Bytes, decodeHex } from "../core/bytes/mod.ts";
import { UtlsError } from "./error.ts";

/** Most entries a list in a profile may have. */
const MAX_ENTRIES = 256;

/** Longest string in a profile. */
const MAX_STRING_LENGTH = 4_096;

/** A value inside parsed JSON and the path to it, which every complaint names. */
export class JsonPart {
  /** From the root, e.g. `hello.extensions[3].data`. */
  readonly path: string;
  readonly #value: unknown;

  /** Takes the value at `path`, `""` for the root. */
  constructor(value: unknown, path = "") {
    this.#value = value;
    this.path = path;
  }

  /** What an object has under `key`; nothing if it is no object or lacks it, which any of the methods below refuses. */
  field(key: string): JsonPart {
    const value = this.#value;
    return isObject(value) && Object.hasOwn(value, key)
      ? new JsonPart(value[key], this.#at(key).path)
      : this.#at(key);
  }

  /** Whether there is a value. */
  get present(): boolean {
    return this.#value !== undefined;
  }

  /**
   * The fields of an object that has all of `required`, perhaps some of `optional`, and no others.
   *
   * @throws {UtlsError} `profile`.
   */
  fields<R extends string, O extends string = never>(
    required: readonly R[],
    optional: readonly O[] = [],
  ): Record<R, JsonPart> & Partial<Record<O, JsonPart>> {
    const value = this.#value;
    if (!isObject(value)) throw this.unlike("an object");
    const known: readonly string[] = [...required, ...optional];
    for (const key of Object.keys(value)) {
      if (!known.includes(key)) {
        throw this.#at(key.slice(0, 40)).fault("Unknown key");
      }
    }
    const missing = required.find((key) => !this.field(key).present);
    if (missing !== undefined) throw this.#at(missing).fault("Missing");
    const parts = Object.fromEntries(
      known.map((key) => [key, this.field(key)] as const)
        .filter(([_, part]) => part.present),
    );
    return parts as Record<R, JsonPart> & Partial<Record<O, JsonPart>>;
  }

  /**
   * The entries of a list of at most {@link MAX_ENTRIES}.
   *
   * @throws {UtlsError} `profile`.
   */
  list(): JsonPart[] {
    const value = this.#value;
    if (!Array.isArray(value)) throw this.unlike("a list");
    if (value.length > MAX_ENTRIES) {
      throw this.fault(
        `Expected at most ${MAX_ENTRIES} entries, got ${value.length}`,
      );
    }
    return value.map((entry, at) => new JsonPart(entry, `${this.path}[${at}]`));
  }

  /**
   * A string of at most {@link MAX_STRING_LENGTH} characters.
   *
   * @throws {UtlsError} `profile`.
   */
  string(): string {
    const value = this.#value;
    if (typeof value !== "string") throw this.unlike("a string");
    if (value.length > MAX_STRING_LENGTH) {
      throw this.fault(`Expected at most ${MAX_STRING_LENGTH} characters`);
    }
    return value;
  }

  /**
   * `true` or `false`.
   *
   * @throws {UtlsError} `profile`.
   */
  boolean(): boolean {
    if (typeof this.#value !== "boolean") throw this.unlike("true or false");
    return this.#value;
  }

  /**
   * An integer in `min` … `max`.
   *
   * @throws {UtlsError} `profile`.
   */
  integer(min: number, max: number): number {
    const value = this.#value;
    if (
      typeof value !== "number" || !Number.isInteger(value) || value < min ||
      value > max
    ) {
      throw this.unlike(`an integer in ${min} … ${max}`);
    }
    return value;
  }

  /**
   * One of `choices`.
   *
   * @throws {UtlsError} `profile`.
   */
  oneOf<T extends string>(choices: readonly T[]): T {
    const found = choices.find((choice) => choice === this.#value);
    if (found === undefined) {
      throw this.unlike(choices.map((choice) => `"${choice}"`).join(" or "));
    }
    return found;
  }

  /**
   * Bytes in hexadecimal.
   *
   * @throws {UtlsError} `profile`.
   */
  hex(): Bytes {
    const text = this.string();
    if (!/^([0-9a-f]{2})*$/.test(text)) {
      throw this.unlike("lower-case hexadecimal");
    }
    return decodeHex(text);
  }

  /** What to throw if its value contradicts others. */
  fault(message: string): UtlsError {
    return new UtlsError("profile", `${message} at ${this.path || "the root"}`);
  }

  /** What to throw if it is not what was `wanted`. */
  unlike(wanted: string): UtlsError {
    const value = this.#value;
    const got = value === null || typeof value !== "object"
      ? JSON.stringify(value)?.slice(0, 40)
      : Array.isArray(value)
      ? "a list"
      : "an object";
    return this.fault(`Expected ${wanted}, got ${got}`);
  }

  #at(key: string): JsonPart {
    return new JsonPart(undefined, this.path ? `${this.path}.${key}` : key);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
