import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import { TlsClient } from "../../src/tls/client.ts";
import { encodeOfferedPsks } from "../../src/tls/messages/pre_shared_key.ts";
import type { OfferMaker } from "../../src/tls/offer_maker.ts";
import { TlsServer } from "../../src/tls/server.ts";
import {
  type ServerCertificate,
  serverCertificate,
} from "../../src/tls/server_certificate.ts";
import type { TlsServerOptions } from "../../src/tls/server_options.ts";
import type { Session } from "../../src/tls/session_cache.ts";
import {
  encodeClientHello,
  EXTENSION,
  generateKeyShare,
  GROUP,
  type Group,
  type KeyShare,
  type Offer,
  type OfferedPsk,
  retryOffer,
} from "../../src/utls/mod.ts";
import { testCertificate, type TestKey } from "./_certificates.ts";
import {
  clientHello,
  type HelloChanges,
  keyShares,
  u16List,
} from "./_client_hello.ts";

/** The time of every test. */
export const NOW = 1_800_000_000_000;

/** What {@link offersOf} offers, beside an own hello of {@link HelloChanges}. */
export interface OfferOptions extends HelloChanges {
  /** Groups with a key share, by default X25519. */
  readonly shared?: readonly Group[];
  /** Groups supported; by default those shared. */
  readonly groups?: readonly Group[];
}

/** Makes hellos that the caller chooses, where `profileOffers` makes a browser's. */
export function offersOf(
  { shared = [GROUP.x25519], groups = shared, ...changes }: OfferOptions = {},
): OfferMaker {
  return {
    first(psk) {
      const shares = shared.map((group) => generateKeyShare(crypto, group));
      return offerOf(
        {
          random: crypto.random(32),
          ...changes,
          with: {
            [EXTENSION.supportedGroups]: u16List(...groups),
            [EXTENSION.keyShare]: keyShares(
              ...shares.map((s) => [s.group, s.publicKey] as const),
            ),
            [EXTENSION.pskKeyExchangeModes]: Uint8Array.of(1, 1),
            ...changes.with,
          },
        },
        shares,
        psk,
      );
    },
    retry: (offer, change) => retryOffer(offer, { crypto, ...change }),
  };
}

function offerOf(
  changes: HelloChanges,
  shares: readonly KeyShare[],
  psk: OfferedPsk | undefined,
): Offer {
  const bindersLength = psk ? 3 + psk.binderLength : 0;
  const last = psk
    ? [{
      type: EXTENSION.preSharedKey,
      data: encodeOfferedPsks({
        identities: [psk],
        binders: [new Uint8Array(psk.binderLength)],
      }),
    }]
    : [];
  const hello = clientHello({ ...changes, last });
  return {
    hello,
    message: encodeClientHello(hello),
    bindersLength,
    keyShares: shares,
    [Symbol.dispose]() {
      for (const share of shares) share[Symbol.dispose]();
    },
  };
}

const certificates = new Map<TestKey, ServerCertificate>();

/** The test certificate with a key of type `key`, loaded once. */
export function certificateOf(key: TestKey): ServerCertificate {
  let certificate = certificates.get(key);
  if (!certificate) {
    const { certPem, keyPem } = testCertificate(key);
    certificate = serverCertificate({ chainPem: certPem, keyPem });
    certificates.set(key, certificate);
  }
  return certificate;
}

/** A server with a P-256 certificate, or what `options` say. */
export function newServer(options: Partial<TlsServerOptions> = {}): TlsServer {
  return new TlsServer({
    certificates: [certificateOf("p256")],
    crypto,
    wallTime: () => NOW,
    ...options,
  });
}

/** A client that sends the hellos of `offers`. */
export function newClient(
  offers: OfferMaker = offersOf(),
  session?: Session,
  nowMs = NOW,
): TlsClient {
  return new TlsClient({
    crypto,
    offers,
    nowMs,
    ...(session && { session }),
  });
}

/** What went over the wire in {@link connect}, flight by flight. */
export interface Exchange {
  /** Each write of the client. */
  readonly up: Uint8Array[];
  /** Each write of the server. */
  readonly down: Uint8Array[];
}

/** Passes bytes between both until neither has more to say; certificates are trusted. */
export function connect(client: TlsClient, server: TlsServer): Exchange {
  const up: Uint8Array[] = [];
  const down: Uint8Array[] = [];
  while (client.hasOutput || server.hasOutput) {
    if (client.hasOutput) {
      up.push(client.takeOutput());
      server.receive(up.at(-1)!);
      if (server.certificatesToJudge) server.accept();
    }
    if (server.hasOutput) {
      down.push(server.takeOutput());
      client.receive(down.at(-1)!);
      if (client.certificatesToJudge) client.accept();
    }
  }
  return { up, down };
}

/** The record types and lengths in `bytes`. */
export function recordsOf(bytes: Uint8Array): [type: number, length: number][] {
  const records: [number, number][] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes[at + 3]! << 8 | bytes[at + 4]!;
    records.push([bytes[at]!, length]);
    at += 5 + length;
  }
  return records;
}
