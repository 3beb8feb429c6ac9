import { FabricError } from "../error.ts";

/**
 * A validator as Standard Schema 1 (standardschema.dev) has it, so that any library that follows it fits: Valibot, Zod, ArkType.
 *
 * `Input` is what is sent, `Output` what it becomes where it arrives.
 */
export interface Schema<Input = unknown, Output = Input> {
  /** What the specification asks of a schema. */
  readonly "~standard": {
    /** The version of the specification. */
    readonly version: 1;
    /** The library. */
    readonly vendor: string;
    /** Checks a value. */
    readonly validate: (
      value: unknown,
    ) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    /** For the compiler alone. */
    readonly types?:
      | { readonly input: Input; readonly output: Output }
      | undefined;
  };
}

/** What a {@link Schema} says of a value. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** What is wrong with a value, and where in it. */
export interface SchemaIssue {
  /** For people. */
  readonly message: string;
  /** The keys that lead there, or objects with them. */
  readonly path?:
    | readonly (PropertyKey | { readonly key: PropertyKey })[]
    | undefined;
}

/** What a schema takes. */
export type InputOf<S extends Schema> = NonNullable<
  S["~standard"]["types"]
>["input"];

/** What a schema makes of it. */
export type OutputOf<S extends Schema> = NonNullable<
  S["~standard"]["types"]
>["output"];

/**
 * What a schema makes of a value that arrived.
 *
 * @param what - `invalid_input` or `invalid_output`, for the error.
 * @throws {FabricError} `invalid`, whose message says what, and where in the value: `invalid_input: list.0.name`.
 */
export async function validated<S extends Schema>(
  schema: S,
  value: unknown,
  what: "invalid_input" | "invalid_output",
): Promise<OutputOf<S>> {
  const result = await schema["~standard"].validate(value);
  if (!result.issues) return result.value as OutputOf<S>;
  const path = (result.issues[0]?.path ?? []).map((each) =>
    String(typeof each === "object" ? each.key : each)
  ).join(".");
  throw new FabricError("invalid", path ? `${what}: ${path}` : what);
}
