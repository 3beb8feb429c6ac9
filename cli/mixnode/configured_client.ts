import type { MixAddress, MixClient } from "../../src/mixnet/mod.ts";
import type { Context } from "../_main.ts";

/** A client that its configuration describes; disposing it ends what it does besides its connection. */
export interface ConfiguredClient extends AsyncDisposable {
  /** Where it gets messages. */
  readonly address: MixAddress;
  /** Starts it. */
  connect(): MixClient;
}

/** Reads the client's part of the configuration file, by default `mixnode.toml`; `proofs` is the folder for those of its routes. */
export type ConfigureClient = (
  configPath: string | undefined,
  context: Context,
  proofs?: string,
) => Promise<ConfiguredClient>;
