import {
  type Address,
  type CertificatePem,
  listen,
  type Listener,
  TransportError,
} from "../../src/core/transport/mod.ts";
import { CliError } from "../_error.ts";

/**
 * Listens at an address of `node.listen`; for `htx:` that is TCP, which is for the caller to put TLS on.
 *
 * @param certificate What `quic:` shows.
 * @throws {CliError} `failed` if it cannot be listened at.
 */
export async function listenAt(
  address: Address,
  certificate?: CertificatePem,
): Promise<Listener> {
  try {
    return await listen(address.replace(/^htx:/, "tcp:"), {
      ...certificate && { quic: { certificate } },
    });
  } catch (cause) {
    if (!(cause instanceof TransportError)) throw cause;
    throw new CliError("failed", `Cannot listen at ${address}`, {
      cause,
      hint: "Is another program listening there?",
    });
  }
}
