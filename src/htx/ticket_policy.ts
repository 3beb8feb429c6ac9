/**
 * What a server publishes for its clients to make tickets with (Betanet 1.1 §5.2, profile G1 and G16).
 *
 * ```text
 * policy   v1; carriers=cookie:0.5,query:0.3,body:0.2; len=24..64
 * offer    <policy>; id=<ticketKeyID>; pub=<ticketPub>; cookie=<name>
 * ```
 *
 * `carriers` are the odds of each carrier, which add up to 1 with at most four decimals; `len` is the length of the padding in bytes;
 * `id` and `pub` are base64url without padding.
 *
 * The offer travels in the signed peer record or by hand, on a command line. A `BN-Ticket` header or meta tag of the decoy may hold
 * the same text, but tells every prober what the server is: ours never sends it.
 *
 * @module
 */
import {
  type Bytes,
  decodeBase64Url,
  DecodeError,
  encodeBase64Url,
  Reader,
} from "../core/bytes/mod.ts";
import type { CryptoProvider } from "../core/crypto/mod.ts";
import { type Carrier, CARRIERS, COOKIE_NAME_REGEXP } from "./carrier.ts";
import { HtxError } from "./error.ts";
import { checkPadding, TICKET_KEY_ID_LENGTH } from "./ticket.ts";

/** How clients of a server send their tickets. */
export interface TicketPolicy {
  /** The probability of each carrier, in ten-thousandths; they add up to 10,000. */
  readonly odds: Readonly<Record<Carrier, number>>;
  /** Fewest bytes of padding, from 24. */
  readonly minPaddingLength: number;
  /** Most bytes of padding, up to 64. */
  readonly maxPaddingLength: number;
}

/** A published ticket key and how to use it. */
export interface TicketOffer {
  /** Carriers and padding. */
  readonly policy: TicketPolicy;
  /** ticketKeyID: 8 bytes. */
  readonly keyId: Bytes;
  /** ticketPub: 32 bytes of X25519. */
  readonly publicKey: Bytes;
  /** Name of the cookie carrier. */
  readonly cookieName: string;
}

/** The policy of the specification's example. */
export const DEFAULT_TICKET_POLICY: TicketPolicy = {
  odds: { cookie: 5000, query: 3000, body: 2000 },
  minPaddingLength: 24,
  maxPaddingLength: 64,
};

/** Longest offer in characters. */
const MAX_OFFER_LENGTH = 256;

const ODDS_SUM = 10_000;
const POLICY =
  "v1; carriers=([a-z0-9:.,]{1,64}); len=([0-9]{2})\\.\\.([0-9]{2})";
const POLICY_REGEXP = new RegExp(`^${POLICY}$`);
const OFFER_REGEXP = new RegExp(
  `^(${POLICY}); id=([\\w-]{11}); pub=([\\w-]{43}); cookie=(\\S{1,64})$`,
);
const ODDS_REGEXP = /^(?:0\.[0-9]{1,4}|1)$/;

/**
 * Parses a policy line.
 *
 * @throws {DecodeError} If it is not of the form above.
 */
export function parseTicketPolicy(text: string): TicketPolicy {
  const match = text.match(POLICY_REGEXP);
  if (!match) throw malformed("want v1; carriers=…; len=…");
  const policy = {
    odds: parseOdds(match[1]!),
    minPaddingLength: Number(match[2]),
    maxPaddingLength: Number(match[3]),
  };
  try {
    checkTicketPolicy(policy);
  } catch {
    throw malformed("odds must add up to 1 and padding lie within 24..64");
  }
  return policy;
}

/**
 * Writes a policy line.
 *
 * @throws {RangeError} If the odds do not add up or the padding is not within 24..64.
 */
export function formatTicketPolicy(policy: TicketPolicy): string {
  checkTicketPolicy(policy);
  const carriers = CARRIERS.filter((carrier) => policy.odds[carrier] > 0)
    .map((carrier) => `${carrier}:${policy.odds[carrier] / ODDS_SUM}`);
  const { minPaddingLength, maxPaddingLength } = policy;
  return `v1; carriers=${carriers}; len=${minPaddingLength}..${maxPaddingLength}`;
}

/**
 * Parses an offer.
 *
 * @throws {DecodeError} If it is not of the form above.
 */
export function parseTicketOffer(text: string): TicketOffer {
  const match = text.length <= MAX_OFFER_LENGTH && text.match(OFFER_REGEXP);
  if (!match) throw malformed("want a policy; id=…; pub=…; cookie=…");
  const [, policy, , , , keyId, publicKey, cookieName] = match;
  if (!COOKIE_NAME_REGEXP.test(cookieName!)) throw malformed("bad cookie name");
  return {
    policy: parseTicketPolicy(policy!),
    keyId: decodeBase64Url(keyId!),
    publicKey: decodeBase64Url(publicKey!),
    cookieName: cookieName!,
  };
}

/**
 * Writes an offer.
 *
 * @throws {RangeError} If the policy, a length or the cookie name is out of range.
 */
export function formatTicketOffer(offer: TicketOffer): string {
  const { policy, keyId, publicKey, cookieName } = offer;
  if (
    keyId.length !== TICKET_KEY_ID_LENGTH || publicKey.length !== 32 ||
    cookieName.length > 64 || !COOKIE_NAME_REGEXP.test(cookieName)
  ) {
    throw new RangeError("Want an 8-byte id, a 32-byte key and a cookie name");
  }
  return [
    formatTicketPolicy(policy),
    `id=${encodeBase64Url(keyId)}`,
    `pub=${encodeBase64Url(publicKey)}`,
    `cookie=${cookieName}`,
  ].join("; ");
}

/**
 * Draws a carrier by the odds of `policy`, among those that the connection can have: a WebSocket handshake has no body.
 *
 * @throws {HtxError} `incompatible` if the policy gives none of them a chance.
 */
export function drawCarrier(
  crypto: Pick<CryptoProvider, "random">,
  { odds }: TicketPolicy,
  among: readonly Carrier[] = CARRIERS,
): Carrier {
  const total = among.reduce((sum, carrier) => sum + odds[carrier], 0);
  const random = new Reader(crypto.random(4), "random number").u32();
  let at = Math.floor(random / 2 ** 32 * total);
  for (const carrier of among) {
    if (at < odds[carrier]) return carrier;
    at -= odds[carrier];
  }
  throw new HtxError("incompatible", "No carrier of the policy can be used");
}

function checkTicketPolicy(policy: TicketPolicy): void {
  checkPadding(policy.minPaddingLength, policy.maxPaddingLength);
  const odds = CARRIERS.map((carrier) => policy.odds[carrier]);
  const sum = odds.reduce((a, b) => a + b);
  if (sum !== ODDS_SUM || odds.some((n) => !Number.isInteger(n) || n < 0)) {
    throw new RangeError(`Odds must add up to ${ODDS_SUM}: got ${sum}`);
  }
}

function parseOdds(text: string): Record<Carrier, number> {
  const odds = { cookie: 0, query: 0, body: 0 };
  for (const part of text.split(",")) {
    const [name, value, more] = part.split(":");
    const carrier = CARRIERS.find((carrier) => carrier === name);
    if (
      !carrier || odds[carrier] > 0 || more !== undefined ||
      !ODDS_REGEXP.test(value ?? "")
    ) {
      throw malformed("want each carrier once, with odds such as 0.25");
    }
    odds[carrier] = Math.round(Number(value) * ODDS_SUM);
  }
  return odds;
}

function malformed(reason: string): DecodeError {
  return new DecodeError("ticket policy", reason);
}
