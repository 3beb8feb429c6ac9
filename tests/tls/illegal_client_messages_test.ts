import { assertEquals } from "@std/assert";
import { type Bytes, concat } from "../../src/core/bytes/mod.ts";
import {
  type Certificate,
  decodeCertificate,
  encodeCertificate,
} from "../../src/tls/messages/certificate.ts";
import { encodeEncryptedExtensions } from "../../src/tls/messages/encrypted_extensions.ts";
import { HANDSHAKE_TYPE as H } from "../../src/tls/messages/handshake_type.ts";
import type { AlertName } from "../../src/tls/mod.ts";
import type { OfferMaker } from "../../src/tls/offer_maker.ts";
import type { TlsServerOptions } from "../../src/tls/server_options.ts";
import { TicketKeys } from "../../src/tls/ticket_keys.ts";
import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import { EXTENSION as X, GROUP } from "../../src/utls/mod.ts";
import { certificateDer } from "./_certificates.ts";
import { keyShares, protocols, u16List } from "./_client_hello.ts";
import {
  alertOf,
  asItIs,
  type Edit,
  EditedClient,
  handshake,
  replace,
  rewrite,
} from "./_edited_peer.ts";
import {
  connect,
  newClient,
  newServer,
  NOW,
  type OfferOptions,
  offersOf,
} from "./_tls_pair.ts";

interface Illegal {
  readonly alert: AlertName;
  /** What the client does after its first hello. */
  readonly edit?: Edit;
  /** What its first hello offers. */
  readonly offer?: OfferOptions;
  /** What becomes of the bytes of its first hello. */
  readonly hello?: (message: Bytes) => Uint8Array;
  readonly options?: Partial<TlsServerOptions>;
}

const NOTHING = new Uint8Array(0);
const RETRY = {
  offer: { shared: [GROUP.x25519], groups: [GROUP.x25519, GROUP.p256] },
  options: { preferences: { groups: [GROUP.p256] } },
};
const ASKED = { clientCertificates: "request" } as const;

const flip = (at: number) => (bytes: Bytes) => {
  bytes[at < 0 ? bytes.length + at : at]! ^= 1;
  return bytes;
};
const before = (type: number, added: Uint8Array) =>
  replace(type, (message) => [added, message]);
const longer = (message: Bytes) =>
  handshake(message[0]!, concat(message.subarray(4), Uint8Array.of(0)));
const shorter = (message: Bytes) =>
  handshake(message[0]!, message.subarray(4, -1));
const certificate = (change: Partial<Certificate>) =>
  replace(
    H.certificate,
    (message) =>
      encodeCertificate({ ...decodeCertificate(message), ...change }),
  );
const entry = (name: string) => ({ der: certificateDer(name), extensions: [] });

