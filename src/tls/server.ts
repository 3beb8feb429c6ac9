import { type Bytes, equal } from "../core/bytes/mod.ts";
import { decodeClientHello } from "../utls/mod.ts";
import { checkClientOffer, checkRetriedOffer } from "./client_hello_check.ts";
import { type ClientOffer, readClientOffer } from "./client_offer.ts";
import {
  checkClientVerify,
  readClientChain,
  readClientSettings,
} from "./client_proof.ts";
import { TlsEndpoint } from "./endpoint.ts";
import { fatal } from "./error.ts";
import { finishedMac, KeySchedule } from "./key_schedule.ts";
import {
  encodeCertificateVerify,
  signedContent,
} from "./messages/certificate_verify.ts";
import { BROTLI } from "./messages/compressed_certificate.ts";
import { decodeFinished, encodeFinished } from "./messages/finished.ts";
import { HANDSHAKE_TYPE } from "./messages/handshake_type.ts";
import { negotiate, type ServerChoice, serverNameHash } from "./negotiate.ts";
import {
  FIRST_RECORD_VERSION,
  MAX_PROTECTED_LENGTH,
  RECORD_VERSION,
} from "./record.ts";
import { contentLimit } from "./record_size_limit.ts";
import { answerKeyShare, type ServerGroup } from "./server_key_share.ts";
import {
  type ApplicationSettings,
  certificateMessage,
  certificateRequest,
  encryptedExtensions,
  helloRetryRequest,
  serverHello,
} from "./server_messages.ts";
import {
  preferencesOf,
  settingsFor,
  type TlsServerOptions,
} from "./server_options.ts";
import { issueTickets } from "./ticket_issue.ts";

/** The message that must come next, by its handshake type; a client sends nothing but KeyUpdate after its Finished. */
type Expected =
  | "clientHello"
  | "encryptedExtensions"
  | "certificate"
  | "certificateVerify"
  | "finished";

/** A first hello that was answered with a HelloRetryRequest. */
interface Retry {
  readonly offer: ClientOffer;
  readonly group: ServerGroup;
  readonly cookie: Bytes | undefined;
}

/** What was chosen, and the secrets until the client's Finished. */
interface Pending extends ServerChoice {
  readonly offer: ClientOffer;
  readonly settings: ApplicationSettings | undefined;
  readonly clientApplication: Bytes;
  readonly exporter: Bytes;
}

const MAX_EARLY_DATA_BYTES = 4 * MAX_PROTECTED_LENGTH;
/**
 * The server's side of a connection, without IO (RFC 8446 §2); see {@link TlsEndpoint} for how to drive it.
 *
 * Where the RFC leaves a choice it looks like OpenSSL: plaintext alerts in records of version 0x0303, a record for each
 * message of the first flight, two tickets of nginx's length in one write. Early data is never taken; up to 66,560
 * bytes of it are skipped.
 */
export class TlsServer extends TlsEndpoint {
  readonly #options: TlsServerOptions;
  #expected: Expected | undefined = "clientHello";
  #retry: Retry | undefined;
  #schedule: KeySchedule | undefined;
  #clientHandshake: Bytes | undefined;
  #pending: Pending | undefined;
  #chain: readonly Bytes[] = [];
  #clientSettings: Bytes | undefined;

  /** Waits for a ClientHello. */
  constructor(options: TlsServerOptions) {
    super(options.crypto);
    this.#options = options;
    this.recordVersion = RECORD_VERSION;
  }

  /** What the client says of itself in answer to our application settings; `undefined` if nothing. */
  get clientApplicationSettings(): Bytes | undefined {
    return this.#clientSettings;
  }

  protected handshakeMessage(type: number, message: Bytes): void {
    if (!this.#expected || type !== HANDSHAKE_TYPE[this.#expected]) {
      throw fatal("unexpectedMessage", `Handshake message of type ${type}`);
    }
    switch (this.#expected) {
      case "clientHello":
        return this.#takeHello(message);
      case "encryptedExtensions":
        return this.#takeExtensions(message);
      case "certificate":
        return this.#takeCertificate(message);
      case "certificateVerify":
        return this.#takeVerify(message);
      case "finished":
        return this.#takeFinished(message);
    }
  }

