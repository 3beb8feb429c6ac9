import type { Address } from "../../src/core/transport/mod.ts";
import { type DtnNode, QUIRKS, restApp } from "../../src/dtn/mod.ts";
import type { Context } from "../_main.ts";
import { serveApp } from "../_serve_node.ts";
import { openNode } from "../dtn/open_node.ts";
import { dtnState, readJoinedDtnConfig } from "../dtn/settings.ts";

/** A node of bundles that runs with one of agents. */
export interface OpenBundles extends AsyncDisposable {
  /** The node. */
  readonly node: DtnNode;
  /** Where it takes contacts. */
  readonly addresses: readonly Address[];
  /** Where it serves applications, if it does. */
  readonly app: Address | undefined;
}

/**
 * Starts the node of bundles of `path`, whose state is in `folder` unless it says otherwise, and serves applications if it has an `[app]`.
 *
 * @throws {CliError} If its configuration does not hold, its state cannot be used, or an address not be listened at.
 */
export async function openBundles(
  path: string,
  folder: string,
  context: Pick<Context, "env" | "log" | "note" | "signal">,
): Promise<OpenBundles> {
  const read = readJoinedDtnConfig(path);
  const state = read.node.state ?? `${folder}/dtn`;
  const config = { ...read, node: { ...read.node, state } };
  await using opened = new AsyncDisposableStack();
  const running = opened.use(await openNode(config, context));
  const { node, bundles: store, addresses } = running;
  const app = config.app && opened.use(
    serveApp({
      folder: dtnState(config, context),
      config: config.app,
      app: (terms) =>
        restApp({
          ...{ ...terms, node, store },
          ...config.node.lenient && { quirks: QUIRKS },
        }),
    }, context),
  );
  const closing = opened.move();
  return {
    ...{ node, addresses, app: app?.address },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
