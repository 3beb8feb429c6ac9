import type { AppFlagValues } from "../_app_section.ts";
import { type AppAnswer, askApp } from "../_ask_app.ts";
import { CliError } from "../_error.ts";
import type { Context } from "../_main.ts";
import { appOf } from "./settings.ts";

/** The flags of a command that say which node, and which agent on it. */
export interface AgentFlags extends AppFlagValues {
  readonly agent?: string | undefined;
}

/** Asks the node of an agent: a POST if there is a body, else a GET; what it answers if that is 200. */
export type AskAgent = (
  path: string,
  body?: Uint8Array,
  query?: Readonly<Record<string, string>>,
) => Promise<Uint8Array>;

/** What to do about answers that are none. */
function hintOf(status: number, path: string): string | undefined {
  const isToAgent = path === "/send" || path === "/request";
  const isOfGroup = path.startsWith("/group") || path.startsWith("/invit");
  switch (status) {
    case 401:
      return "--state names the folder of the node's state, where its app.token is.";
    case 404:
      if (isOfGroup) {
        return "betanet-fabric group list, group invitations and peers list show what the node knows.";
      }
      if (!isToAgent) return undefined;
      return "betanet-fabric peers list shows whom the node knows; peers add takes a record.";
    case 507:
      return "betanet-fabric outbox list shows what waits.";
  }
}

/** What asks the node that `flags` say. */
export function askAgent(flags: AgentFlags, context: Context): AskAgent {
  const ask = askApp(appOf(flags, context), context);
  return async (path, body, query = {}) => {
    const search = new URLSearchParams({
      ...flags.agent !== undefined && { agent: flags.agent },
      ...query,
    });
    const target = search.size > 0 ? `${path}?${search}` : path;
    return wholeOf(await ask(target, body), path);
  };
}

/** The JSON of an answer. */
export function jsonIn(body: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(body));
}

function wholeOf({ status, body }: AppAnswer, path: string): Uint8Array {
  if (status === 200) return body;
  const text = new TextDecoder().decode(body).trim();
  const code = status === 400 ? "usage" : "failed";
  throw new CliError(code, text || `The node answered ${status}`, {
    hint: hintOf(status, path),
  });
}
