import {
  type LearnedHello,
  type LearnedStart,
  learnProfile,
  prefersAes,
  type Profile,
  profileJson,
} from "../../src/utls/mod.ts";
import { CliError } from "../_error.ts";
import { type Command, command, type Context } from "../_main.ts";
import { browserVersion } from "./browser.ts";
import { captureHellos, type CaptureKind } from "./capture_hellos.ts";
import { captureStart } from "./capture_start.ts";

const USAGE = `
Usage: betanet-utls learn [--browser <executable>] [--output <file>]

Writes the profile of a browser: runs some processes of it on this machine, kept from the network, takes hellos of pages, WebSockets,
IP addresses, resumed connections and after a HelloRetryRequest, and the start of HTTP/2, and infers which bytes are constant and
how the others are drawn. Exit code 1 if no rule explains something. Other commands take the file where they take a profile.

  --browser <executable>  a Chromium (chromium)
  --output <file>         where to write the profile (stdout)
  --count <n>             hellos of pages from each of two processes (1000)

Examples:
  betanet-utls learn --output profile.json
  betanet-utls learn --browser google-chrome --output profile.json
  betanet-utls verify --profile profile.json
`;

/** Hellos of each process besides those of pages. */
const WANTED = { websocket: 8, address: 16, resumed: 16, retry: 4 } as const;

/** OpenSSL and BoringSSL see no AES and no carry-less multiplication on an x86 CPU (OPENSSL_ia32cap(3)). */
const WITHOUT_AES = { OPENSSL_ia32cap: "~0x200000200000000" } as const;

/** Learns a browser's profile. */
export const learn: Command = command({
  usage: USAGE,
  flags: { browser: "string", output: "string", count: "string" },
  async run(flags, context) {
    const pages = Number(flags.count ?? 1_000);
    if (!Number.isInteger(pages) || pages < 64 || pages > 10_000) {
      throw new CliError("usage", "Flag --count wants 64 to 10000");
    }
    const profile = await learnBrowser(
      flags.browser ?? "chromium",
      pages,
      context,
    );
    const json = profileJson(profile);
    const text = JSON.stringify(json, null, 2);
    if (flags.output === undefined) return context.print(json, text);
    await Deno.writeTextFile(flags.output, `${text}\n`);
    context.note(`The profile of ${profile.source.build} is ${flags.output}`);
  },
});

/**
 * The profile of the browser `executable`, from `pages` hellos of pages by each of two processes and some of other kinds.
 *
 * @throws {CliError} If it cannot be run.
 * @throws {UtlsError} `capture` if no rule explains something.
 */
export async function learnBrowser(
  executable: string,
  pages: number,
  { note, signal }: Pick<Context, "note" | "signal">,
): Promise<Profile> {
  const version = await browserVersion(executable, signal);
  const build = version.match(/\d+(\.\d+){3}/)?.[0];
  if (build === undefined) {
    throw new CliError("failed", `${executable} is no Chromium: ${version}`);
  }
  const hellos: LearnedHello[] = [];
  const starts: LearnedStart[] = [];
  const capture = async (
    run: number,
    wanted: Partial<Record<CaptureKind, number>>,
    env: Readonly<Record<string, string>> = {},
  ) => {
    const { hellos: captured, undecodable } = await captureHellos({
      executable,
      wanted,
      env,
      signal,
    });
    hellos.push(
      ...captured.map((each) => ({
        ...each,
        process: run,
        aesHardware: prefersAes(each.hello),
      })),
    );
    if (undecodable > 0) note(`${undecodable} connections without a hello`);
  };
  for (const run of [0, 1]) {
    note(`${version}: process ${run + 1}`);
    await capture(run, { ...WANTED, page: pages });
    starts.push(await captureStart({ executable, signal }));
  }
  if (Deno.build.arch === "x86_64") {
    note(`${version}: without AES instructions`);
    await capture(2, { page: WANTED.address }, WITHOUT_AES);
  }
  const about = version.replace(build, "").replaceAll(/\s+/g, " ").trim();
  return withWindow(learnProfile(hellos, starts, {
    build,
    channel: `${about}, ${Deno.build.os} ${Deno.build.arch}`,
  }));
}

/** As the browser calls itself when it is not headless, which is all that its headers show of that. */
function withWindow(profile: Profile): Profile {
  const fields = profile.navigation.fields.map(([name, value]) =>
    [name, value.replace("HeadlessChrome/", "Chrome/")] as const
  );
  return { ...profile, navigation: { ...profile.navigation, fields } };
}
