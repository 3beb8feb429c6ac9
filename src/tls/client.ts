import { type Bytes, concat, equal } from "../core/bytes/mod.ts";
import { verifySignature } from "../core/crypto/mod.ts";
import { decodeX509 } from "./certificates/x509_certificate.ts";
import { checkCertificateRequest } from "./certificate_request_check.ts";
import { ClientTickets } from "./client_tickets.ts";
import { checkEncryptedExtensions } from "./encrypted_extensions_check.ts";
import { TlsEndpoint } from "./endpoint.ts";
import { fatal } from "./error.ts";
import { HelloExchange, type HelloExchangeInit } from "./hello_exchange.ts";
import { finishedMac, type KeySchedule } from "./key_schedule.ts";
import { encodeCertificate } from "./messages/certificate.ts";
import {
  decodeEncryptedExtensions,
  encodeEncryptedExtensions,
} from "./messages/encrypted_extensions.ts";
import { decodeFinished, encodeFinished } from "./messages/finished.ts";
import { HANDSHAKE_TYPE } from "./messages/handshake_type.ts";
import { MAX_TICKET_LIFETIME_S } from "./messages/new_session_ticket.ts";
import { RECORD_VERSION } from "./record.ts";
import { contentLimit } from "./record_size_limit.ts";
import {
  checkServerSignature,
  readServerChain,
} from "./server_certificate_check.ts";
import type { Session } from "./session_cache.ts";
import type { Suite } from "./suite.ts";

/** What a {@link TlsClient} starts from. */
export interface TlsClientOptions extends HelloExchangeInit {
  /** Verifies the server's CertificateVerify, default {@link verifySignature}; traces have shorter keys than that takes. */
  readonly verifySignature?: typeof verifySignature;
}

/** Which message is due. */
type State =
  | "serverHello"
  | "encryptedExtensions"
  | "certificateRequest" // or certificate
  | "certificate"
  | "certificateVerify"
  | "finished"
  | "judging" // none
  | "open";

/** The secrets of a handshake that has a suite. */
interface Handshake {
  readonly suite: Suite;
  readonly schedule: KeySchedule;
  readonly group: number;
  readonly isResumed: boolean;
  readonly clientSecret: Bytes;
  readonly serverSecret: Bytes;
}

/** What the server's Finished leaves to do. */
interface Application {
  readonly clientSecret: Bytes;
  readonly exporterSecret: Bytes;
}

const NO_DATA = new Uint8Array(0);

/**
 * The client's side of TLS 1.3 (RFC 8446), without IO.
 *
 * The first hello is in the output from the start. When the server has proved that it holds its certificate's key and knows
 * the secrets, {@link TlsClient.certificatesToJudge} has the chain, and `accept` sends what ends the handshake; a resumed
 * connection has none to judge. Early data is never sent, and an older version never taken.
 */
export class TlsClient extends TlsEndpoint {
  readonly #hellos: HelloExchange;
  readonly #session: Session | undefined;
  readonly #startedAtMs: number;
  readonly #verifySignature: typeof verifySignature;
  #state: State = "serverHello";
  #isChangeCipherSpecQueued = false;
  #handshake: Handshake | undefined;
  #application: Application | undefined;
  #tickets: ClientTickets | undefined;
  #alpn: string | undefined;
  #applicationSettings: number | undefined;
  #requestContext: Uint8Array | undefined;
  #chain: readonly Bytes[] = [];

