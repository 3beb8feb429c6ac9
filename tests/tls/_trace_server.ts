import { assert, assertEquals } from "@std/assert";
import { type Bytes, concat } from "../../src/core/bytes/mod.ts";
import { nodeProvider, SIGNATURE_SCHEME } from "../../src/core/crypto/mod.ts";
import { spkiOf } from "../../src/tls/certificates/x509_certificate.ts";
import {
  checkClientOffer,
  checkRetriedOffer,
} from "../../src/tls/client_hello_check.ts";
import {
  type ClientOffer,
  readClientOffer,
} from "../../src/tls/client_offer.ts";
import { TlsEndpoint } from "../../src/tls/endpoint.ts";
import {
  finishedMac,
  KeySchedule,
  ticketPsk,
} from "../../src/tls/key_schedule.ts";
import { decodeCertificate } from "../../src/tls/messages/certificate.ts";
import {
  decodeCertificateVerify,
  signedContent,
} from "../../src/tls/messages/certificate_verify.ts";
import { findExtension } from "../../src/tls/messages/extensions.ts";
import {
  decodeFinished,
  encodeFinished,
} from "../../src/tls/messages/finished.ts";
import { HANDSHAKE_TYPE } from "../../src/tls/messages/handshake_type.ts";
import { decodeKeyShareEntry } from "../../src/tls/messages/key_share_entry.ts";
import { decodeNewSessionTicket } from "../../src/tls/messages/new_session_ticket.ts";
import { RECORD_VERSION } from "../../src/tls/record.ts";
import { RecordKeys } from "../../src/tls/record_keys.ts";
import { RecordOpener } from "../../src/tls/record_opener.ts";
import { CIPHER_SUITE, suiteOf } from "../../src/tls/suite.ts";
import {
  decodeClientHello,
  decodeServerHello,
  EXTENSION,
  GROUP,
} from "../../src/utls/mod.ts";
import { traceBytes, type TraceName, verifyShortRsa } from "./_rfc8448.ts";

/** The suite of every trace. */
const SUITE = suiteOf(CIPHER_SUITE.aes128GcmSha256)!;

const HEADER_LENGTH = 5;

/**
 * The server of a trace of RFC 8448: it has the trace's private key, and says the trace's messages but for its Finished, which
 * follows from the rest. Its first flight is in the output from the start.
 */
export class TraceServer extends TlsEndpoint {
  readonly #schedule: KeySchedule;
  readonly #clientHandshake: Bytes;
  readonly #clientApplication: Bytes;
  readonly #serverApplication: Bytes;
  readonly #exporter: Bytes;
  #resumption: Bytes | undefined;
  #clientSpki: Uint8Array | undefined;
  /** Whether a certificate of the client was proved. */
  verifiedClient = false;