const ILLEGAL: Record<string, Illegal> = {
  // ClientHello, §4.1.2; more of them in client_hello_check_test.ts
  "ClientHello of SSL 3.0": {
    offer: { legacyVersion: 0x0300 },
    alert: "protocolVersion",
  },
  "ClientHello of TLS 1.2": {
    offer: { with: { [X.supportedVersions]: undefined } },
    alert: "protocolVersion",
  },
  "ClientHello with compression": {
    offer: { compressionMethods: Uint8Array.of(1, 0) },
    alert: "illegalParameter",
  },
  "ClientHello with no suite of ours": {
    offer: { cipherSuites: [0xc02f, 0x1304] },
    alert: "handshakeFailure",
  },
  "ClientHello with no group of ours": {
    offer: {
      with: {
        [X.supportedGroups]: u16List(0x0100),
        [X.keyShare]: keyShares([0x0100, new Uint8Array(9)]),
      },
    },
    alert: "handshakeFailure",
  },
  "ClientHello with no scheme of ours": {
    offer: { with: { [X.signatureAlgorithms]: u16List(0x0904) } },
    alert: "handshakeFailure",
  },
  "ClientHello with no protocol of ours": {
    offer: { with: { [X.alpn]: protocols("h3") } },
    options: { alpn: ["h2"] },
    alert: "noApplicationProtocol",
  },
  "ClientHello without signature_algorithms": {
    offer: { with: { [X.signatureAlgorithms]: undefined } },
    alert: "missingExtension",
  },
  "ClientHello without a key share": {
    offer: { with: { [X.keyShare]: undefined } },
    alert: "missingExtension",
  },
  "ClientHello with a share of zeros": {
    offer: {
      with: { [X.keyShare]: keyShares([GROUP.x25519, new Uint8Array(32)]) },
    },
    alert: "illegalParameter",
  },
  "ClientHello with a short share": {
    offer: {
      with: { [X.keyShare]: keyShares([GROUP.x25519, new Uint8Array(31)]) },
    },
    alert: "illegalParameter",
  },
  "ClientHello with a share off the curve": {
    offer: {
      shared: [GROUP.p256],
      with: {
        [X.keyShare]: keyShares([GROUP.p256, new Uint8Array(65).fill(4)]),
      },
    },
    alert: "illegalParameter",
  },
  "ClientHello with an ML-KEM key out of range": {
    offer: {
      shared: [GROUP.x25519MlKem768],
      with: {
        [X.keyShare]: keyShares([
          GROUP.x25519MlKem768,
          new Uint8Array(1216).fill(255),
        ]),
      },
    },
    alert: "illegalParameter",
  },
  "ClientHello with a session id of 33 bytes": {
    offer: { sessionId: new Uint8Array(33) },
    alert: "decodeError",
  },
  "ClientHello without suites": {
    offer: { cipherSuites: [] },
    alert: "decodeError",
  },
  "ClientHello with a byte behind": { hello: longer, alert: "decodeError" },
  "ClientHello cut short": { hello: shorter, alert: "decodeError" },
  "ClientHello of nothing": {
    hello: () => handshake(H.clientHello, NOTHING),
    alert: "decodeError",
  },
  "ClientHello above 16 KiB": {
    hello: () => Uint8Array.of(H.clientHello, 0, 0x40, 1),
    alert: "illegalParameter",
  },
  "Finished in the place of a ClientHello": {
    hello: () => handshake(H.finished, NOTHING),
    alert: "unexpectedMessage",
  },
  "ServerHello in the place of a ClientHello": {
    hello: () => handshake(H.serverHello, NOTHING),
    alert: "unexpectedMessage",
  },

  // second ClientHello, §4.1.2
  "second ClientHello with another random": {
    ...RETRY,
    edit: rewrite(H.clientHello, flip(2)),
    alert: "illegalParameter",
  },
  "second ClientHello with a suite less": {
    ...RETRY,
    edit: rewrite(H.clientHello, (body) => {
      const at = 2 + 32 + 1 + 32;
      return concat(
        body.subarray(0, at),
        Uint8Array.of(0, body[at + 1]! - 2),
        body.subarray(at + 4),
      );
    }),
    alert: "illegalParameter",
  },
  "second ClientHello with a byte behind": {
    ...RETRY,
    edit: replace(H.clientHello, longer),
    alert: "decodeError",
  },
  "Finished in the place of a second ClientHello": {
    ...RETRY,
    edit: replace(H.clientHello, () => handshake(H.finished, NOTHING)),
    alert: "unexpectedMessage",
  },

  // Certificate and CertificateVerify of a client, §4.4.2 and §4.4.3
  "Certificate that nobody asked for": {
    edit: before(
      H.finished,
      encodeCertificate({ context: NOTHING, entries: [] }),
    ),
    alert: "unexpectedMessage",
  },
  "no Certificate": {
    edit: replace(H.certificate, () => []),
    options: ASKED,
    alert: "unexpectedMessage",
  },
  "Certificate of none where one must be": {
    options: { clientCertificates: "require" },
    alert: "certificateRequired",
  },
  "Certificate with a context": {
    edit: certificate({ context: Uint8Array.of(1) }),
    options: ASKED,
    alert: "illegalParameter",
  },
  "Certificate with an extension": {
    edit: certificate({
      entries: [{
        ...entry("p256"),
        extensions: [{ type: X.statusRequest, data: NOTHING }],
      }],
    }),
    options: ASKED,
    alert: "unsupportedExtension",
  },
  "Certificate with a byte behind": {
    edit: replace(H.certificate, longer),
    options: ASKED,
    alert: "decodeError",
  },
  "Certificate without CertificateVerify": {
    edit: certificate({ entries: [entry("p256")] }),
    options: ASKED,
    alert: "unexpectedMessage",
  },
  "CertificateVerify without a Certificate": {
    edit: before(H.finished, verify(0x0403)),
    options: ASKED,
    alert: "unexpectedMessage",
  },
  "CertificateVerify of another's key": {
    edit: (message) =>
      message[0] === H.certificate
        ? [
          encodeCertificate({ context: NOTHING, entries: [entry("p256")] }),
          verify(0x0403),
        ]
        : [message],
    options: ASKED,
    alert: "decryptError",
  },
  "CertificateVerify of a scheme for certificates only": {
    edit: (message) =>
      message[0] === H.certificate
        ? [
          encodeCertificate({ context: NOTHING, entries: [entry("rsa")] }),
          verify(0x0401),
        ]
        : [message],
    options: ASKED,
    alert: "illegalParameter",
  },

  // Finished, §4.4.4
  "Finished with a wrong MAC": {
    edit: rewrite(H.finished, flip(0)),
    alert: "decryptError",
  },
  "Finished cut short": {
    edit: replace(H.finished, shorter),
    alert: "decodeError",
  },
  "Finished with a byte behind": {
    edit: replace(H.finished, longer),
    alert: "decodeError",
  },

  // Messages out of place, §4
  "EncryptedExtensions that nobody asked for": {
    edit: before(H.finished, encodeEncryptedExtensions([])),
    alert: "unexpectedMessage",
  },
  "EndOfEarlyData": {
    edit: before(H.finished, handshake(H.endOfEarlyData, NOTHING)),
    alert: "unexpectedMessage",
  },
  "KeyUpdate in the handshake": {
    edit: before(H.finished, handshake(H.keyUpdate, Uint8Array.of(0))),
    alert: "unexpectedMessage",
  },
  "CertificateRequest": {
    edit: before(H.finished, handshake(H.certificateRequest, NOTHING)),
    alert: "unexpectedMessage",
  },
  "message of an unknown type": {
    edit: before(H.finished, handshake(99, NOTHING)),
    alert: "unexpectedMessage",
  },
};

