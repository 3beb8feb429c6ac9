import { openCrypto } from "../_crypto.ts";
import type { Context } from "../_main.ts";
import type { HtxConfig } from "./config.ts";
import { clientKeyPair } from "./keys.ts";
import { readRecord } from "./record.ts";
import { Route } from "./route.ts";
import { stateDirectory } from "./settings.ts";

/**
 * The route to the server of `[proxy]`: reads its record and our key.
 *
 * @throws {CliError} If one does not hold, or the server has no address for the carrier.
 */
export function openRoute(
  config: HtxConfig["proxy"],
  context: Context,
): Route {
  const { log } = context;
  const record = readRecord(config.server);
  const crypto = openCrypto(config.crypto, log);
  const state = config.state &&
    `${stateDirectory(config.state, context)}/client.json`;
  const keyPair = clientKeyPair(state);
  return new Route({ config, record, keyPair, crypto, log });
}
