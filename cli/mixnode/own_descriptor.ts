import type { Bytes } from "../../src/core/bytes/mod.ts";
import type { CryptoProvider } from "../../src/core/crypto/mod.ts";
import {
  DirectoryError,
  type EpochKeys,
  type NodeDescriptor,
  signDescriptor,
} from "../../src/mixnet/mod.ts";
import { CliError } from "../_error.ts";
import type { MixnodeConfig } from "./config.ts";
import type { MixnodeKeys } from "./keys.ts";
import type { Reached } from "./listeners.ts";
import { parametersOf } from "./settings.ts";

/** What {@link ownDescriptor} is made from. */
export interface OwnNode {
  /** Primitives. */
  readonly crypto: CryptoProvider;
  /** What `mixnode.toml` says. */
  readonly config: MixnodeConfig;
  /** The node's keys. */
  readonly keys: MixnodeKeys<"node">;
  /** Its Sphinx keys. */
  readonly epochKeys: Pick<EpochKeys, "advance" | "publicKeys">;
  /** How others reach it now. */
  readonly reached: () => Reached;
}

/**
 * The node's descriptor, with the Sphinx keys from `epoch` on, which are made if they are missing; it expires with them.
 *
 * @param nowMs Wall time in milliseconds since 1970-01-01 UTC, which gives the sequence.
 * @throws {CliError} `failed` if the configuration makes no descriptor.
 */
export function ownDescriptor(
  { crypto, config, keys, epochKeys, reached }: OwnNode,
  epoch: number,
  nowMs: number,
): { readonly descriptor: NodeDescriptor; readonly bytes: Bytes } {
  const { role, asn } = config.node;
  const { network, epochSeconds } = parametersOf(config);
  epochKeys.advance(epoch);
  const sphinxKeys = epochKeys.publicKeys;
  const seed = keys.identitySeed.expose();
  const descriptor: NodeDescriptor = {
    identityKey: crypto.ed25519.publicKey(seed),
    ...{ network, role, asn, sphinxKeys },
    ...reached(),
    linkKey: crypto.x25519.publicKey(keys.linkKey.expose()),
    sequence: Math.floor(nowMs / 1_000),
    expiresMs: (Math.max(...sphinxKeys.keys()) + 1) * epochSeconds * 1_000,
  };
  try {
    return { descriptor, bytes: signDescriptor(crypto, seed, descriptor) };
  } catch (cause) {
    if (!(cause instanceof DirectoryError)) throw cause;
    throw new CliError("failed", "The configuration makes no descriptor", {
      cause,
    });
  }
}
