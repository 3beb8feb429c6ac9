import type { Schema } from "./schema.ts";

/** A method that is asked and answers. */
export interface RequestMethod {
  /** `"request"`. */
  readonly kind: "request";
  /** What it is asked. */
  readonly input: Schema;
  /** What it answers. */
  readonly output: Schema;
}

/** A method that is told something. */
export interface NotifyMethod {
  /** `"notify"`. */
  readonly kind: "notify";
  /** What it is told. */
  readonly input: Schema;
}

/** A method that opens a stream. */
export interface StreamMethod {
  /** `"stream"`. */
  readonly kind: "stream";
  /** What it is opened with. */
  readonly input: Schema;
  /** Each value that the service sends. */
  readonly output: Schema;
  /** Each value that the client sends; it sends none if absent. */
  readonly feed?: Schema;
}

/** What a service can do. */
export type Method = RequestMethod | NotifyMethod | StreamMethod;

/** Methods by their names. */
export type Methods = Readonly<Record<string, Method>>;

/** What two agents agree on: names, and schemas of what goes between them. */
export interface Service<M extends Methods = Methods> {
  /** Its name: messages have the types `name.method`. */
  readonly name: string;
  /** What it can do. */
  readonly methods: M;
}

/** Longest type of a message, which names of a service and its method make. */
const MAX_TYPE = 128;

/**
 * Describes a service, for both who serves it and who calls it.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import * as v from "valibot";
 * import { defineService } from "../mod.ts";
 *
 * const sums = defineService({
 *   name: "sums",
 *   methods: {
 *     add: {
 *       kind: "request",
 *       input: v.tuple([v.number(), v.number()]),
 *       output: v.number(),
 *     },
 *     note: { kind: "notify", input: v.string() },
 *     count: {
 *       kind: "stream",
 *       input: v.object({ from: v.number() }),
 *       output: v.number(),
 *     },
 *   },
 * });
 * assertEquals(sums.methods.add.kind, "request");
 * ```
 *
 * @throws {RangeError} If a name is empty, `then`, or too long: with the service's and a dot 128 characters.
 */
export function defineService<const M extends Methods>(
  service: Service<M>,
): Service<M> {
  for (const name of [service.name, ...Object.keys(service.methods)]) {
    // An object with a method `then` would be taken for a promise.
    if (name === "" || name === "then") {
      throw new RangeError(`Nothing of a service may be named "${name}"`);
    }
  }
  for (const method of Object.keys(service.methods)) {
    const type = typeOf(service, method);
    if (type.length > MAX_TYPE) {
      throw new RangeError(
        `A type has at most ${MAX_TYPE} characters: ${type}`,
      );
    }
  }
  return service;
}

/** The type of the messages of a method. */
export function typeOf({ name }: Service, method: string): string {
  return `${name}.${method}`;
}
