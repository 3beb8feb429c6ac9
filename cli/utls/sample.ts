import { DecodeError } from "../../src/core/bytes/mod.ts";
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

/** Longest corpus, unpacked. */
const MAX_CORPUS_BYTES = 128 << 20;

/** Hellos to compare. */
export interface HelloSample {
  /** What is compared. */
  readonly observations: readonly Observation[];
  /** The hellos themselves, unless the source kept only what is drawn by chance. */
  readonly hellos: readonly ClientHello[];
}

/** The sample of `hellos`; tells `note` how many have a damaged extension, and leaves them out. */
export function sampleOf(
  hellos: readonly ClientHello[],
  note?: (line: string) => void,
): HelloSample {
  const whole = hellos.flatMap((hello) => {
    const observation = observed(hello);
    return observation ? [{ hello, observation }] : [];
  });
  const damaged = hellos.length - whole.length;
  if (damaged > 0) note?.(`${damaged} hellos left out: damaged`);
  return {
    hellos: whole.map(({ hello }) => hello),
    observations: whole.map(({ observation }) => observation),
  };
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
  const hellos: ClientHello[] = [];
  for await (
    const each of await readHellos({ ...context, operands: [path] })
  ) {
    if (each.from === "client") hellos.push(each.hello);
  }
  const { observations, ...sample } = sampleOf(hellos, context.note);
  const isOfKind = (_: unknown, i: number) =>
    kindOf(sample.hellos[i]!) === kind;
  return {
    hellos: sample.hellos.filter(isOfKind),
    observations: observations.filter(isOfKind),
  };
}

/** What is compared of `hello`, or `undefined` if an extension does not decode. */
function observed(hello: ClientHello): Observation | undefined {
  try {
    kindOf(hello);
    return observe(hello);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
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
    let length = 0;
    const stream = file.stream()
      .pipeThrough(new DecompressionStream("gzip"))
      .pipeThrough(
        new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
          transform(chunk, controller) {
            length += chunk.length;
            if (length > MAX_CORPUS_BYTES) throw new RangeError("Too long");
            controller.enqueue(chunk);
          },
        }),
      );
    return await new Response(stream).json();
  } catch (cause) {
    throw new CliError("failed", `Cannot read ${path}`, { cause });
  }
}
