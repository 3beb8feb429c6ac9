import {
  type Address,
  listen,
  type Listener,
  TransportError,
  type TransportOptions,
} from "../../src/core/transport/mod.ts";
import { CliError } from "../_error.ts";

/**
 * Listens at an address of a node; for `htx:` that is TCP, which is for the caller to put TLS on.
 *
 * @param quic What `quic:` needs.
 * @throws {CliError} `failed` if it cannot be listened at.
 */
export async function listenAt(
  address: Address,
  quic?: TransportOptions["quic"],
): Promise<Listener> {
  try {
    return await listen(address.replace(/^htx:/, "tcp:"), {
      ...quic && { quic },
    });
  } catch (cause) {
    if (!(cause instanceof TransportError)) throw cause;
    throw new CliError("failed", `Cannot listen at ${address}`, {
      cause,
      hint: "Is another program listening there?",
    });
  }
}