  protected certificatesAccepted(): void {
    this.#expected = "finished";
  }

  protected wipeHandshake(): void {
    this.#schedule?.[Symbol.dispose]();
    this.#clientHandshake?.fill(0);
    if (!this.agreement) {
      this.#pending?.clientApplication.fill(0);
      this.#pending?.exporter.fill(0);
    }
    this.#pending = this.#retry = undefined;
    this.transcript.clear();
  }

  #takeHello(message: Bytes): void {
    const hello = decodeClientHello(message);
    // An alert about an older version is in that version's record, as OpenSSL has it.
    const { legacyVersion } = hello;
    if (legacyVersion >= FIRST_RECORD_VERSION) {
      this.recordVersion = Math.min(legacyVersion, RECORD_VERSION);
    }
    const offer = readClientOffer(hello);
    const retry = this.#retry;
    if (retry) checkRetriedOffer(retry.offer, offer, retry);
    else checkClientOffer(offer);
    this.recordVersion = RECORD_VERSION;
    this.checkBoundary(); // before the answer, as OpenSSL
    const choice = negotiate(offer, preferencesOf(this.#options), this.crypto);
    this.dropsChangeCipherSpec = true;
    if (choice.keyExchange) {
      this.#answer(message, offer, choice, choice.keyExchange);
    } else this.#askAgain(message, offer, choice);
  }

  #askAgain(message: Bytes, offer: ClientOffer, choice: ServerChoice): void {
    const { sendsCookie = false } = this.#options;
    const cookie = sendsCookie ? this.crypto.random(32) : undefined;
    this.#retry = { offer, group: choice.group, cookie };
    this.transcript.add(message);
    this.transcript.replaceWithHash(choice.suite);
    this.sendHandshake(helloRetryRequest(offer, choice, cookie));
    this.sendChangeCipherSpec();
    if (offer.earlyData) this.opener.skipEarlyData(MAX_EARLY_DATA_BYTES);
  }

