import { delay, systemClock } from "../../src/core/async/mod.ts";
import { encodeBase64Url } from "../../src/core/bytes/mod.ts";
import { bundleId, payloadOf } from "../../src/dtn/mod.ts";
import { type Command, command } from "../_main.ts";
import { countOf, shown } from "../mixnode/client_arguments.ts";
import { APP_FLAGS, APP_USAGE, appConfig } from "./app_flags.ts";
import { askNode, takeBundle } from "./ask_node.ts";

const USAGE = `
Usage: betanet-dtn recv <endpoint> [flags]

Takes the bundles of an endpoint of the node as they come, and prints what they carry: as text if it is UTF-8, else in base64url; with
--json as {"id":…,"source":…,"payload":…}.

  --count <n>          end after so many
  --wait               wait for more; without it, end when there is none
  --output <file>      write the payload of the first to a file instead
${APP_USAGE}

Examples:
  betanet-dtn recv in
  betanet-dtn recv dtn://n2/in --wait --count 1 --output report.pdf
`;

const POLL_MS = 500;

/** Takes bundles. */
export const recv: Command = command({
  usage: USAGE,
  flags: { count: "string", wait: "boolean", output: "string", ...APP_FLAGS },
  operands: [1, 1],
  async run(flags, context) {
    const ask = askNode(appConfig(flags), context);
    const [endpoint = ""] = context.operands;
    const one = flags.output === undefined ? Infinity : 1;
    let left = flags.count === undefined ? one : countOf(flags.count);
    while (left > 0) {
      const bundle = await takeBundle(ask, endpoint);
      if (!bundle) {
        if (!flags.wait) return;
        await delay(systemClock, POLL_MS, { signal: context.signal });
        continue;
      }
      const payload = payloadOf(bundle);
      left--;
      if (flags.output !== undefined) {
        await Deno.writeFile(flags.output, payload);
        context.note(`${payload.length} bytes to ${flags.output}`);
        continue;
      }
      context.print(
        {
          id: bundleId(bundle),
          source: `${bundle.primary.source}`,
          payload: encodeBase64Url(payload),
        },
        shown(payload),
      );
    }
  },
});
