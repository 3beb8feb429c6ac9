import { systemClock } from "../../src/core/async/mod.ts";
import type { CryptoProvider } from "../../src/core/crypto/mod.ts";
import type { Metrics } from "../../src/core/metrics/mod.ts";
import type { Address } from "../../src/core/transport/mod.ts";
import type { AgentNode, DialNode } from "../../src/fabric/mod.ts";
import type { htx } from "../../mod.ts";
import type { Context } from "../_main.ts";
import { HtxIdentity } from "../htx/htx_identity.ts";
import { openDoor } from "../htx/open_door.ts";
import type { FabricHtxConfig } from "./htx_config.ts";
import { NodeRoutes } from "./node_routes.ts";

/** What {@link openHtx} works with. */
export interface HtxParts {
  /** The folder of the state: keys, our record, the replay memory. */
  readonly folder: string;
  /** Primitives. */
  readonly crypto: CryptoProvider;
  /** Where counts go. */
  readonly metrics: Metrics;
}

/** A node's side of HTX. */
export interface OpenHtx extends AsyncDisposable {
  /** How others reach us, as it is whenever it is read: ticket keys change. */
  readonly node: AgentNode;
  /** Opens sessions with others. */
  readonly dial: DialNode;
  /** Takes theirs; absent if it listens nowhere. */
  readonly server: htx.HtxServer | undefined;
  /** Where it listens. */
  readonly addresses: readonly Address[];
}

/**
 * Listens where `config` says, and knows how to dial others: by the same static key at both, which is the node's.
 *
 * @throws {CliError} If keys, certificate or decoy do not hold, or an address cannot be listened at.
 */
export async function openHtx(
  config: FabricHtxConfig,
  { folder, crypto, metrics }: HtxParts,
  context: Pick<Context, "log" | "note" | "signal">,
): Promise<OpenHtx> {
  await using opened = new AsyncDisposableStack();
  const identity = await HtxIdentity.load(folder, config, context);
  const { staticKeyPair } = identity.keys;
  const routes = opened.use(
    new NodeRoutes({
      ...{ config, crypto, log: context.log, keyPair: staticKeyPair },
      clock: systemClock,
    }),
  );
  const door = config.listen.length === 0 ? undefined : opened.use(
    await openDoor(
      config.listen,
      { config, identity, folder, crypto, metrics },
      context,
    ),
  );
  const addresses = door?.addresses ?? [];
  const published = config.addresses.length > 0 ? config.addresses : addresses;
  const staticKey = staticKeyPair.publicKey;
  const node: AgentNode = door
    ? {
      staticKey,
      get htx() {
        return identity.record(published, config.quic)!;
      },
    }
    : { staticKey };
  const closing = opened.move();
  return {
    ...{ node, addresses, server: door?.server },
    dial: (to, options) => routes.dial(to, options),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
