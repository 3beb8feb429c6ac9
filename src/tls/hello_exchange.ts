import { type Bytes, Reader } from "../core/bytes/mod.ts";
import type { CryptoProvider } from "../core/crypto/mod.ts";
import {
  decodeServerHello,
  EXTENSION,
  GROUP,
  type Group,
  isGrease,
  isHelloRetryRequest,
  type Offer,
  type OfferedPsk,
  type ServerHello,
} from "../utls/mod.ts";
import { type ClientOffer, readClientOffer } from "./client_offer.ts";
import { fatal } from "./error.ts";
import { finishedMac, KeySchedule } from "./key_schedule.ts";
import { findExtension } from "./messages/extensions.ts";
import { decodeKeyShareEntry } from "./messages/key_share_entry.ts";
import type { OfferChange, OfferMaker } from "./offer_maker.ts";
import { checkServerHello } from "./server_hello_check.ts";
import type { Session } from "./session_cache.ts";
import { type Suite, suiteOf } from "./suite.ts";
import type { Transcript } from "./transcript.ts";

/** What a {@link HelloExchange} starts from. */
export interface HelloExchangeInit {
  /** The primitives. */
  readonly crypto: CryptoProvider;
  /** Makes the hellos. */
  readonly offers: OfferMaker;
  /** The session to resume; its key is wiped with the exchange. */
  readonly session?: Session;
  /** The time, in milliseconds since 1970. */
  readonly nowMs: number;
}

/** What follows from the hellos. */
export interface HelloResult {
  /** The suite. */
  readonly suite: Suite;
  /** At its handshake stage; the receiver disposes it. */
  readonly schedule: KeySchedule;
  /** The group of the key exchange. */
  readonly group: number;
  /** Whether the session's key is in use. */
  readonly isResumed: boolean;
}

/** The client's hellos and the server's answers, up to the shared secret (RFC 8446 §4.1). */
export class HelloExchange implements Disposable {
  readonly #crypto: CryptoProvider;
  readonly #offers: OfferMaker;
  readonly #session: Session | undefined;
  readonly #psk: OfferedPsk | undefined;
  #offer: Offer;
  #offered: ClientOffer;
  #retrySuite: Suite | undefined;

  /** Draws the first hello. */
  constructor({ crypto, offers, session, nowMs }: HelloExchangeInit) {
    this.#crypto = crypto;
    this.#offers = offers;
    this.#session = session;
    this.#psk = session && offeredPsk(session, nowMs);
    this.#offer = offers.first(this.#psk);
    this.#offered = readClientOffer(this.#offer.hello);
  }

  /** What the last hello offers. */
  get offered(): ClientOffer {
    return this.#offered;
  }

  /** The types of its extensions, GREASE left out. */
  get offeredExtensions(): ReadonlySet<number> {
    const { extensions = [] } = this.#offered.hello;
    return new Set(
      extensions.map(({ type }) => type).filter((type) => !isGrease(type)),
    );
  }

