import { MixLayer, parseMixNode } from "../../src/betanet_cla/mod.ts";
import type { CryptoProvider } from "../../src/core/crypto/mod.ts";
import { sqliteStore } from "../../src/core/storage/mod.ts";
import type { MixAddress } from "../../src/mixnet/mod.ts";
import { CliError } from "../_error.ts";
import type { Context } from "../_main.ts";
import { configureClient } from "../mixnode/configure_client.ts";
import { isMix } from "./addresses.ts";
import type { DtnNodeConfig } from "./config.ts";

/** What {@link openMix} works with. */
export interface MixParts {
  /** The folder of the state: what was decided about transfers. */
  readonly folder: string;
  /** Primitives. */
  readonly crypto: CryptoProvider;
}

/** A node's side of the mixnet. */
export interface OpenMix extends AsyncDisposable {
  /** Makes contacts, and takes those that come to its address. */
  readonly layer: MixLayer;
}

/** How long what is under way may take to leave when the node ends, in milliseconds; the rest goes on at its next start. */
const DRAIN_MS = 1_000;

/**
 * Starts the client that `mix.client` describes, once there is a document of its network, and a layer on it.
 *
 * @throws {CliError} If there are `mix:` peers and no client, or as {@link configureClient}.
 */
export async function openMix(
  { node, mix: config }: DtnNodeConfig,
  { folder, crypto }: MixParts,
  context: Pick<Context, "env" | "log" | "note" | "signal">,
): Promise<OpenMix | undefined> {
  const peers = node.peers.filter(({ address }) => isMix(address));
  if (config.client === undefined) {
    if (peers.length === 0) return undefined;
    throw new CliError("usage", "mix.client names no client", {
      hint:
        "Name the mixnode.toml whose [network] and [client] this node uses; betanet-mixnode keygen makes its keys.",
    });
  }
  await using opened = new AsyncDisposableStack();
  const configured = opened.use(
    await configureClient(config.client, context),
  );
  const client = configured.connect();
  opened.defer(() => client.close({ drainMs: DRAIN_MS }));
  const store = opened.use(sqliteStore(`${folder}/mix.sqlite`));
  const trusted = new Map<string, MixAddress>();
  for (const { nodeId, address } of peers) {
    if (config.trusts_peers) trusted.set(`${nodeId}`, parseMixNode(address));
  }
  const layer = opened.use(
    new MixLayer({
      ...{ client, crypto, store, trusted },
      ...config.says_node_id && { nodeId: `${node.id}` },
    }),
  );
  const closing = opened.move();
  return { layer, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}