  /** Everything from ServerHello to our Finished. */
  #answer(
    message: Bytes,
    offer: ClientOffer,
    choice: ServerChoice,
    clientShare: Uint8Array,
  ): void {
    const { crypto, transcript } = this;
    const { suite, group, psk } = choice;
    const schedule = new KeySchedule(crypto, suite, psk?.state.psk);
    this.#schedule = schedule;
    psk?.state.psk.fill(0);
    if (psk) this.#checkBinder(message, offer, choice, schedule);
    transcript.add(message);
    const share = answerKeyShare(crypto, group, clientShare);
    schedule.mixSharedSecret(share.sharedSecret);
    share.sharedSecret.fill(0);
    const random = crypto.random(32);
    this.sendHandshake(serverHello(offer, choice, random, share.keyExchange));
    if (!this.#retry) this.sendChangeCipherSpec(); // RFC 8446 §D.4; OpenSSL does it without a session ID too
    const hash = transcript.hash(suite);
    const serverHandshake = schedule.serverHandshake(hash);
    this.#clientHandshake = schedule.clientHandshake(hash);
    this.useReadKeys(suite, this.#clientHandshake.slice());
    this.useWriteKeys(suite, serverHandshake);
    this.#adjustRecords(offer);
    const settings = settingsFor(offer, choice, this.#options);
    this.sendHandshake(encryptedExtensions(offer, choice, settings));
    if (!psk) this.#proveIdentity(offer, choice);
    const finished = transcript.hash(suite);
    const mac = finishedMac(crypto, suite, serverHandshake, finished);
    this.sendHandshake(encodeFinished(mac));
    schedule.finish();
    const secrets = transcript.hash(suite);
    this.useWriteKeys(suite, schedule.serverApplication(secrets));
    this.#pending = {
      ...choice,
      offer,
      settings,
      clientApplication: schedule.clientApplication(secrets),
      exporter: schedule.exporter(secrets),
    };
    this.#expected = settings ? "encryptedExtensions" : this.#expectedProof();
  }

  /** RFC 8446 §4.2.11.2. */
  #checkBinder(
    message: Bytes,
    { psks }: ClientOffer,
    { suite, psk }: ServerChoice,
    schedule: KeySchedule,
  ): void {
    const { binders, bindersLength } = psks!;
    const truncated = message.subarray(0, message.length - bindersLength);
    const hash = this.transcript.hashWith(suite, truncated);
    const key = schedule.binderKey("resumption");
    const binder = finishedMac(this.crypto, suite, key, hash);
    key.fill(0);
    if (!equal(binder, binders[psk!.index]!)) {
      throw fatal("decryptError", "Binder does not verify");
    }
  }

  #adjustRecords({ earlyData, recordSizeLimit }: ClientOffer): void {
    this.opener.skipEarlyData(earlyData ? MAX_EARLY_DATA_BYTES : 0);
    if (recordSizeLimit !== undefined) {
      this.sealer.limitContent(contentLimit(recordSizeLimit));
    }
  }

  #proveIdentity(
    { certificateCompressions }: ClientOffer,
    { suite, certificate: chosen }: ServerChoice,
  ): void {
    const { certificate, scheme } = chosen!;
    const { clientCertificates, compressesCertificates = true } = this.#options;
    if (clientCertificates) this.sendHandshake(certificateRequest());
    const isCompressed = compressesCertificates &&
      certificateCompressions.includes(BROTLI);
    this.sendHandshake(certificateMessage(certificate, isCompressed));
    const content = signedContent("server", this.transcript.hash(suite));
    const signature = certificate.key.sign(scheme, content);
    this.sendHandshake(encodeCertificateVerify({ scheme, signature }));
  }

  #expectedProof(): Expected {
    const { clientCertificates } = this.#options;
    return clientCertificates ? "certificate" : "finished";
  }

  #takeExtensions(message: Bytes): void {
    const { type } = this.#pending!.settings!;
    this.#clientSettings = readClientSettings(message, type);
    this.transcript.add(message);
    this.#expected = this.#expectedProof();
  }

  #takeCertificate(message: Bytes): void {
    this.#chain = readClientChain(message);
    const isEmpty = this.#chain.length === 0;
    if (isEmpty && this.#options.clientCertificates === "require") {
      throw fatal("certificateRequired", "Want a certificate of the client");
    }
    this.transcript.add(message);
    this.#expected = isEmpty ? "finished" : "certificateVerify";
  }

  #takeVerify(message: Bytes): void {
    const hash = this.transcript.hash(this.#pending!.suite);
    checkClientVerify(message, this.#chain, hash);
    this.transcript.add(message);
    this.judge(this.#chain);
  }

  #takeFinished(message: Bytes): void {
    const pending = this.#pending!;
    const { suite, clientApplication } = pending;
    const hash = this.transcript.hash(suite);
    const mac = finishedMac(this.crypto, suite, this.#clientHandshake!, hash);
    if (!equal(mac, decodeFinished(message, suite.hashLength))) {
      throw fatal("decryptError", "Finished does not verify");
    }
    this.transcript.add(message);
    this.useReadKeys(suite, clientApplication);
    this.#expected = undefined;
    const tickets = this.#tickets(pending);
    this.establish(
      {
        alpn: pending.alpn,
        cipherSuite: suite.id,
        group: pending.group,
        resumed: pending.psk !== undefined,
        peerCertificates: this.#chain,
      },
      suite,
      pending.exporter,
    );
    for (const ticket of tickets) this.sendPostHandshake(ticket);
  }

  #tickets({ suite, offer, alpn, psk }: Pending): Bytes[] {
    const { crypto, tickets: keys, ticketCount = 2 } = this.#options;
    const { clientCertificates, wallTime } = this.#options;
    const { pskModes, serverName } = offer;
    const wallTimeMs = wallTime();
    if (!keys || clientCertificates || !pskModes) return [];
    const secret = this.#schedule!.resumption(this.transcript.hash(suite));
    const issue = {
      crypto,
      keys,
      suite,
      serverNameHash: serverNameHash(crypto, serverName),
      serverName,
      alpn,
      wallTimeMs,
      firstHandshakeAtMs: psk?.state.firstHandshakeAtMs ?? wallTimeMs,
    };
    const count = psk ? Math.min(1, ticketCount) : ticketCount;
    const tickets = issueTickets(issue, secret, count);
    secret.fill(0);
    return tickets;
  }
}