for (const [what, one] of Object.entries(ILLEGAL)) {
  Deno.test(`TlsServer answers a ${what} with ${one.alert}`, () => {
    assertEquals(judge(one), one.alert);
  });
}

Deno.test("TlsServer takes what edits do not change", () => {
  assertEquals(judge({ alert: "internalError" }), undefined);
  assertEquals(judge({ ...RETRY, alert: "internalError" }), undefined);
  assertEquals(judge({ options: ASKED, alert: "internalError" }), undefined);
});

Deno.test("TlsServer answers a binder that does not verify with decryptError", () => { // §4.2.11.2
  using tickets = new TicketKeys(crypto);
  using first = newClient();
  connect(first, newServer({ tickets }));
  const [session] = first.takeSessions(NOW);
  using server = newServer({ tickets });
  using client = newClient(offersOf(), session);
  assertEquals(alertOf(server, client, flip(-1)), "decryptError");
});

/** The server's alert. */
function judge({ edit = asItIs, offer, hello, options }: Illegal) {
  using server = newServer(options);
  const offers = changed(offersOf(offer), hello);
  using client = new EditedClient(edit, offers);
  return alertOf(server, client);
}

/** `offers`, with the bytes of the first changed after all else is done. */
function changed(
  offers: OfferMaker,
  hello: ((message: Bytes) => Uint8Array) | undefined,
): OfferMaker {
  if (!hello) return offers;
  return {
    ...offers,
    first(psk) {
      const offer = offers.first(psk);
      return { ...offer, message: new Uint8Array(hello(offer.message)) };
    },
  };
}

function verify(scheme: number): Bytes {
  const signature = new Uint8Array(70);
  return handshake(
    H.certificateVerify,
    concat(Uint8Array.of(scheme >> 8, scheme & 0xff, 0, 70), signature),
  );
}
