import { CliError } from "./_error.ts";
import type { Context } from "./_main.ts";

const MAX_INPUT_BYTES = 1 << 30;

/**
 * The bytes of the file `path`, or of stdin for `-`; of devices and pipes too, which have no size.
 *
 * @throws {CliError} `failed` if it cannot be read or is longer than `maxBytes`, default 1 GiB.
 */
export async function readInput(
  path: string,
  { stdin }: Pick<Context, "stdin">,
  maxBytes: number = MAX_INPUT_BYTES,
): Promise<Uint8Array> {
  try {
    const source = path === "-" ? stdin : (await Deno.open(path)).readable;
    return await new Response(source.pipeThrough(limit(maxBytes))).bytes();
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError("failed", `Cannot read ${path}`, { cause });
  }
}

type Chunk = Uint8Array<ArrayBuffer>;

function limit(maxBytes: number): TransformStream<Chunk, Chunk> {
  let length = 0;
  return new TransformStream({
    transform(chunk, controller) {
      length += chunk.length;
      if (length > maxBytes) {
        throw new CliError("failed", `Input is longer than ${maxBytes} bytes`);
      }
      controller.enqueue(chunk);
    },
  });
}
