import type { Bytes } from "../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import {
  decodeClientHello,
  EXTENSION,
  extensionOf,
  GROUP,
  type Group,
  type KeyShare,
  type Offer,
} from "../../src/utls/mod.ts";
import type { OfferMaker } from "../../src/tls/offer_maker.ts";
import { decodeOfferedPsks } from "../../src/tls/messages/pre_shared_key.ts";

/** The offer that a recorded `message` is, its binders set to zero. */
export function recordedOffer(
  message: Bytes,
  keyShares: readonly KeyShare[],
): Offer {
  const copy = message.slice();
  const hello = decodeClientHello(copy);
  const psk = extensionOf(hello, EXTENSION.preSharedKey);
  const bindersLength = psk ? decodeOfferedPsks(psk).bindersLength : 0;
  if (psk) copy.fill(0, copy.length - bindersLength + 3);
  return {
    hello,
    message: copy,
    bindersLength,
    keyShares,
    [Symbol.dispose]() {},
  };
}

/** Offers `first`, and `second` after a HelloRetryRequest. */
export function recordedOffers(first: Offer, second?: Offer): OfferMaker {
  return {
    first: () => first,
    retry() {
      if (!second) throw new TypeError("No second hello is recorded");
      return second;
    },
  };
}

/** The key share of a recorded private key. */
export function recordedShare(group: Group, privateKey: Bytes): KeyShare {
  const agreement = group === GROUP.p256
    ? nodeProvider.p256
    : nodeProvider.x25519;
  return {
    group,
    publicKey: agreement.publicKey(privateKey),
    sharedSecret: (peer) => agreement.sharedSecret(privateKey, peer),
    [Symbol.dispose]() {},
  };
}