  /** The hello to send next, its binder made over `transcript`, to which it does not yet belong. */
  hello(transcript: Transcript): Bytes {
    const { message, bindersLength } = this.#offer;
    if (bindersLength === 0) return message;
    const suite = suiteOf(this.#session!.cipherSuite)!;
    const truncated = message.subarray(0, message.length - bindersLength);
    using schedule = new KeySchedule(this.#crypto, suite, this.#session!.psk);
    const key = schedule.binderKey("resumption");
    const hash = transcript.hashWith(suite, truncated);
    const binder = finishedMac(this.#crypto, suite, key, hash);
    message.set(binder, message.length - binder.length);
    key.fill(0);
    return message;
  }

  /**
   * Takes the server's answer and adds it to `transcript`; `undefined` means that it wants another {@link hello}.
   *
   * @throws {DecodeError | CryptoError | TlsError} If the answer breaks RFC 8446 §4.1.3 or §4.1.4.
   */
  take(message: Bytes, transcript: Transcript): HelloResult | undefined {
    const hello = decodeServerHello(message);
    if (isHelloRetryRequest(hello)) {
      this.#retry(hello, message, transcript);
      return undefined;
    }
    const suite = checkServerHello(
      "ServerHello",
      hello,
      this.#offered,
      this.offeredExtensions,
      this.#retrySuite,
    );
    transcript.add(message);
    const psk = this.#acceptedPsk(hello, suite);
    const schedule = new KeySchedule(this.#crypto, suite, psk);
    try {
      const group = this.#mixSharedSecret(hello, schedule);
      return { suite, schedule, group, isResumed: psk !== undefined };
    } catch (error) {
      schedule[Symbol.dispose]();
      throw error;
    }
  }

  /** Wipes the key shares and the session's key. */
  [Symbol.dispose](): void {
    this.#offer[Symbol.dispose]();
    this.#session?.psk.fill(0);
  }

  #retry(hello: ServerHello, message: Bytes, transcript: Transcript): void {
    if (this.#retrySuite) {
      throw fatal("unexpectedMessage", "Second HelloRetryRequest"); // §4.1.4
    }
    const suite = checkServerHello(
      "HelloRetryRequest",
      hello,
      this.#offered,
      this.offeredExtensions,
      undefined,
    );
    checkEchConfirmation(hello);
    const change = this.#change(hello, suite);
    this.#retrySuite = suite;
    transcript.replaceWithHash(suite);
    transcript.add(message);
    this.#offer = this.#offers.retry(this.#offer, change);
    this.#offered = readClientOffer(this.#offer.hello);
  }

  #change({ extensions = [] }: ServerHello, suite: Suite): OfferChange {
    const shareData = findExtension(extensions, EXTENSION.keyShare);
    const cookieData = findExtension(extensions, EXTENSION.cookie);
    if (!shareData && !cookieData) {
      throw fatal("illegalParameter", "HelloRetryRequest changes nothing"); // §4.1.4
    }
    const hadSession = this.#offered.psks !== undefined;
    const isSameHash = hadSession &&
      suiteOf(this.#session!.cipherSuite)!.hash === suite.hash;
    return {
      ...(shareData && { group: this.#retryGroup(shareData) }),
      ...(cookieData && { cookie: readCookie(cookieData) }),
      ...(isSameHash && { psk: this.#psk! }), // §4.1.4: one of another hash is left out
    };
  }

  /** RFC 8446 §4.2.8: a group that was offered, without a share of it. */
  #retryGroup(data: Uint8Array): Group {
    const r = new Reader(data, "key_share");
    const group = r.u16();
    r.end();
    const { groups = [], keyShares = [] } = this.#offered;
    if (
      !groups.includes(group) || !isUsable(group) ||
      keyShares.some((share) => share.group === group)
    ) {
      throw fatal("illegalParameter", `Group ${group} is asked for`);
    }
    return group;
  }

  #acceptedPsk(
    { extensions = [] }: ServerHello,
    suite: Suite,
  ): Uint8Array | undefined {
    const data = findExtension(extensions, EXTENSION.preSharedKey);
    if (!data) return undefined;
    const r = new Reader(data, "pre_shared_key");
    const index = r.u16();
    r.end();
    const session = this.#session!; // checked: only an offered extension is answered
    if (index !== 0 || suiteOf(session.cipherSuite)!.hash !== suite.hash) {
      throw fatal("illegalParameter", "Another pre-shared key is chosen"); // §4.2.11
    }
    return session.psk;
  }

  #mixSharedSecret(
    { extensions = [] }: ServerHello,
    schedule: KeySchedule,
  ): number {
    const data = findExtension(extensions, EXTENSION.keyShare);
    if (!data) throw fatal("missingExtension", "ServerHello has no key share"); // §9.2
    const { group, keyExchange } = decodeKeyShareEntry(data);
    const share = this.#offer.keyShares.find((own) => own.group === group);
    if (!share || !isUsable(group)) {
      throw fatal("illegalParameter", `Share of group ${group}`); // §4.2.8
    }
    const secret = share.sharedSecret(keyExchange);
    schedule.mixSharedSecret(secret);
    secret.fill(0);
    return group;
  }
}

/** Whether a secret can follow from `group` here; the Kyber draft is only shown. */
function isUsable(group: number): group is Group {
  return group !== GROUP.x25519Kyber768Draft00 &&
    (Object.values(GROUP) as number[]).includes(group);
}

/** The ECH that we send is GREASE: an answer to it is 8 bytes long, and ignored (RFC 9849 §6.2.1). */
function checkEchConfirmation({ extensions = [] }: ServerHello): void {
  const data = findExtension(extensions, EXTENSION.encryptedClientHello);
  if (data && data.length !== 8) {
    throw fatal("decodeError", `ECH confirmation of ${data.length} bytes`);
  }
}

function readCookie(data: Uint8Array): Uint8Array {
  const r = new Reader(data, "cookie");
  const cookie = r.take(r.u16());
  r.end();
  if (cookie.length === 0) throw fatal("decodeError", "Empty cookie"); // §4.2.2
  return cookie;
}

function offeredPsk(session: Session, nowMs: number): OfferedPsk {
  const ageMs = Math.max(0, Math.floor(nowMs - session.receivedAtMs));
  return {
    identity: session.ticket,
    obfuscatedTicketAge: (ageMs + session.ageAdd) % 2 ** 32,
    binderLength: suiteOf(session.cipherSuite)!.hashLength,
  };
}
