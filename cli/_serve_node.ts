import { encodeBase64Url } from "../src/core/bytes/mod.ts";
import { defaultProvider } from "../src/core/crypto/mod.ts";
import {
  type Address,
  type HttpHandler,
  serveHttp,
} from "../src/core/transport/mod.ts";
import { type AppConfig, appToken } from "./_app_section.ts";
import type { Context } from "./_main.ts";
import { type RoleStatus, startStatus } from "./_status.ts";

const TOKEN_BYTES = 24;

/** What an interface for applications keeps to. */
export interface AppTerms {
  /** What requests must bring; nothing if absent. */
  readonly token?: string;
  /** Ends what is open. */
  readonly signal: AbortSignal;
}

/** What {@link serveApp} serves. */
export interface ServedApp {
  /** The folder of the node's state, where the token is. */
  readonly folder: string;
  /** Where applications are served. */
  readonly config: AppConfig;
  /** What answers them. */
  readonly app: (terms: AppTerms) => HttpHandler;
}

/** What {@link serveNode} serves. */
export interface ServedNode
  extends
    ServedApp,
    Pick<RoleStatus, "listen" | "metrics" | "name" | "sections"> {}

/** Where it is served. */
export interface NodeServed extends AsyncDisposable {
  /** To applications. */
  readonly app: Address;
  /** Its status, if a port for that is configured. */
  readonly status: Address | undefined;
}

/**
 * Serves the applications of the machine, who must bring a token that is made if there is none.
 *
 * @throws {CliError} If the token cannot be read.
 * @throws {TransportError} If the address is taken.
 */
export function serveApp(
  { folder, config, app }: ServedApp,
  { signal }: Pick<Context, "signal">,
): ReturnType<typeof serveHttp> {
  const token = appToken(
    config,
    () => folder,
    () => encodeBase64Url(defaultProvider().random(TOKEN_BYTES)),
  );
  return serveHttp(app({ signal, ...token !== undefined && { token } }), {
    ...{ hostname: config.host, port: config.port, signal },
  });
}

/**
 * Serves a node that runs to the applications of the machine, who must bring a token that is made if there is none, and its status
 * to whoever looks after it.
 *
 * @throws {CliError} If the token cannot be read.
 * @throws {TransportError} If an address is taken.
 */
export async function serveNode(
  { folder, config, app, ...role }: ServedNode,
  context: Context,
): Promise<NodeServed> {
  const { signal } = context;
  await using opened = new AsyncDisposableStack();
  const { address } = opened.use(serveApp({ folder, config, app }, context));
  const status = opened.use(startStatus({
    ...role,
    health: () => ({ open: true }),
    ready: () => ({ accepting: !signal.aborted }),
  }, context));
  const closing = opened.move();
  return {
    ...{ app: address, status: status?.address },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
