import { type Bytes, concat } from "../core/bytes/mod.ts";
import type { CryptoProvider } from "../core/crypto/mod.ts";
import { ALERT, type AlertName, alertNameOf } from "./alert.ts";
import { asFatal, fatal, TlsError } from "./error.ts";
import { exportKeyingMaterial } from "./exporter.ts";
import { HandshakeReader } from "./handshake_reader.ts";
import { HANDSHAKE_TYPE } from "./messages/handshake_type.ts";
import { decodeKeyUpdate, encodeKeyUpdate } from "./messages/key_update.ts";
import { NuisanceBudget } from "./nuisance_budget.ts";
import {
  CONTENT_TYPE,
  type ContentType,
  FIRST_RECORD_VERSION,
} from "./record.ts";
import { RecordKeys } from "./record_keys.ts";
import { type OpenRecord, RecordOpener } from "./record_opener.ts";
import { RecordSealer } from "./record_sealer.ts";
import type { CipherSuite, Suite } from "./suite.ts";
import { Transcript } from "./transcript.ts";

/** What both sides agreed on. */
export interface Agreement {
  /** The application protocol (RFC 7301), or `undefined` if none was agreed on. */
  readonly alpn: string | undefined;
  /** The cipher suite. */
  readonly cipherSuite: CipherSuite;
  /** The group of the key exchange (IANA TLS Supported Groups). */
  readonly group: number;
  /** Whether a ticket of an earlier connection took the place of certificates. */
  readonly resumed: boolean;
  /** The peer's certificates as DER, its own first; of a resumed connection those of the first one. Empty if it sent none. */
  readonly peerCertificates: readonly Bytes[];
}

const CHANGE_CIPHER_SPEC = Uint8Array.of(1);
const ALERT_LEVEL = { warning: 1, fatal: 2 } as const;

/**
 * What client and server have in common, without IO: records, alerts, key updates and application data.
 *
 * Bytes of the peer go into {@link receive}; then {@link takeOutput} has what to send, in one write, and {@link takeData}
 * the application's bytes. When `receive` throws, the output holds the alert, keys are wiped, and the endpoint is over.
 */
export abstract class TlsEndpoint implements Disposable {
  /** The primitives. */
  protected readonly crypto: CryptoProvider;
  /** The handshake so far. */
  protected readonly transcript: Transcript;
  /** `legacy_record_version` of our unprotected records. */
  protected recordVersion: number = FIRST_RECORD_VERSION;
  /** Whether change_cipher_spec records are dropped now; else they end the connection (RFC 8446 §5). */
  protected dropsChangeCipherSpec = false;
  /** Opens the peer's records. */
  protected readonly opener: RecordOpener = new RecordOpener();
  /** Makes our records. */
  protected readonly sealer: RecordSealer = new RecordSealer();
  /** What the peer may still do that moves nothing. */
  protected readonly nuisances: NuisanceBudget = new NuisanceBudget();
  readonly #reader = new HandshakeReader();
  #output: Bytes[] = [];
  #data: Uint8Array[] = [];
  #suite: Suite | undefined;
  #exporterSecret: Bytes | undefined;
  #agreement: Agreement | undefined;
  #judged: readonly Bytes[] | undefined;
  #error: TlsError | undefined;
  #isPeerClosed = false;
  #isCloseSent = false;
  #isAnswerQueued = false;
  /** Whether we have asked for the peer's next key and sent no data since. */
  #isUpdateRequested = false;
  #isChangeCipherSpecDue = false;

  /** Starts before the first message. */
  constructor(crypto: CryptoProvider) {
    this.crypto = crypto;
    this.transcript = new Transcript(crypto);
  }

  /** What was agreed on, once the handshake is over; until then `undefined`. */
  get agreement(): Agreement | undefined {
    return this.#agreement;
  }

  /** Certificates that wait for {@link accept} or {@link reject}; nothing further is read until then. */
  get certificatesToJudge(): readonly Bytes[] | undefined {
    return this.#judged;
  }