  /** Draws the first hello. */
  constructor(options: TlsClientOptions) {
    super(options.crypto);
    this.#hellos = new HelloExchange(options);
    this.#session = options.session;
    this.#startedAtMs = options.nowMs;
    this.#verifySignature = options.verifySignature ?? verifySignature;
    this.dropsChangeCipherSpec = true;
    this.sendHandshake(this.#hellos.hello(this.transcript));
    this.recordVersion = RECORD_VERSION;
  }

  /** The sessions that the server's tickets have given since the last call, each good for one later connection. */
  takeSessions(nowMs: number): Session[] {
    return this.#tickets?.take(nowMs) ?? [];
  }

  /** Lengths in bytes of the tickets that came, of the first 16. */
  get ticketLengths(): readonly number[] {
    return this.#tickets?.lengths ?? [];
  }

  protected override handshakeMessage(type: number, message: Bytes): void {
    switch (this.#state) {
      case "serverHello":
        if (type !== HANDSHAKE_TYPE.serverHello) break;
        return this.#takeServerHello(message);
      case "encryptedExtensions":
        if (type !== HANDSHAKE_TYPE.encryptedExtensions) break;
        return this.#takeEncryptedExtensions(message);
      case "certificateRequest":
      case "certificate":
        if (
          type === HANDSHAKE_TYPE.certificateRequest &&
          this.#state === "certificateRequest"
        ) return this.#takeCertificateRequest(message);
        if (
          type !== HANDSHAKE_TYPE.certificate &&
          type !== HANDSHAKE_TYPE.compressedCertificate
        ) break;
        return this.#takeCertificate(message);
      case "certificateVerify":
        if (type !== HANDSHAKE_TYPE.certificateVerify) break;
        return this.#takeCertificateVerify(message);
      case "finished":
        if (type !== HANDSHAKE_TYPE.finished) break;
        return this.#takeFinished(message);
      case "open":
        if (type !== HANDSHAKE_TYPE.newSessionTicket) break;
        this.nuisances.spend("ticket");
        return this.#tickets!.add(message);
      case "judging":
    }
    throw fatal("unexpectedMessage", `Unexpected handshake message ${type}`); // §4
  }

  protected override certificatesAccepted(): void {
    this.#finish();
  }

  protected override wipeHandshake(): void {
    this.#hellos[Symbol.dispose]();
    this.#handshake?.schedule[Symbol.dispose]();
    this.#handshake?.clientSecret.fill(0);
    this.#handshake?.serverSecret.fill(0);
    if (!this.agreement) {
      this.#application?.clientSecret.fill(0);
      this.#application?.exporterSecret.fill(0);
    }
    this.#tickets?.[Symbol.dispose]();
  }

  #takeServerHello(message: Bytes): void {
    const result = this.#hellos.take(message, this.transcript);
    this.#queueChangeCipherSpecOnce();
    if (!result) {
      this.sendHandshake(this.#hellos.hello(this.transcript));
      return;
    }
    const { suite, schedule } = result;
    const hash = this.transcript.hash(suite);
    const serverSecret = schedule.serverHandshake(hash);
    const clientSecret = schedule.clientHandshake(hash);
    this.#handshake = { ...result, clientSecret, serverSecret };
    this.useReadKeys(suite, serverSecret.slice());
    this.useWriteKeys(suite, clientSecret.slice());
    this.#state = "encryptedExtensions";
  }

  #takeEncryptedExtensions(message: Bytes): void {
    const { offered, offeredExtensions } = this.#hellos;
    const settings = checkEncryptedExtensions(
      decodeEncryptedExtensions(message),
      offered,
      offeredExtensions,
    );
    this.#alpn = settings.alpn;
    this.#applicationSettings = settings.applicationSettings;
    if (settings.recordSizeLimit !== undefined) {
      this.sealer.limitContent(contentLimit(settings.recordSizeLimit));
    }
    this.transcript.add(message);
    this.#state = this.#handshake!.isResumed
      ? "finished"
      : "certificateRequest";
  }

