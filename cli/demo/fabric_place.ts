import { utf8 } from "../../src/core/bytes/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import type { Address } from "../../src/core/transport/mod.ts";
import type { AppAddress } from "../_ask_app.ts";
import type { Context } from "../_main.ts";
import { makeAgent } from "../fabric/agent_file.ts";
import { type AskAgent, askAgent } from "../fabric/ask_agent.ts";
import { appOf } from "../fabric/settings.ts";
import { Child } from "./child.ts";
import { BreakablePath } from "./fabric_path.ts";

/** A node of one agent that runs as a process; disposing ends it. */
export interface AgentPlace extends AsyncDisposable {
  /** Its agent's name. */
  readonly name: string;
  /** Its agent's record. */
  readonly record: Uint8Array;
  /** Asks it. */
  readonly ask: AskAgent;
  /** Where it serves applications. */
  readonly app: AppAddress;
  /** The way to it over HTX. */
  readonly path: BreakablePath;
  /** Its process. */
  readonly child: Pick<Child<unknown>, "name" | "said" | "kill">;
}

/** Where an agent lives whose node comes and goes. */
export interface AgentHome extends AsyncDisposable {
  /** The agent's name, `agent@node`. */
  readonly name: string;
  /** The configuration of its node. */
  readonly config: string;
  /** The way to it over HTX. */
  readonly path: BreakablePath;
}

/** Makes the home of the agent `name`, `agent@node`, below `folder`, whose bundles go over the node at `relay`. */
export async function makeHome(
  folder: string,
  name: string,
  relay: Address,
): Promise<AgentHome> {
  const state = `${folder}/${name}`;
  await Deno.mkdir(state, { mode: 0o700 });
  makeAgent(defaultProvider(), name, `${state}/${name}.agent`)
    [Symbol.dispose]();
  const path = await BreakablePath.make();
  const dtn = `${state}/dtn.toml`;
  const node = name.split("@")[1];
  await Deno.writeTextFile(
    dtn,
    `[node]\nid = "dtn://${node}/"\nlisten = []\npeers = ["${relay}"]\n`,
  );
  const config = `${state}/fabric.toml`;
  await Deno.writeTextFile(
    config,
    `[node]
state = "${state}"
dtn = "${dtn}"
[htx]
listen = ["htx://127.0.0.1:0"]
addresses = ["htx://127.0.0.1:${path.port}"]
[app]
port = 0
`,
  );
  return {
    ...{ name, config, path },
    [Symbol.asyncDispose]: () => path[Symbol.asyncDispose](),
  };
}

/** Starts the node of an agent, and waits until it is up. */
export async function startAgent(
  { name, config, path }: Omit<AgentHome, typeof Symbol.asyncDispose>,
  context: Context,
): Promise<AgentPlace> {
  const { signal } = context;
  await using stack = new AsyncDisposableStack();
  const child = stack.use(
    new Child<{
      readonly agents: readonly [{ readonly record: string }];
      readonly addresses: readonly [Address];
      readonly app: Address;
    }>({
      ...{ name, signal, role: "fabric" },
      args: ["node", "--config", config, "--json"],
    }),
  );
  const { agents: [{ record }], addresses: [address], app } = await child
    .printed;
  path.to = Number(address.split(":").at(-1));
  const flags = { config, "app-port": new URL(app).port };
  const owned = stack.move();
  return {
    ...{ name, path, child },
    record: utf8(record),
    ask: askAgent(flags, context),
    app: appOf(flags, context),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
