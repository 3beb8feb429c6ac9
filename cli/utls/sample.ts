import { defaultProvider } from "../../src/core/crypto/mod.ts";
import {
  type ClientHello,
  drawOffer,
  type HelloKind,
  kindOf,
  type Observation,
  observe,
  offeredPskOf,
  parseCorpus,
  type Profile,
  serverNameOf,
} from "../../src/utls/mod.ts";
import { CliError } from "../_error.ts";
import type { Context } from "../_main.ts";
import { readHellos } from "./read_specimens.ts";

/** Hellos to compare. */
export interface HelloSample {
  /** What is compared. */
  readonly observations: readonly Observation[];
  /** The hellos themselves, unless the source kept only what is drawn by chance. */
  readonly hellos: readonly ClientHello[];
}

/** The sample of `hellos`. */
export function sampleOf(hellos: readonly ClientHello[]): HelloSample {
  return { hellos, observations: hellos.map(observe) };
}

/**
 * The hellos of `kind` in a file, as other commands read it, or what a corpus (`.json.gz`) kept of its hellos.
 *
 * @throws {CliError} If the file cannot be read, or holds neither.
 */
export async function readSample(
  path: string,
  kind: HelloKind,
  context: Context,
): Promise<HelloSample> {
  if (path.endsWith(".gz")) {
    return { hellos: [], observations: parseCorpus(await readGzip(path)) };
  }
  const found = await readHellos({ ...context, operands: [path] });
  return sampleOf(
    found.filter((each) => each.from === "client").map(({ hello }) => hello)
      .filter((hello) => kindOf(hello) === kind),
  );
}

/** Draws as many hellos as `reference` has, each for the same host and, where it has one, with a ticket as long. */
export function drawSample(
  profile: Profile,
  kind: HelloKind,
  reference: HelloSample,
): HelloSample {
  const crypto = defaultProvider();
  return sampleOf(reference.observations.map((_, i) => {
    const like = reference.hellos[i];
    const serverName = like ? serverNameOf(like) : "www.example.com";
    const psk = like && offeredPskOf(like);
    using offer = drawOffer(profile, {
      crypto,
      variant: kind === "websocket" ? "websocket" : "page",
      ...(serverName !== undefined && { serverName }),
      ...(psk && { psk }),
    });
    return offer.hello;
  }));
}

async function readGzip(path: string): Promise<unknown> {
  try {
    const file = new Blob([await Deno.readFile(path)]);
    const stream = file.stream().pipeThrough(new DecompressionStream("gzip"));
    return await new Response(stream).json();
  } catch (cause) {
    throw new CliError("failed", `Cannot read ${path}`, { cause });
  }
}
