import { encodeBase64Url } from "../../src/core/bytes/mod.ts";
import { type Bundle, bundleId, payloadOf } from "../../src/dtn/mod.ts";
import { APP_FLAGS } from "../_app_section.ts";
import { type Command, command, type Context } from "../_main.ts";
import { countOf, shown } from "../mixnode/client_arguments.ts";
import { APP_USAGE, appConfig } from "./app_flags.ts";
import { askNode, takeBundle } from "./ask_node.ts";
import { NodeSocket } from "./node_socket.ts";

const USAGE = `
Usage: betanet-dtn recv <endpoint> [flags]

Takes the bundles of an endpoint of the node as they come, and prints what they carry: as text if it is UTF-8, else in base64url; with
--json as {"id":…,"source":…,"payload":…}.

  --count <n>          end after so many
  --wait               wait for more, over a WebSocket: each is taken when it is printed or written, so that none is lost; without it,
                       end when there is none
  --output <file>      write the payload of the first to a file instead
${APP_USAGE}

Examples:
  betanet-dtn recv in
  betanet-dtn recv dtn://n2/in --wait --count 1 --output report.pdf
`;

/** Takes bundles. */
export const recv: Command = command({
  usage: USAGE,
  flags: { count: "string", wait: "boolean", output: "string", ...APP_FLAGS },
  operands: [1, 1],
  async run(flags, context) {
    const config = appConfig(flags);
    const [endpoint = ""] = context.operands;
    const one = flags.output === undefined ? Infinity : 1;
    let left = flags.count === undefined ? one : countOf(flags.count);
    const give = (bundle: Bundle) => write(bundle, flags.output, context);
    if (flags.wait) {
      await using socket = await NodeSocket.open(endpoint, config, context);
      for (; left > 0; left--) {
        const bundle = await socket.next(context);
        await give(bundle);
        await socket.acknowledge(bundle);
      }
      return;
    }
    const ask = askNode(config, context);
    for (; left > 0; left--) {
      const bundle = await takeBundle(ask, endpoint);
      if (!bundle) return;
      await give(bundle);
    }
  },
});

async function write(
  bundle: Bundle,
  path: string | undefined,
  context: Context,
): Promise<void> {
  const payload = payloadOf(bundle);
  if (path !== undefined) {
    await Deno.writeFile(path, payload);
    return context.note(`${payload.length} bytes to ${path}`);
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