  /** Whether the peer has sent close_notify: it sends no more, and what still comes is ignored. */
  get isPeerClosed(): boolean {
    return this.#isPeerClosed;
  }

  /**
   * Takes bytes of the peer, however cut. They are overwritten with what they hold, and may change again once nobody uses
   * the data of {@link takeData} any more.
   *
   * @throws {TlsError} `sent_alert` if they break the protocol, `received_alert` if they hold a fatal alert; and the same
   * error ever after.
   * @throws {TypeError} While certificates wait to be judged, as nothing would bound what is kept.
   */
  receive(bytes: Uint8Array): void {
    if (this.#error) throw this.#error;
    if (this.#isPeerClosed) return;
    if (this.#judged) throw new TypeError("Certificates wait to be judged");
    this.opener.feed(bytes);
    this.#advance();
  }

  /**
   * The transport has ended.
   *
   * @throws {TlsError} `truncated` unless the peer has sent close_notify (RFC 8446 §6.1).
   */
  receiveEnd(): void {
    if (this.#error) throw this.#error;
    if (this.#isPeerClosed) return;
    const message = "Connection ended without close_notify";
    throw this.#end(new TlsError("truncated", undefined, message));
  }

  /** Trusts the certificates and goes on. Throws as {@link receive} does. */
  accept(): void {
    if (!this.#judged) throw new TypeError("No certificates to judge");
    this.#judged = undefined;
    try {
      this.certificatesAccepted();
    } catch (error) {
      throw this.#end(asFatal(error));
    }
    this.#advance();
  }

  /** Ends the connection with the alert of `error`, `certificate_unknown` if it has none; the output holds it. */
  reject(error: unknown): TlsError {
    return this.#end(
      error instanceof TlsError ? error : fatal(
        "certificateUnknown",
        "Certificates are not trusted",
        { cause: error },
      ),
    );
  }

  /** Whether there is something to send. */
  get hasOutput(): boolean {
    return this.#output.length > 0;
  }

  /** What to send now, to be written at once and in order; empty if nothing. */
  takeOutput(): Bytes {
    const output = this.#output;
    this.#output = [];
    this.#isAnswerQueued = false;
    return output.length === 1 ? output[0]! : concat(...output);
  }

  /** The application's bytes that have come, in order. */
  takeData(): Uint8Array[] {
    const data = this.#data;
    this.#data = [];
    return data;
  }

  /**
   * Sends the application's bytes, in records of up to 2^14, a KeyUpdate before them if the suite's limit is near.
   *
   * @throws {TypeError} Before the handshake is over, or after {@link closeNotify}.
   * @throws {TlsError} The error that ended the connection.
   */
  send(bytes: Uint8Array): void {
    this.#checkOpen();
    if (bytes.length === 0) return;
    if (this.sealer.updateDue(bytes.length)) this.#sendKeyUpdate(false);
    this.#isUpdateRequested = false;
    this.#push(CONTENT_TYPE.applicationData, bytes);
  }

  /**
   * Changes our key, and asks the peer to change its own if `isRequested` (RFC 8446 §4.6.3). Does nothing if it has asked
   * and no data was sent since: a peer may take many updates without data for an attack. Throws as {@link send} does.
   */
  updateKeys(isRequested: boolean): void {
    this.#checkOpen();
    if (this.#isUpdateRequested) return;
    this.#isUpdateRequested = isRequested;
    this.#sendKeyUpdate(isRequested);
  }

  /** Ends our side; reading goes on (RFC 8446 §6.1). May be called again. */
  closeNotify(): void {
    if (this.#error || this.#isCloseSent) return;
    this.#isCloseSent = true;
    this.#sendAlert("closeNotify");
  }

  /**
   * Keying material that only the two ends have (RFC 8446 §7.5); no context is the same as an empty one.
   *
   * @throws {TypeError} Before the handshake is over, or after the end.
   * @throws {RangeError} If `label` is not 1 to 249 ASCII characters, or `length` above 255 times the hash length.
   */
  exportKeyingMaterial(
    label: string,
    length: number,
    context?: Uint8Array,
  ): Bytes {
    const secret = this.#exporterSecret;
    if (!this.#agreement || !secret) {
      throw new TypeError(
        "Cannot export before the handshake or after the end",
      );
    }
    const suite = this.#suite!;
    return exportKeyingMaterial(
      this.crypto,
      suite,
      secret,
      label,
      length,
      context,
    );
  }

  /** Wipes every key; further use throws. */
  [Symbol.dispose](): void {
    this.#error ??= new TlsError("truncated", undefined, "Connection is over");
    this.#wipe();
  }

  /** Takes the next handshake message, header included; adding it to the transcript is up to this method. */
  protected abstract handshakeMessage(type: number, message: Bytes): void;
  /** Goes on after {@link accept}. */
  protected abstract certificatesAccepted(): void;
  /** Wipes the handshake's secrets; may be called again. */
  protected abstract wipeHandshake(): void;

  /** Stops reading until the owner has judged `chain`. */
  protected judge(chain: readonly Bytes[]): void {
    this.#judged = chain;
  }

  /** Adds `messages` to the transcript, and sends them together, in as few records as hold them. */
  protected sendHandshake(...messages: readonly Uint8Array[]): void {
    for (const message of messages) this.transcript.add(message);
    this.#push(CONTENT_TYPE.handshake, concat(...messages));
  }

  /** Sends `message` after the handshake, outside of the transcript. */
  protected sendPostHandshake(message: Uint8Array): void {
    this.#push(CONTENT_TYPE.handshake, message);
  }

  /** Sends a change_cipher_spec, for middleboxes (RFC 8446 §D.4). */
  protected sendChangeCipherSpec(): void {
    this.#push(CONTENT_TYPE.changeCipherSpec, CHANGE_CIPHER_SPEC);
  }

  /** Sends a change_cipher_spec before whatever is sent next. */
  protected queueChangeCipherSpec(): void {
    this.#isChangeCipherSpecDue = true;
  }

  /**
   * Fails if bytes follow the last message in its record.
   *
   * @throws {TlsError} `unexpected_message` (RFC 8446 §5.1).
   */
  protected checkBoundary(): void {
    if (!this.#reader.isEmpty) {
      throw fatal("unexpectedMessage", "Handshake message is interrupted");
    }
  }

  /**
   * Expects what follows under the keys of `secret`, which it takes over.
   *
   * @throws {TlsError} `unexpected_message` if a handshake message goes on behind the one that changes keys (RFC 8446 §5.1).
   */
  protected useReadKeys(suite: Suite, secret: Bytes): void {
    const keys = new RecordKeys(this.crypto, suite, secret);
    this.opener.useKeys(keys); // before the check, as a failure wipes what is there
    this.checkBoundary();
  }

  /** Protects what follows under the keys of `secret`, which it takes over. */
  protected useWriteKeys(suite: Suite, secret: Bytes): void {
    this.sealer.useKeys(new RecordKeys(this.crypto, suite, secret));
  }

  /** Ends the handshake: from now on application data passes, and {@link handshakeMessage} gets what comes after it. */
  protected establish(
    agreement: Agreement,
    suite: Suite,
    exporterSecret: Bytes,
  ): void {
    this.#agreement = agreement;
    this.#suite = suite;
    this.#exporterSecret = exporterSecret;
    this.dropsChangeCipherSpec = false;
    this.wipeHandshake();
  }

  #advance(): void {
    try {
      while (!this.#judged && !this.#isPeerClosed) {
        const message = this.#reader.next();
        if (message) {
          this.#takeMessage(message);
          continue;
        }
        const record = this.opener.next();
        if (!record) return;
        this.#takeRecord(record);
      }
      if (this.#judged) this.opener.keep();
    } catch (error) {
      throw this.#end(asFatal(error));
    }
  }

  #takeRecord(record: OpenRecord): void {
    const { type, content } = record;
    switch (type) {
      case CONTENT_TYPE.changeCipherSpec:
        return this.#takeChangeCipherSpec(content);
      case CONTENT_TYPE.handshake:
        return this.#reader.push(content);
      case CONTENT_TYPE.alert:
        this.checkBoundary();
        return this.#takeAlert(content);
      case CONTENT_TYPE.applicationData:
        this.checkBoundary();
        return this.#takeApplicationData(content);
    }
  }

  #takeChangeCipherSpec(content: Uint8Array): void {
    if (
      !this.dropsChangeCipherSpec || content.length !== 1 || content[0] !== 1
    ) {
      throw fatal("unexpectedMessage", "Unexpected change_cipher_spec"); // §5
    }
    this.nuisances.spend("changeCipherSpec");
  }

  #takeApplicationData(content: Uint8Array): void {
    if (!this.#agreement) {
      throw fatal("unexpectedMessage", "Application data in the handshake");
    }
    if (content.length === 0) return this.nuisances.spend("emptyRecord");
    this.#data.push(content);
    this.nuisances.renew();
  }

  /** RFC 8446 §6: but for close_notify and user_canceled every alert is fatal, whatever its level. */
  #takeAlert(content: Uint8Array): void {
    if (content.length === 0) {
      throw fatal("unexpectedMessage", "Empty alert"); // §5.4
    }
    if (content.length !== 2) {
      throw fatal("decodeError", `Alert of ${content.length} bytes`);
    }
    const description = content[1]!;
    if (description === ALERT.closeNotify && this.#agreement) {
      this.#isPeerClosed = true;
      return;
    }
    if (description === ALERT.userCanceled) {
      return this.nuisances.spend("warning");
    }
    throw new TlsError(
      "received_alert",
      alertNameOf(description),
      `Peer sent alert ${description}`,
    );
  }

  #takeMessage(message: Bytes): void {
    const type = message[0]!;
    if (type === HANDSHAKE_TYPE.keyUpdate && this.#agreement) {
      this.#takeKeyUpdate(message);
    } else {
      this.handshakeMessage(type, message);
    }
  }

  #takeKeyUpdate(message: Bytes): void {
    const isRequested = decodeKeyUpdate(message);
    this.checkBoundary();
    this.nuisances.spend("keyUpdate");
    this.opener.updateKeys();
    if (isRequested && !this.#isAnswerQueued && !this.#isCloseSent) {
      this.#sendKeyUpdate(false);
      this.#isAnswerQueued = true; // one answers all that come before it is sent (RFC 8446 §4.6.3)
    }
  }

  #sendKeyUpdate(isRequested: boolean): void {
    this.#push(CONTENT_TYPE.handshake, encodeKeyUpdate(isRequested));
    this.sealer.updateKeys();
  }

