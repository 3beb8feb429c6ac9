import {
  type CryptoProvider,
  defaultProvider,
} from "../../src/core/crypto/mod.ts";
import {
  type ClientHello,
  drawOffer,
  type HelloKind,
  kindOf,
  type Observation,
  observe,
  offeredPskOf,
  parseCorpus,
  prefersAes,
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

/**
 * Draws as many hellos as `reference` has, each for the same host, on a CPU that sends suites in the same order, and, where it has
 * one, with the same ticket, of which the server alone knows what it says, but an age and a binder of random bytes.
 */
export function drawSample(
  profile: Profile,
  kind: HelloKind,
  reference: HelloSample,
): HelloSample {
  const crypto = defaultProvider();
  const aesHardware = reference.hellos.every(prefersAes);
  return sampleOf(reference.observations.map((_, i) => {
    const like = reference.hellos[i];
    const serverName = like ? serverNameOf(like) : "www.example.com";
    const psk = like && offeredPskOf(like);
    using offer = drawOffer(profile, {
      crypto,
      variant: kind === "websocket" ? "websocket" : "page",
      ...(serverName !== undefined && { serverName }),
      ...(reference.hellos.length > 0 && { aesHardware }),
      ...(psk && { psk: { ...psk, obfuscatedTicketAge: age(crypto) } }),
    });
    return psk
      ? withBinder(offer.hello, crypto.random(psk.binderLength))
      : offer.hello;
  }));
}

function age({ random }: CryptoProvider): number {
  return new DataView(random(4).buffer).getUint32(0);
}

/** Puts `binder` at the end of pre_shared_key, the last extension. */
function withBinder(hello: ClientHello, binder: Uint8Array): ClientHello {
  const extensions = [...hello.extensions ?? []];
  const { type, data } = extensions.pop()!;
  const bound = data.slice();
  bound.set(binder, data.length - binder.length);
  return { ...hello, extensions: [...extensions, { type, data: bound }] };
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
