import type { CryptoProvider } from "../../src/core/crypto/mod.ts";
import type { Logger } from "../../src/core/log/mod.ts";
import { type Address, formatAddress } from "../../src/core/transport/mod.ts";
import type { Profile } from "../../src/utls/mod.ts";
import { htx } from "../../mod.ts";
import { CliError } from "../_error.ts";
import type { HtxConfig } from "./config.ts";
import { verifierOf } from "./trust.ts";

/**
 * The way from QUIC to TLS, with visits to the cover origins of the configuration.
 *
 * @throws {CliError} If there are fewer than two of them.
 */
export function openFallback(
  { cover_origins: origins, roots }: Pick<
    HtxConfig["proxy"],
    "cover_origins" | "roots"
  >,
  { profile, crypto, log }: {
    readonly profile: Profile;
    readonly crypto: CryptoProvider;
    readonly log: Logger;
  },
): htx.Fallback {
  const verify = verifierOf(roots);
  try {
    return new htx.Fallback({
      origins,
      openCover: async (origin, { signal }) => {
        const options = { profile, verify, crypto, signal };
        const visit = await htx.visitPage(tlsAddress(origin), options);
        return visit.connection;
      },
      crypto,
      onEvent: (event) => log.info("htx.fallback", { ...event }),
    });
  } catch (cause) {
    throw new CliError("usage", "Carrier auto wants proxy.cover_origins", {
      cause,
      hint: "They are two sites or more that a browser here may well visit.",
    });
  }
}

/** `https://host` or `https://host:port` as an address. */
function tlsAddress(origin: string): Address {
  const { hostname, port } = new URL(origin);
  const host = hostname.replace(/^\[|\]$/g, "");
  return formatAddress({
    scheme: "tls",
    hostname: host,
    port: Number(port || 443),
  });
}
