import type { CryptoProvider } from "../core/crypto/mod.ts";
import {
  drawOffer,
  type Group,
  type Offer,
  type OfferedPsk,
  type Profile,
  retryOffer,
} from "../utls/mod.ts";

/** What a HelloRetryRequest changes. */
export interface OfferChange {
  /** The group asked for; without it the key shares stay. */
  readonly group?: Group;
  /** The cookie to echo. */
  readonly cookie?: Uint8Array;
  /** The key to offer again. */
  readonly psk?: OfferedPsk;
}

/** Makes the hellos of one connection. */
export interface OfferMaker {
  /** The first hello, with `psk` if one is given. */
  first(psk?: OfferedPsk): Offer;
  /** The hello after a HelloRetryRequest; it takes over `offer`. */
  retry(offer: Offer, change: OfferChange): Offer;
}

/** What {@link profileOffers} draws for. */
export interface ProfileOffersOptions {
  /** All randomness. */
  readonly crypto: CryptoProvider;
  /** The host asked for; a name is sent, an IP address not. */
  readonly serverName?: string;
  /** What the connection is for, default `"page"`. */
  readonly variant?: "page" | "websocket";
  /** Protocols to offer instead of those of the variant. */
  readonly alpn?: readonly string[];
}

/** Hellos as the browser of `profile` sends them. */
export function profileOffers(
  profile: Profile,
  options: ProfileOffersOptions,
): OfferMaker {
  const { crypto } = options;
  return {
    first: (psk) => drawOffer(profile, { ...options, ...(psk && { psk }) }),
    retry: (offer, change) => retryOffer(offer, { crypto, ...change }),
  };
}
