import type { Address } from "../../src/core/transport/mod.ts";
import type { Context } from "../_main.ts";
import { type AskApp, textOf } from "../_ask_app.ts";
import { askNode } from "../dtn/ask_node.ts";
import { appConfig } from "../dtn/app_flags.ts";
import { Child } from "./child.ts";

/** Where a node of bundles lives whose process comes and goes. */
export interface BundlePlace {
  /** Its name `n` in `dtn://n/`. */
  readonly name: string;
  /** The folder of its state. */
  readonly state: string;
  /** Its configuration. */
  readonly config: string;
}

/** A node that is up; disposing ends it. */
export interface PlaceUp extends AsyncDisposable {
  /** Where it takes contacts. */
  readonly address: Address;
  /** Its REST. */
  readonly ask: AskApp;
  /** Its process. */
  readonly child: Pick<Child<unknown>, "name" | "said" | "kill">;
  /** How full its store is. */
  usage(): Promise<{ readonly bundles: number; readonly bytes: number }>;
}

/** Makes the place of the node of that name below `folder`; `next` is the neighbour to which it gives all that is not its own. */
export async function makePlace(
  folder: string,
  name: string,
  next?: string,
): Promise<BundlePlace> {
  const state = `${folder}/${name}`;
  await Deno.mkdir(state, { mode: 0o700 });
  const routes = next === undefined ? "" : `1 * * dtn://${next}/\n`;
  await Deno.writeTextFile(`${state}/routes`, routes);
  const config = `${state}/dtn.toml`;
  await Deno.writeTextFile(
    config,
    `[node]
id = "dtn://${name}/"
listen = ["tcpcl://127.0.0.1:0"]
state = "${state}"
plaintext = ["dtn://receiver/*"]
[routing]
by = "static"
table = "${state}/routes"
[app]
port = 0
`,
  );
  return { name, state, config };
}

/** Starts the node of a place, with the neighbour that it dials, and waits until it is up. */
export async function startPlace(
  { name, state, config }: BundlePlace,
  context: Context,
  peer?: Address,
): Promise<PlaceUp> {
  const { signal } = context;
  await using stack = new AsyncDisposableStack();
  const child = stack.use(
    new Child<{ addresses: readonly [Address]; app: Address }>({
      name,
      role: "dtn",
      args: [
        ...["node", "--config", config, "--json"],
        ...peer === undefined ? [] : ["--peer", peer],
      ],
      signal,
    }),
  );
  const { addresses: [address], app } = await child.printed;
  const { port } = new URL(app);
  const ask = askNode(appConfig({ config, state, "app-port": port }), context);
  const owned = stack.move();
  return {
    ...{ address, ask, child },
    usage: async () => JSON.parse(textOf(await ask("/status/store"))),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