  #checkOpen(): void {
    if (this.#error) throw this.#error;
    if (!this.#agreement || this.#isCloseSent) {
      throw new TypeError("Cannot send before the handshake or after the end");
    }
  }

  #sendAlert(name: AlertName): void {
    const level = name === "closeNotify" || name === "userCanceled"
      ? ALERT_LEVEL.warning
      : ALERT_LEVEL.fatal;
    this.#push(CONTENT_TYPE.alert, Uint8Array.of(level, ALERT[name]));
  }

  #push(type: ContentType, content: Uint8Array): void {
    if (this.#isChangeCipherSpecDue) {
      this.#isChangeCipherSpecDue = false;
      this.sendChangeCipherSpec();
    }
    this.#output.push(this.sealer.seal(type, content, this.recordVersion));
  }

  #end(error: TlsError): TlsError {
    if (this.#error) return this.#error;
    if (error.code === "sent_alert" && error.alert && !this.#isCloseSent) {
      this.#sendAlert(error.alert);
    }
    this.#error = error;
    this.#wipe();
    return error;
  }

  #wipe(): void {
    this.#judged = undefined;
    this.#exporterSecret?.fill(0);
    this.#exporterSecret = undefined;
    this.opener[Symbol.dispose]();
    this.sealer[Symbol.dispose]();
    this.wipeHandshake();
  }
}
