import type { Fabric } from "../agent/fabric.ts";
import type { Incoming } from "../agent/handlers.ts";
import { FabricError } from "../error.ts";
import {
  type InputOf,
  type OutputOf,
  type Schema,
  validated,
} from "./schema.ts";
import {
  type Method,
  type Methods,
  type NotifyMethod,
  type RequestMethod,
  type Service,
  type StreamMethod,
  typeOf,
} from "./service.ts";
import { TypedStream } from "./typed_stream.ts";

/** What does the work of a {@link Method}. */
export type Implementation<M extends Method> = M extends RequestMethod ? (
    input: OutputOf<M["input"]>,
    incoming: Incoming,
  ) => InputOf<M["output"]> | Promise<InputOf<M["output"]>>
  : M extends NotifyMethod ? (
      input: OutputOf<M["input"]>,
      incoming: Incoming,
    ) => void | Promise<void>
  : M extends StreamMethod ? (
      stream: TypedStream<
        InputOf<M["output"]>,
        M["feed"] extends Schema ? OutputOf<M["feed"]> : never
      >,
      input: OutputOf<M["input"]>,
    ) => void | Promise<void>
  : never;

/** What does the work of every method of a service. */
export type Implementations<M extends Methods> = {
  readonly [Name in keyof M]: Implementation<M[Name]>;
};

/**
 * Lets `implementations` have the messages and streams of a service; disposing of what it gives takes them away.
 *
 * What does not fit the schema of a method's input does not reach it: it is refused with the reason `invalid_input`, and where in the
 * value. A message of the wrong kind is refused with `wrong_kind`.
 *
 * @throws {RangeError} If a type of the service has a handler.
 */
export function serve<M extends Methods>(
  fabric: Pick<Fabric, "handle" | "handleStream">,
  service: Service<M>,
  implementations: Implementations<M>,
): Disposable {
  const handlers = new DisposableStack();
  try {
    for (const [name, method] of Object.entries<Method>(service.methods)) {
      const implementation = implementations[name] as never;
      handlers.use(
        handle(fabric, typeOf(service, name), method, implementation),
      );
    }
  } catch (error) {
    handlers[Symbol.dispose]();
    throw error;
  }
  return handlers;
}

function handle(
  fabric: Pick<Fabric, "handle" | "handleStream">,
  type: string,
  method: Method,
  implementation:
    & ((input: unknown, incoming: Incoming) => unknown)
    & ((stream: TypedStream<unknown, never>, input: unknown) => Promise<void>),
): Disposable {
  const { input } = method;
  if (method.kind === "stream") {
    return fabric.handleStream(type, async (stream, value) => {
      const opening = await admitted(input, value);
      const typed = new TypedStream<unknown, never>(
        ...[stream, method.feed, "invalid_input"] as const,
      );
      await implementation(typed, opening);
    });
  }
  return fabric.handle(type, async (value, incoming) => {
    if (incoming.message.kind !== method.kind) {
      throw new FabricError("refused", "wrong_kind");
    }
    return await implementation(await admitted(input, value), incoming);
  });
}

/** What arrived, or the refusal of it. */
async function admitted(schema: Schema, value: unknown): Promise<unknown> {
  try {
    return await validated(schema, value, "invalid_input");
  } catch (cause) {
    if (!(cause instanceof FabricError)) throw cause;
    throw new FabricError("refused", cause.message, { cause });
  }
}
