import { nodeProvider } from "../../src/core/crypto/mod.ts";
import { TlsClient } from "../../src/tls/client.ts";
import { profileOffers } from "../../src/tls/offer_maker.ts";
import type { Session } from "../../src/tls/session_cache.ts";
import { profileOf } from "../../src/utls/mod.ts";

/** A client with the hello of Chrome `version` for `server.example`. */
export function chromeClient(session?: Session, version = 133): TlsClient {
  return new TlsClient({
    crypto: nodeProvider,
    offers: profileOffers(profileOf(version), {
      crypto: nodeProvider,
      serverName: "server.example",
    }),
    nowMs: 1_000,
    ...(session && { session }),
  });
}
