import { Writer } from "../core/bytes/mod.ts";
import type { CryptoProvider } from "../core/crypto/mod.ts";
import type { ClientHello } from "./client_hello.ts";
import type { Extension } from "./hello_parts.ts";
import { EXTENSION } from "./extension.ts";
import { generateKeyShare, type Group, type KeyShare } from "./key_share.ts";
import type { Offer, OfferedPsk } from "./offer.ts";
import { encodeOffer } from "./psk_extension.ts";

/** What a HelloRetryRequest asks for. */
export interface RetryOptions {
  /** Where a new key share comes from. */
  readonly crypto: CryptoProvider;
  /** The group asked for; without it the key shares stay. */
  readonly group?: Group;
  /** The cookie to echo, 1 to 65,535 bytes. */
  readonly cookie?: Uint8Array;
  /** The key of an earlier session, if the retry's suite has the same hash: its ticket, and its age now. */
  readonly psk?: OfferedPsk;
  /** Makes the key share, default {@link generateKeyShare} with `crypto`. */
  readonly keyShare?: (group: Group) => KeyShare;
}

/**
 * The hello after a HelloRetryRequest (RFC 8446 §4.1.2), as BoringSSL makes it of `offer`: one key share, of the group asked for
 * and without GREASE, the cookie at its place in the permuted order, no padding; all else is the same.
 *
 * It takes over `offer`, whose key shares it wipes unless it keeps them: dispose what it returns.
 *
 * @throws {RangeError} If the cookie is longer than its length field can say.
 */
export function retryOffer(offer: Offer, options: RetryOptions): Offer {
  const { crypto, group, cookie, psk } = options;
  const make = options.keyShare ??
    ((group: Group) => generateKeyShare(crypto, group));
  const keyShares = group === undefined ? offer.keyShares : [make(group)];
  if (group !== undefined) offer[Symbol.dispose]();
  const hello: ClientHello = {
    ...offer.hello,
    extensions: retryExtensions(offer, group && keyShares[0], cookie),
  };
  return {
    ...encodeOffer(hello, psk),
    keyShares,
    [Symbol.dispose]() {
      for (const share of keyShares) share[Symbol.dispose]();
    },
  };
}

function retryExtensions(
  { hello, cookieIndex }: Offer,
  share: KeyShare | undefined,
  cookie: Uint8Array | undefined,
): Extension[] {
  const kept = (hello.extensions ?? []).filter(({ type }) =>
    type !== EXTENSION.padding && type !== EXTENSION.preSharedKey
  ).map((extension) =>
    share && extension.type === EXTENSION.keyShare
      ? { type: extension.type, data: oneShare(share) }
      : extension
  );
  if (cookie) {
    const data = new Writer(cookie.length + 2).u16(cookie.length).put(cookie)
      .finish();
    kept.splice(cookieIndex ?? kept.length, 0, {
      type: EXTENSION.cookie,
      data,
    });
  }
  return kept;
}

function oneShare({ group, publicKey }: KeyShare): Uint8Array {
  return new Writer(publicKey.length + 6)
    .u16(publicKey.length + 4)
    .u16(group)
    .u16(publicKey.length).put(publicKey)
    .finish();
}
