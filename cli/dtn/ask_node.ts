import { type Bundle, decodeBundle, QUIRKS } from "../../src/dtn/mod.ts";
import { appAddress } from "../_app_section.ts";
import { type AppAddress, type AskApp, askApp, textOf } from "../_ask_app.ts";
import type { Context } from "../_main.ts";
import type { DtnConfig } from "./config.ts";
import { dtnState } from "./settings.ts";

const NOTHING_TO_RECEIVE = "Nothing to receive";

/** Where applications reach the node of `config`, and the token that they must bring. */
export function appAt(config: DtnConfig, context: Context): AppAddress {
  return appAddress("betanet-dtn", config.app, () => dtnState(config, context));
}

/** What asks the node of `config`, which runs on this machine. */
export function askNode(config: DtnConfig, context: Context): AskApp {
  return askApp(appAt(config, context), context);
}

/** Takes the next bundle of an endpoint; `undefined` if there is none. */
export async function takeBundle(
  ask: AskApp,
  endpoint: string,
): Promise<Bundle | undefined> {
  const answer = await ask(`/endpoint?${encodeURIComponent(endpoint)}`);
  // dtn7-rs does not say of what type it is.
  if (textOf(answer) === NOTHING_TO_RECEIVE) return undefined;
  // The node has judged it.
  return decodeBundle(answer.body, { quirks: QUIRKS });
}
