import { Backoff, systemClock } from "../../src/core/async/mod.ts";
import type { CryptoProvider } from "../../src/core/crypto/mod.ts";
import type { Store } from "../../src/core/storage/mod.ts";
import type { Address } from "../../src/core/transport/mod.ts";
import {
  directory,
  type DirectoryDocument,
  DirectoryError,
} from "../../src/mixnet/mod.ts";
import { CliError } from "../_error.ts";
import type { Context } from "../_main.ts";
import type { MixnodeConfig } from "./config.ts";
import { askDirectory, parametersOf, trustOf } from "./settings.ts";

/** Parts of {@link openDirectory}. */
export interface DirectoryParts {
  /** What `mixnode.toml` says. */
  readonly config: MixnodeConfig;
  /** Primitives. */
  readonly crypto: CryptoProvider;
  /** Keeps documents. */
  readonly store: Store;
}

/**
 * What asks the network's authorities.
 *
 * @throws {CliError} `usage` if the configuration names none.
 */
export function openDirectory(
  { config, crypto, store }: DirectoryParts,
  { log }: Pick<Context, "log">,
): directory.DirectoryClient {
  const authorities = authoritiesOf(config);
  return new directory.DirectoryClient({
    ...{ crypto, store, log, authorities, ask: askDirectory },
    trust: trustOf(config),
    epochSeconds: parametersOf(config).epochSeconds,
    random: randomOf(crypto),
  });
}

/**
 * Where the authorities are.
 *
 * @throws {CliError} `usage` if there is none.
 */
export function authoritiesOf({ network }: MixnodeConfig): Address[] {
  if (network.authorities.length > 0) {
    return network.authorities.map(({ address }) => address);
  }
  throw new CliError("usage", "network.authorities names none", {
    hint: "betanet-mixnode directory init prints a network's part.",
  });
}

/** Uniform in [0, 1), in steps of 2^-32. */
export function randomOf(crypto: CryptoProvider): () => number {
  return () => {
    const [a = 0, b = 0, c = 0, d = 0] = crypto.random(4);
    return (a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d) / 2 ** 32;
  };
}

/** The document of this epoch or, while a network begins, of the next; waits for it as long as it takes. */
export async function firstDocument(
  client: directory.DirectoryClient,
  random: () => number,
  { signal, note }: Pick<Context, "signal" | "note">,
): Promise<DirectoryDocument> {
  const backoff = new Backoff({
    ...{ minMs: 500, maxMs: 10_000, random, clock: systemClock },
  });
  for (let tries = 0;; tries++) {
    for (const epoch of [client.epoch, client.epoch + 1]) {
      try {
        return await client.update(epoch, signal);
      } catch (error) {
        if (!(error instanceof DirectoryError)) throw error;
        if (tries === 1 && epoch === client.epoch) {
          note(`waiting for a document of the network (${error.message})`);
        }
      }
    }
    await backoff.wait({ signal });
  }
}
