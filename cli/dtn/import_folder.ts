import { defaultProvider } from "../../src/core/crypto/mod.ts";
import { encodeBundle, files, QUIRKS } from "../../src/dtn/mod.ts";
import { APP_FLAGS } from "../_app_section.ts";
import { type Command, command } from "../_main.ts";
import { APP_USAGE, appConfig } from "./app_flags.ts";
import { textOf } from "../_ask_app.ts";
import { askNode } from "./ask_node.ts";
import { bundleFolder } from "./bundle_folder.ts";

const USAGE = `
Usage: betanet-dtn import <folder> [flags]

Gives the node the bundles that betanet-dtn export, or somebody else, wrote to a folder as files whose names end in .bundle. What the
node has stored, knows already or is of no use any more is removed; files that are bad or were refused are left.

  --keep   remove nothing
${APP_USAGE}

Examples:
  betanet-dtn import /media/stick
`;

const OUTCOMES: Readonly<Record<number, files.ImportOutcome>> = {
  200: "stored",
  400: "refused",
  403: "refused",
  409: "known",
  410: "expired",
  413: "refused",
  507: "refused",
};

/** Takes bundles from a folder. */
export const importFolder: Command = command({
  usage: USAGE,
  flags: { keep: "boolean", ...APP_FLAGS },
  operands: [1, 1],
  async run(flags, context) {
    const [path = ""] = context.operands;
    const config = appConfig(flags);
    const ask = askNode(config, context);
    const counts = await files.importBundles({
      folder: bundleFolder(path),
      crypto: defaultProvider(),
      keeps: flags.keep,
      ...config.node.lenient && { quirks: QUIRKS },
      async insert(bundle) {
        const answer = await ask("/receive", encodeBundle(bundle));
        const outcome = OUTCOMES[answer.status];
        if (outcome) return outcome;
        textOf(answer);
        return "refused";
      },
    });
    const { stored, known, expired, refused, bad } = counts;
    context.print(
      counts,
      `${stored} stored, ${known} known, ${expired} expired, ${refused} refused, ${bad} bad`,
    );
  },
});
