import type { Fabric } from "../agent/fabric.ts";
import type { SendOptions, StreamOptions } from "../agent/new_message.ts";
import type { SentMessage } from "../agent/sent_message.ts";
import type { AgentId } from "../identity/agent_id.ts";
import type { AgentName } from "../identity/agent_name.ts";
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

/** Calls a {@link Method} of another agent. */
export type Call<M extends Method> = M extends RequestMethod ? (
    input: InputOf<M["input"]>,
    options?: SendOptions,
  ) => Promise<OutputOf<M["output"]>>
  : M extends NotifyMethod ? (
      input: InputOf<M["input"]>,
      options?: SendOptions,
    ) => Promise<SentMessage>
  : M extends StreamMethod ? (
      input: InputOf<M["input"]>,
      options?: StreamOptions,
    ) => Promise<
      TypedStream<
        M["feed"] extends Schema ? InputOf<M["feed"]> : never,
        OutputOf<M["output"]>
      >
    >
  : never;

/** Calls every method of a service. */
export type Client<M extends Methods> = {
  readonly [Name in keyof M]: Call<M[Name]>;
};

/**
 * Calls a service of another agent, as {@linkcode Fabric.request}, {@linkcode Fabric.notify} and {@linkcode Fabric.stream} do.
 *
 * What it answers is validated here: an answer that does not fit is a {@linkcode FabricError} `invalid` that says where.
 */
export function client<M extends Methods>(
  fabric: Pick<Fabric, "request" | "notify" | "stream">,
  service: Service<M>,
  to: AgentId | AgentName,
): Client<M> {
  const calls = Object.entries<Method>(service.methods).map((
    [name, method],
  ) => [name, callOf(fabric, method, to, typeOf(service, name))]);
  return Object.fromEntries(calls);
}

function callOf(
  fabric: Pick<Fabric, "request" | "notify" | "stream">,
  method: Method,
  to: AgentId | AgentName,
  type: string,
): (input: unknown, options?: SendOptions) => Promise<unknown> {
  switch (method.kind) {
    case "request":
      return async (input, options) => {
        const answer = await fabric.request(to, type, input, options);
        return await validated(method.output, answer, "invalid_output");
      };
    case "notify":
      return (input, options) => fabric.notify(to, type, input, options);
    case "stream":
      return async (input, options) => {
        const stream = await fabric.stream(to, type, input, options);
        return new TypedStream(stream, method.output, "invalid_output");
      };
  }
}
