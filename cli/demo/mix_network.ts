import { delay, systemClock } from "../../src/core/async/mod.ts";
import { encodeHex } from "../../src/core/bytes/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import type { Address } from "../../src/core/transport/mod.ts";
import type { Context } from "../_main.ts";
import { makeKeys } from "../mixnode/keys.ts";
import { Child } from "./child.ts";
import { step, tellWhatTheySaid } from "./step.ts";

/** Of the network: short, so that it begins soon. */
export const EPOCH_S = 8;
/** Epochs for which there is a beacon. */
const EPOCHS = 120;
/** Packets and loops a second of each client, and the mean of a hop's delay: what makes the pools. */
export const CLIENT_RATE = { packets: 100, loops: 10 } as const;
/** Mean of a hop's delay. */
export const MEAN_DELAY_MS = 100;

const NODES = [
  { name: "gateway 1", role: "gateway" },
  { name: "gateway 2", role: "gateway" },
  { name: "mix 1", role: "mix" },
  { name: "mix 2", role: "mix" },
  { name: "mix 3", role: "mix" },
] as const;

/** A node that runs as a process. */
export interface DemoNode {
  /** What a person calls it. */
  readonly name: string;
  /** Its status page. */
  readonly status: Address;
}

/** An authority, two gateways and three mixes, each a process of its own; disposing ends them. */
export interface MixNetwork extends AsyncDisposable {
  /** The nodes. */
  readonly nodes: readonly DemoNode[];
  /** The configuration of a client, whose keys are made, on the gateway of that number. */
  client(name: string, gateway: 0 | 1): Promise<string>;
}

/** Starts a {@link MixNetwork}, and waits until the document of the epoch names every node. */
export async function startMixNetwork(context: Context): Promise<MixNetwork> {
  const { signal } = context;
  const crypto = defaultProvider();
  await using stack = new AsyncDisposableStack();
  const children: Pick<Child<unknown>, "name" | "said">[] = [];
  const start = <T>(name: string, args: readonly string[]) => {
    const all = [...args, "--json"];
    const child = new Child<T>({ name, role: "mixnode", args: all, signal });
    children.push(child);
    return stack.use(child);
  };
  const folder = await Deno.makeTempDir({ prefix: "betanet-demo-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const write = async (name: string, text: string) => {
    await Deno.mkdir(`${folder}/${name}`, { mode: 0o700 });
    const path = `${folder}/${name}/mixnode.toml`;
    await Deno.writeTextFile(path, text);
    return path;
  };
  try {
    const { identitySeed } = makeKeys(crypto, folder, "authority");
    const key = encodeHex(crypto.ed25519.publicKey(identitySeed.expose()));
    const beacon = `${folder}/beacon.json`;
    await Deno.writeTextFile(beacon, beaconFile(crypto));
    const authority = await start<{ address: Address }>("authority", [
      ...["directory", "serve", "--config"],
      await write(
        "authority",
        `${network(key, "127.0.0.1:1")}[authority]
state = "${folder}"
port = 0
[authority.beacon]
file = "${beacon}"
`,
      ),
    ]).printed;
    step(context, `authority at ${authority.address}`);
    const common = network(key, new URL(authority.address).host);
    const nodes = NODES.map(async ({ name, role }, i) => {
      const state = `${folder}/${name}`;
      const config = await write(
        name,
        `${common}[node]
role = "${role}"
asn = ${64_500 + i}
listen = ["tcp://127.0.0.1:0"]
workers = 0
state = "${state}"
[node.status]
port = 0
`,
      );
      makeKeys(crypto, state, "node");
      const child = start<NodePrinted>(name, ["start", "--config", config]);
      const { id, addresses } = await child.printed;
      return { name, id, addresses, status: await child.statusAddress };
    });
    const running = await Promise.all(nodes);
    const listening = running.flatMap(({ addresses }) => addresses);
    step(context, `2 gateways and 3 mixes at ${listening.join(", ")}`);
    for (const { status } of running) await untilReady(status, signal);
    step(context, "the document of this epoch names every node");
    const owned = stack.move();
    return {
      nodes: running,
      async client(name, gateway) {
        const state = `${folder}/${name}`;
        const config = await write(
          name,
          `${common}[client]
gateway = "${running[gateway]!.id}"
state = "${state}"
`,
        );
        makeKeys(crypto, state, "client");
        return config;
      },
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  } catch (error) {
    if (!signal.aborted) tellWhatTheySaid(children, context);
    throw error;
  }
}

interface NodePrinted {
  readonly id: string;
  readonly addresses: readonly Address[];
}

function network(key: string, authority: string): string {
  return `[network]
name = "demo"
authorities = ["${key}@${authority}"]
epoch = "${EPOCH_S}s"
mean_delay = "${MEAN_DELAY_MS}ms"
max_delay = "2s"
client_packets_per_second = ${CLIENT_RATE.packets}
client_loops_per_second = ${CLIENT_RATE.loops}
`;
}

/** Random values of one component for each epoch of the demo. */
function beaconFile(crypto: { random(length: number): Uint8Array }): string {
  const first = Math.floor(systemClock.wallTime() / 1_000 / EPOCH_S);
  return JSON.stringify(Object.fromEntries(
    Array.from({ length: EPOCHS }, (_, i) => [first + i, {
      demo: encodeHex(crypto.random(32)),
    }]),
  ));
}

async function untilReady(status: Address, signal: AbortSignal): Promise<void> {
  for (;;) {
    const response = await fetch(`${status}/ready`, { signal });
    await response.body?.cancel();
    if (response.ok) return;
    await delay(systemClock, 200, { signal });
  }
}
