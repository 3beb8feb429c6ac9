import { decodeHex } from "../../src/core/bytes/mod.ts";
import { type HttpHandler, serveHttp } from "../../src/core/transport/mod.ts";
import { CliError } from "../_error.ts";
import type { Context } from "../_main.ts";
import { parsePath, piecesOf } from "./content.ts";

/** Serves the resources of `seed`, 32 bytes in hex, on a port of this machine until SIGTERM. */
export async function serveOrigin(
  seed: string,
  { print, signal }: Pick<Context, "print" | "signal">,
): Promise<void> {
  await using server = serveHttp(originHandler(parseSeed(seed)), {
    hostname: "127.0.0.1",
    port: 0,
    signal,
  });
  print({ address: server.address }, `Web server at ${server.address}`);
  await server.closed;
}

/** Answers `/number/bytes` with that resource. */
export function originHandler(seed: Uint8Array): HttpHandler {
  return (request) => {
    const resource = parsePath(new URL(request.url).pathname);
    if (!resource) return new Response("Not found\n", { status: 404 });
    return new Response(ReadableStream.from(piecesOf(seed, resource)), {
      headers: {
        "content-length": String(resource.sizeBytes),
        "content-type": "application/octet-stream",
      },
    });
  };
}

function parseSeed(text: string): Uint8Array {
  if (!/^[0-9a-f]{64}$/.test(text)) {
    throw new CliError("usage", "Flag --origin wants 64 hexadecimal digits");
  }
  return decodeHex(text);
}
