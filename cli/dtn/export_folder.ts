import { systemClock } from "../../src/core/async/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import {
  type BundleEntry,
  decodeBundle,
  Eid,
  files,
  QUIRKS,
} from "../../src/dtn/mod.ts";
import { APP_FLAGS } from "../_app_section.ts";
import { type Command, command } from "../_main.ts";
import { APP_USAGE, appConfig } from "./app_flags.ts";
import { type AskApp, textOf } from "../_ask_app.ts";
import { askNode } from "./ask_node.ts";
import { bundleFolder } from "./bundle_folder.ts";
import { destinedTo } from "./destined_to.ts";

const USAGE = `
Usage: betanet-dtn export <folder> [flags]

Writes the bundles that the node has to a folder, each to a file named by its SHA-256, for betanet-dtn import at another node. The node
keeps them. As to a neighbour, none leaves unencrypted unless that is allowed.

  --to <pattern>          only those for such destinations, e.g. 'dtn://n2/*'; may be repeated
  --plaintext <pattern>   destinations whose bundles may leave unencrypted, besides node.plaintext of --config; may be repeated
${APP_USAGE}

Examples:
  betanet-dtn export /media/stick --to 'dtn://n2/*' --plaintext 'dtn://n2/*'
`;

/** Writes bundles to a folder. */
export const exportFolder: Command = command({
  usage: USAGE,
  flags: { to: "strings", plaintext: "strings", ...APP_FLAGS },
  operands: [1, 1],
  async run(flags, context) {
    const [path = ""] = context.operands;
    const config = appConfig(flags);
    const ask = askNode(config, context);
    const nodeId = Eid.parse(textOf(await ask("/status/nodeid")));
    const entries: BundleEntry[] = JSON.parse(
      textOf(await ask("/status/bundles/verbose")),
    );
    const counts = await files.exportBundles(
      bundlesOf(
        entries,
        ask,
        destinedTo(flags.to.length > 0 ? flags.to : ["*"]),
      ),
      {
        folder: bundleFolder(path),
        crypto: defaultProvider(),
        allowsPlaintext: destinedTo([
          ...config.node.plaintext,
          ...flags.plaintext,
        ]),
        wantsPrivacy: destinedTo(config.privacy.strict),
        nodeId,
        quirks: QUIRKS,
      },
    );
    const { written, known, plaintext, strict } = counts;
    context.print(
      counts,
      `${written} written, ${known} there already, ${plaintext} held back as they are not encrypted, ${strict} as they want strict privacy`,
    );
  },
});

async function* bundlesOf(
  entries: readonly BundleEntry[],
  ask: AskApp,
  isWanted: ReturnType<typeof destinedTo>,
): AsyncIterableIterator<files.ExportedBundle> {
  for (const { id, receivedMs } of entries) {
    const answer = await ask(`/download?${encodeURIComponent(id)}`);
    if (answer.status === 404) continue; // it has gone since
    if (answer.status !== 200) textOf(answer);
    const bytes = answer.body;
    if (!isWanted(decodeBundle(bytes, { quirks: QUIRKS }))) continue;
    yield { bytes, residenceMs: systemClock.wallTime() - receivedMs };
  }
}
