import type { CryptoProvider } from "../core/crypto/mod.ts";
import { equal, utf8 } from "../core/bytes/mod.ts";
import type { ClientOffer } from "./client_offer.ts";
import { fatal } from "./error.ts";
import {
  chooseCertificate,
  type ChosenCertificate,
  type ServerCertificate,
} from "./server_certificate.ts";
import type { ServerGroup } from "./server_key_share.ts";
import type { TicketState } from "./session_ticket.ts";
import {
  CIPHER_SUITE,
  type CipherSuite,
  type Suite,
  suiteOf,
} from "./suite.ts";

/** What a server can do, best first where the order counts. */
export interface Preferences {
  /** Cipher suites; a client that puts ChaCha20-Poly1305 first gets it, as it has no AES hardware. */
  readonly suites: readonly CipherSuite[];
  /** Whether the client's order of suites goes before ours; `false` if not given. */
  readonly followsClient?: boolean;
  /** Groups; one that the client sent a share for goes before others. */
  readonly groups: readonly ServerGroup[];
  /** Application protocols; if empty, those of the client are passed over. */
  readonly alpn: readonly string[];
  /** Certificates; the first is for clients that name no host we know. */
  readonly certificates: readonly ServerCertificate[];
  /** What a ticket holds, if it is good now; absent if sessions are not resumed. */
  readonly openTicket?: (ticket: Uint8Array) => TicketState | undefined;
}

/** What a server chooses for a connection. */
export interface ServerChoice {
  /** The cipher suite. */
  readonly suite: Suite;
  /** The group of the key exchange. */
  readonly group: ServerGroup;
  /** The client's share of it; `undefined` asks for a HelloRetryRequest. */
  readonly keyExchange: Uint8Array | undefined;
  /** The application protocol. */
  readonly alpn: string | undefined;
  /** The session to resume, if its binder proves right. */
  readonly psk: AcceptedPsk | undefined;
  /** What to show unless a session is resumed. */
  readonly certificate: ChosenCertificate | undefined;
}

/** The pre-shared key that a server takes. */
export interface AcceptedPsk {
  /** Its place in the client's list. */
  readonly index: number;
  /** What its ticket holds. */
  readonly state: TicketState;
}

const PSK_DHE_KE = 1;
const MAX_TICKETS_TRIED = 4;

/**
 * What a server with `preferences` chooses of `offer`, which is checked already.
 *
 * @throws {TlsError} `handshakeFailure`, `missingExtension` or `noApplicationProtocol` if they have nothing in common.
 */
export function negotiate(
  offer: ClientOffer,
  preferences: Preferences,
  crypto: CryptoProvider,
): ServerChoice {
  const suite = chooseSuite(offer.cipherSuites, preferences);
  const alpn = chooseProtocol(offer.alpn, preferences.alpn);
  const group = chooseGroup(offer, preferences.groups);
  const share = offer.keyShares?.find((share) => share.group === group);
  const psk = share && choosePsk(offer, suite, preferences, crypto);
  const certificate = chooseCertificate(
    preferences.certificates,
    offer.serverName,
    offer.signatureSchemes ?? [],
  );
  if (!psk && !offer.signatureSchemes) {
    throw fatal("missingExtension", "Want signature_algorithms");
  }
  if (!psk && !certificate) {
    throw fatal("handshakeFailure", "No certificate that the client can check");
  }
  const keyExchange = share?.keyExchange;
  return { suite, group, keyExchange, alpn, psk, certificate };
}

/** SHA-256 of the name, as tickets hold it. */
export function serverNameHash(
  crypto: CryptoProvider,
  serverName: string | undefined,
): Uint8Array {
  return crypto.hash("sha256", utf8(serverName?.toLowerCase() ?? ""));
}

function chooseSuite(
  offered: readonly number[],
  { suites: ours, followsClient }: Preferences,
): Suite {
  const chacha = CIPHER_SUITE.chacha20Poly1305Sha256;
  const preferred = offered[0] === chacha ? [chacha] : [];
  const order: readonly number[] = followsClient
    ? offered
    : [...preferred, ...ours];
  const chosen = order.find((suite) =>
    ours.some((each) => each === suite) && offered.includes(suite)
  );
  if (chosen === undefined) {
    throw fatal("handshakeFailure", "No cipher suite in common");
  }
  return suiteOf(chosen)!;
}

/** RFC 7301 §3.2. */
function chooseProtocol(
  offered: readonly string[] | undefined,
  ours: readonly string[],
): string | undefined {
  if (!offered || ours.length === 0) return undefined;
  const chosen = ours.find((protocol) => offered.includes(protocol));
  if (chosen === undefined) {
    throw fatal("noApplicationProtocol", "No application protocol in common");
  }
  return chosen;
}

function chooseGroup(
  { groups, keyShares = [] }: ClientOffer,
  ours: readonly ServerGroup[],
): ServerGroup {
  if (!groups) {
    throw fatal("missingExtension", "Want supported_groups: no PSK goes alone");
  }
  const shared = new Set(keyShares.map(({ group }) => group));
  const chosen = ours.find((group) => shared.has(group)) ??
    ours.find((group) => groups.includes(group));
  if (chosen === undefined) {
    throw fatal("handshakeFailure", "No group in common");
  }
  return chosen;
}

/**
 * The first ticket that is ours, for the same host and a suite of the same hash; further tickets than 4 are passed over.
 * The age that the client tells only serves early data, which is never taken: our clock has judged the ticket.
 */
function choosePsk(
  { psks, pskModes, serverName }: ClientOffer,
  { hash }: Suite,
  { openTicket }: Preferences,
  crypto: CryptoProvider,
): AcceptedPsk | undefined {
  if (!openTicket || !pskModes?.includes(PSK_DHE_KE)) return undefined;
  const tried = psks?.identities.slice(0, MAX_TICKETS_TRIED) ?? [];
  for (const [index, { identity }] of tried.entries()) {
    const state = openTicket(identity);
    if (!state) continue;
    if (
      suiteOf(state.cipherSuite)?.hash === hash &&
      equal(state.serverNameHash, serverNameHash(crypto, serverName))
    ) return { index, state };
    state.psk.fill(0);
  }
  return undefined;
}
