import { type Address, parseAddress } from "../../src/core/transport/mod.ts";
import type { htx } from "../../mod.ts";
import { CliError } from "../_error.ts";
import type { HtxConfig } from "./config.ts";

/** The carriers a client can choose. */
export type CarrierName = HtxConfig["proxy"]["carrier"];

const SCHEME = {
  tls: "tls",
  wss: "tls",
  tcp: "tcp",
  ws: "tcp",
  quic: "quic",
} as const;

/**
 * The address of a server for one carrier; WebSocket shares a port with HTTP.
 *
 * @throws {CliError} `failed` if it has none.
 */
export function addressFor(
  { addresses }: Pick<htx.PeerRecord, "addresses">,
  carrier: keyof typeof SCHEME,
): Address {
  const found = addresses.find((address) =>
    parseAddress(address).scheme === SCHEME[carrier]
  );
  if (found === undefined) {
    throw new CliError("failed", `The server has no ${carrier} address`, {
      hint: `It has ${addresses.join(", ")}.`,
    });
  }
  return found.replace(/^[a-z]+:/, `${carrier}:`);
}