  constructor(trace: TraceName, psk?: Uint8Array) {
    super(nodeProvider);
    this.recordVersion = RECORD_VERSION;
    this.dropsChangeCipherSpec = true;
    this.#schedule = new KeySchedule(nodeProvider, SUITE, psk);
    const offer = this.#takeHellos(trace);
    this.#schedule.mixSharedSecret(sharedSecret(trace, offer));
    this.sendHandshake(traceBytes(trace, "messageServerHello"));
    const hash = this.transcript.hash(SUITE);
    this.#clientHandshake = this.#schedule.clientHandshake(hash);
    const serverHandshake = this.#schedule.serverHandshake(hash);
    this.useReadKeys(SUITE, this.#clientHandshake.slice());
    if (offer.hello.sessionId.length > 0) this.sendChangeCipherSpec();
    this.useWriteKeys(SUITE, serverHandshake.slice());
    const messages = flightOf(trace);
    const finishedHash = this.transcript.hashWith(SUITE, concat(...messages));
    const mac = finishedMac(nodeProvider, SUITE, serverHandshake, finishedHash);
    this.sendHandshake(...messages, encodeFinished(mac));
    this.#schedule.finish();
    const secrets = this.transcript.hash(SUITE);
    this.#serverApplication = this.#schedule.serverApplication(secrets);
    this.#clientApplication = this.#schedule.clientApplication(secrets);
    this.#exporter = this.#schedule.exporter(secrets);
    this.useWriteKeys(SUITE, this.#serverApplication.slice());
  }

  /** Takes a message that came under keys of others. */
  pass(message: Bytes): void {
    this.transcript.add(message);
  }

  /** What the first record of ours after the handshake holds. */
  openOwn(record: Bytes): Bytes {
    using opener = new RecordOpener();
    const secret = this.#serverApplication.slice();
    opener.useKeys(new RecordKeys(nodeProvider, SUITE, secret));
    opener.feed(record.slice());
    return opener.next()!.content.slice();
  }

  /** Sends a NewSessionTicket. */
  sendTicket(message: Bytes): void {
    this.sendPostHandshake(message);
  }

  /** The pre-shared key of a ticket of this connection. */
  pskOf(ticket: Bytes): Bytes {
    const { nonce } = decodeNewSessionTicket(ticket);
    return ticketPsk(nodeProvider, SUITE, this.#resumption!, nonce);
  }

  protected override handshakeMessage(type: number, message: Bytes): void {
    const hash = this.transcript.hash(SUITE);
    if (type === HANDSHAKE_TYPE.certificate) {
      this.#clientSpki = spkiOf(decodeCertificate(message).entries[0]!.der);
    } else if (type === HANDSHAKE_TYPE.certificateVerify) {
      const { scheme, signature } = decodeCertificateVerify(message);
      assertEquals(scheme, SIGNATURE_SCHEME.rsaPssRsaeSha256);
      const content = signedContent("client", hash);
      this.verifiedClient = verifyShortRsa(
        scheme as typeof SIGNATURE_SCHEME.rsaPssRsaeSha256,
        this.#clientSpki!,
        content,
        signature,
      );
    } else {
      const verifyData = decodeFinished(message, SUITE.hashLength);
      const mac = finishedMac(nodeProvider, SUITE, this.#clientHandshake, hash);
      assertEquals(verifyData, mac);
    }
    this.transcript.add(message);
    if (type === HANDSHAKE_TYPE.finished) this.#open();
  }

  protected override certificatesAccepted(): void {}

  protected override wipeHandshake(): void {}

  #takeHellos(trace: TraceName): ClientOffer {
    const [offer, message] = helloIn(traceBytes(trace, "recordClientHello1"));
    checkClientOffer(offer);
    if (offer.psks) this.#checkBinder(offer, message);
    this.transcript.add(message);
    if (trace !== "helloRetryRequest") return offer;
    this.transcript.replaceWithHash(SUITE);
    const retry = traceBytes(trace, "recordHelloRetryRequest");
    this.sendHandshake(retry.slice(HEADER_LENGTH));
    const [again, second] = helloIn(traceBytes(trace, "recordClientHello2"));
    const cookie = traceBytes(trace, "helloRetryRequestCookie");
    checkRetriedOffer(offer, again, { group: GROUP.p256, cookie });
    this.transcript.add(second);
    return again;
  }

  #checkBinder({ psks }: ClientOffer, message: Bytes): void {
    const { binders, bindersLength } = psks!;
    const truncated = message.subarray(0, message.length - bindersLength);
    const hash = this.transcript.hashWith(SUITE, truncated);
    const key = this.#schedule.binderKey("resumption");
    assertEquals(binders, [finishedMac(nodeProvider, SUITE, key, hash)]);
  }

  #open(): void {
    this.useReadKeys(SUITE, this.#clientApplication);
    this.#resumption = this.#schedule.resumption(this.transcript.hash(SUITE));
    this.establish(
      {
        alpn: undefined,
        cipherSuite: SUITE.id,
        group: GROUP.x25519,
        resumed: false,
        peerCertificates: [],
      },
      SUITE,
      this.#exporter,
    );
  }
}

function helloIn(record: Bytes): [ClientOffer, Bytes] {
  const message = record.slice(HEADER_LENGTH);
  return [readClientOffer(decodeClientHello(message)), message];
}

/** The secret of the client's share and the trace's private key, whose public half must be in the ServerHello. */
function sharedSecret(trace: TraceName, { keyShares }: ClientOffer): Bytes {
  const hello = decodeServerHello(traceBytes(trace, "messageServerHello"));
  const data = findExtension(hello.extensions ?? [], EXTENSION.keyShare);
  const { group, keyExchange } = decodeKeyShareEntry(data!);
  const agreement = group === GROUP.p256
    ? nodeProvider.p256
    : nodeProvider.x25519;
  const privateKey = traceBytes(trace, "serverRngPool").slice(32, 64);
  assertEquals(agreement.publicKey(privateKey), keyExchange);
  const share = keyShares!.find((share) => share.group === group);
  assert(share);
  return agreement.sharedSecret(privateKey, share.keyExchange);
}

/** The messages between ServerHello and Finished. */
function flightOf(trace: TraceName): Bytes[] {
  const extensions = traceBytes(trace, "messageEncryptedExtensions");
  if (trace === "resumed") return [extensions];
  const request = trace === "clientAuthentication"
    ? [traceBytes(trace, "messageCertificateRequest")]
    : [];
  return [
    extensions,
    ...request,
    traceBytes(trace, "messageServerCertificate"),
    traceBytes(trace, "messageServerCertificateVerify"),
  ];
}