  #takeCertificateRequest(message: Bytes): void {
    this.#requestContext = checkCertificateRequest(message);
    this.transcript.add(message);
    this.#state = "certificate";
  }

  #takeCertificate(message: Bytes): void {
    const { offered, offeredExtensions } = this.#hellos;
    this.#chain = readServerChain(message, offered, offeredExtensions);
    this.transcript.add(message);
    this.#state = "certificateVerify";
  }

  #takeCertificateVerify(message: Bytes): void {
    checkServerSignature(
      message,
      this.#chain[0]!,
      this.transcript.hash(this.#handshake!.suite),
      this.#hellos.offered,
      this.#verifySignature,
    );
    this.transcript.add(message);
    this.#state = "finished";
  }

  #takeFinished(message: Bytes): void {
    const { suite, schedule, serverSecret, isResumed } = this.#handshake!;
    const verifyData = decodeFinished(message, suite.hashLength);
    const hash = this.transcript.hash(suite);
    const expected = finishedMac(this.crypto, suite, serverSecret, hash);
    serverSecret.fill(0);
    if (!equal(expected, verifyData)) {
      throw fatal("decryptError", "Finished does not verify"); // §4.4.4
    }
    this.transcript.add(message);
    schedule.finish();
    const finishedHash = this.transcript.hash(suite);
    this.#application = {
      clientSecret: schedule.clientApplication(finishedHash),
      exporterSecret: schedule.exporter(finishedHash),
    };
    this.useReadKeys(suite, schedule.serverApplication(finishedHash));
    if (isResumed) return this.#finish();
    this.#state = "judging";
    this.judge(this.#chain);
  }

  /** Our last flight (RFC 8446 §4.4), as BoringSSL packs it: its messages share a record. */
  #finish(): void {
    const { suite, schedule, group, isResumed, clientSecret } = this
      .#handshake!;
    const { clientSecret: applicationSecret, exporterSecret } = this
      .#application!;
    const messages = this.#answers();
    const hash = this.transcript.hashWith(suite, concat(...messages));
    const verifyData = finishedMac(this.crypto, suite, clientSecret, hash);
    this.sendHandshake(...messages, encodeFinished(verifyData));
    this.useWriteKeys(suite, applicationSecret);
    const secret = schedule.resumption(this.transcript.hash(suite));
    this.transcript.clear();
    const peerCertificates = isResumed
      ? this.#session!.peerCertificates
      : this.#chain;
    const { crypto } = this;
    this.establish(
      {
        alpn: this.#alpn,
        cipherSuite: suite.id,
        group,
        resumed: isResumed,
        peerCertificates,
      },
      suite,
      exporterSecret,
    );
    this.#tickets = new ClientTickets({
      crypto,
      suite,
      secret,
      peerCertificates,
      trustedUntilMs: isResumed
        ? this.#session!.trustedUntilMs
        : trustEnd(peerCertificates, this.#startedAtMs),
    });
    this.#state = "open";
  }

  /** What goes before Finished: our application settings, which are empty as Chrome's, and no certificate if one is asked for. */
  #answers(): Bytes[] {
    const answers: Bytes[] = [];
    const type = this.#applicationSettings;
    if (type !== undefined) {
      answers.push(encodeEncryptedExtensions([{ type, data: NO_DATA }]));
    }
    if (this.#requestContext) {
      const context = this.#requestContext;
      answers.push(encodeCertificate({ context, entries: [] }));
    }
    return answers;
  }

  /** RFC 8446 §D.4: before our second flight, if the hello has a session id. */
  #queueChangeCipherSpecOnce(): void {
    const { sessionId } = this.#hellos.offered.hello;
    if (this.#isChangeCipherSpecQueued || sessionId.length === 0) return;
    this.#isChangeCipherSpecQueued = true;
    this.queueChangeCipherSpec();
  }
}

/** When certificates judged at `nowMs` have to be judged again: after the longest life of a ticket, or at the end of theirs. */
function trustEnd([certificate]: readonly Bytes[], nowMs: number): number {
  const { notAfterMs } = decodeX509(certificate!);
  return Math.min(nowMs + 1_000 * MAX_TICKET_LIFETIME_S, notAfterMs);
}
