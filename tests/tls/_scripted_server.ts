import { type Bytes, concat, equal } from "../../src/core/bytes/mod.ts";
import {
  importSigningKey,
  nodeProvider as crypto,
  SIGNATURE_SCHEME,
  type SignatureScheme,
} from "../../src/core/crypto/mod.ts";
import {
  type ClientOffer,
  readClientOffer,
} from "../../src/tls/client_offer.ts";
import { finishedMac, KeySchedule } from "../../src/tls/key_schedule.ts";
import {
  encodeCertificate,
  encodeCertificateBody,
} from "../../src/tls/messages/certificate.ts";
import {
  encodeCertificateVerify,
  signedContent,
} from "../../src/tls/messages/certificate_verify.ts";
import { encodeCompressedCertificate } from "../../src/tls/messages/compressed_certificate.ts";
import { encodeEncryptedExtensions } from "../../src/tls/messages/encrypted_extensions.ts";
import { encodeFinished } from "../../src/tls/messages/finished.ts";
import { encodeKeyShareEntry } from "../../src/tls/messages/key_share_entry.ts";
import {
  CONTENT_TYPE,
  type ContentType,
  writeRecordHeader,
} from "../../src/tls/record.ts";
import { RecordKeys } from "../../src/tls/record_keys.ts";
import { RecordOpener } from "../../src/tls/record_opener.ts";
import { RecordSealer } from "../../src/tls/record_sealer.ts";
import { answerKeyShare } from "../../src/tls/server_key_share.ts";
import { type Suite, suiteOf } from "../../src/tls/suite.ts";
import { Transcript } from "../../src/tls/transcript.ts";
import {
  type ClientHello,
  decodeClientHello,
  encodeServerHello,
  EXTENSION,
  type Extension,
  GROUP,
  HELLO_RETRY_RANDOM,
  type ServerHello,
} from "../../src/utls/mod.ts";
import { testCertificate } from "./_certificates.ts";

/** The messages of the server's flight. */
export type FlightMessage =
  | "encryptedExtensions"
  | "certificateRequest"
  | "certificate"
  | "certificateVerify"
  | "finished";

/** What a {@link ScriptedServer} does, and where it breaks the rules. */
export interface Script {
  /** Default 0x1301. */
  readonly cipherSuite?: number;
  /** Default X25519. */
  readonly group?: typeof GROUP[keyof typeof GROUP];
  /** Default none. */
  readonly encryptedExtensions?: readonly Extension[];
  /** A CertificateRequest to send. */
  readonly certificateRequest?: Bytes;
  /** Sends CompressedCertificate. */
  readonly compresses?: boolean;
  /** The pre-shared key to take. */
  readonly psk?: Uint8Array;
  /** The scheme that CertificateVerify says, default that of the P-256 key. */
  readonly scheme?: number;
  /** Extensions of the certificate. */
  readonly certificateExtensions?: readonly Extension[];
  /** Changes the ServerHello. */
  readonly hello?: (hello: ServerHello) => ServerHello;
  /** Changes a message before it is hashed and sent; empty leaves it out. */
  readonly edit?: (name: FlightMessage, message: Bytes) => Bytes;
}

/** A TLS 1.3 server for tests, which can break any rule. */
export class ScriptedServer {
  readonly #script: Script;
  readonly transcript: Transcript = new Transcript(crypto);
  readonly sealer: RecordSealer = new RecordSealer();
  readonly opener: RecordOpener = new RecordOpener();
  #suite: Suite | undefined;
  #schedule: KeySchedule | undefined;
  #writeKeys: RecordKeys | undefined;
  #clientHandshake: Bytes = new Uint8Array(0);
  #clientApplication: Bytes = new Uint8Array(0);

  constructor(script: Script = {}) {
    this.#script = script;
  }

  /** The hello in the client's first record. */
  static helloOf(record: Uint8Array): ClientHello {
    return decodeClientHello(record.subarray(5));
  }

  /** What that hello offers. */
  static offerOf(record: Uint8Array): ClientOffer {
    return readClientOffer(ScriptedServer.helloOf(record));
  }

  /** A HelloRetryRequest in answer to the hello in `record`. */
  retry(record: Uint8Array, extensions: readonly Extension[]): Bytes {
    const hello = this.#hello(ScriptedServer.offerOf(record), [
      { type: EXTENSION.supportedVersions, data: Uint8Array.of(3, 4) },
      ...extensions,
    ], Uint8Array.fromHex(HELLO_RETRY_RANDOM));
    const message = encodeServerHello(hello);
    this.transcript.add(record.slice(5));
    const suite = suiteOf(hello.cipherSuite);
    if (suite) this.transcript.replaceWithHash(suite);
    this.transcript.add(message);
    return this.sealer.seal(CONTENT_TYPE.handshake, message);
  }

  /** ServerHello in answer to the hello in `record`, and the rest of the flight. */
  answer(record: Uint8Array): Bytes {
    return concat(this.serverHello(record), this.flight());
  }

  /** ServerHello in answer to the hello in `record`. */
  serverHello(record: Uint8Array): Bytes {
    this.transcript.add(record.slice(5));
    const offer = ScriptedServer.offerOf(record);
    const { group = GROUP.x25519, psk } = this.#script;
    const client = offer.keyShares!.find((share) => share.group === group);
    const share = client
      ? answerKeyShare(crypto, group as typeof GROUP.x25519, client.keyExchange)
      : { keyExchange: new Uint8Array(32), sharedSecret: new Uint8Array(32) };
    const hello = this.#hello(offer, [
      { type: EXTENSION.supportedVersions, data: Uint8Array.of(3, 4) },
      {
        type: EXTENSION.keyShare,
        data: encodeKeyShareEntry({ group, keyExchange: share.keyExchange }),
      },
      ...(psk
        ? [{ type: EXTENSION.preSharedKey, data: Uint8Array.of(0, 0) }]
        : []),
    ], crypto.random(32));
    const message = encodeServerHello(hello);
    const suite = suiteOf(this.#script.cipherSuite ?? 0x1301)!;
    this.#suite = suite;
    this.transcript.add(message);
    const record1 = this.sealer.seal(CONTENT_TYPE.handshake, message);
    const schedule = new KeySchedule(crypto, suite, psk);
    schedule.mixSharedSecret(share.sharedSecret);
    this.#schedule = schedule;
    return record1;
  }

  /** EncryptedExtensions to Finished, in one record. */
  flight(): Bytes {
    return this.sealer.seal(
      CONTENT_TYPE.handshake,
      concat(...this.messages()),
    );
  }

  /** The messages of the flight, after which the keys are those of application data. */
  messages(): Bytes[] {
    const [suite, schedule] = [this.#suite!, this.#schedule!];
    const { encryptedExtensions = [], certificateRequest, psk } = this.#script;
    const hash = this.transcript.hash(suite);
    const secret = schedule.serverHandshake(hash);
    this.#clientHandshake = schedule.clientHandshake(hash);
    this.sealer.useKeys(new RecordKeys(crypto, suite, secret.slice()));
    this.opener.useKeys(
      new RecordKeys(crypto, suite, this.#clientHandshake.slice()),
    );
    const messages = [
      this.#edited(
        "encryptedExtensions",
        encodeEncryptedExtensions(encryptedExtensions),
      ),
    ];
    if (certificateRequest) {
      messages.push(this.#edited("certificateRequest", certificateRequest));
    }
    if (!psk) messages.push(...this.#certificates(suite));
    const mac = finishedMac(
      crypto,
      suite,
      secret,
      this.transcript.hash(suite),
    );
    messages.push(this.#edited("finished", encodeFinished(mac)));
    return messages;
  }

  /** Moves on to our keys of application data, before the client's Finished. */
  finishEarly(): void {
    const [suite, schedule] = [this.#suite!, this.#schedule!];
    const hash = this.transcript.hash(suite);
    schedule.finish();
    this.#writeKeys = new RecordKeys(
      crypto,
      suite,
      schedule.serverApplication(hash),
    );
    this.sealer.useKeys(this.#writeKeys);
    this.#clientApplication = schedule.clientApplication(hash);
  }

  /** Moves on to the keys of application data, both ways; gives the contents of `clientFlight`, which ends with Finished. */
  finish(clientFlight: Uint8Array): Bytes[] {
    this.finishEarly();
    this.opener.feed(clientFlight);
    const flight: Bytes[] = [];
    for (let last = false; !last;) {
      const record = this.opener.next();
      if (!record) throw new Error("Want the client's Finished");
      if (record.type !== CONTENT_TYPE.handshake) continue;
      const content = new Uint8Array(record.content);
      flight.push(content);
      last = this.#endsWithFinished(content);
    }
    this.opener.useKeys(
      new RecordKeys(crypto, this.#suite!, this.#clientApplication),
    );
    return flight;
  }

  /** A record of ours. */
  record(type: ContentType, content: Uint8Array): Bytes {
    return this.sealer.seal(type, content);
  }

  /** A record whose plaintext, type and padding included, is `inner`. */
  sealInner(inner: Uint8Array): Bytes {
    const header = new Uint8Array(5);
    const length = inner.length + 16;
    writeRecordHeader(header, 0, CONTENT_TYPE.applicationData, 0x0303, length);
    const keys = this.#writeKeys!;
    const sealed = keys.aead.seal(keys.nonce(), inner, header);
    keys.advance();
    return concat(header, sealed);
  }

  /** As {@link open}, where a KeyUpdate changes the client's key. */
  openUpdating(bytes: Uint8Array): { type: number; content: Bytes }[] {
    this.opener.feed(bytes);
    const records = [];
    for (let record; (record = this.opener.next());) {
      const { type, content } = record;
      records.push({ type, content: new Uint8Array(content) });
      if (type === CONTENT_TYPE.handshake) this.opener.updateKeys();
    }
    return records;
  }

  /** The records of `bytes`, opened. */
  open(bytes: Uint8Array): { type: number; content: Bytes }[] {
    this.opener.feed(bytes);
    const records = [];
    for (let record; (record = this.opener.next());) {
      const { type, content } = record;
      records.push({ type, content: new Uint8Array(content) });
    }
    return records;
  }

  /** Whether `content` ends with the right Finished; what is before it joins the transcript. */
  #endsWithFinished(content: Bytes): boolean {
    const suite = this.#suite!;
    const at = content.length - suite.hashLength - 4;
    if (content[at] !== 20) return false;
    const before = content.subarray(0, at);
    const mac = finishedMac(
      crypto,
      suite,
      this.#clientHandshake,
      this.transcript.hashWith(suite, before),
    );
    if (!equal(mac, content.subarray(at + 4))) throw new Error("Bad Finished");
    return true;
  }

  #certificates(suite: Suite): Bytes[] {
    const { chain, pkcs8 } = testCertificate("p256");
    const { certificateExtensions = [], compresses, scheme } = this.#script;
    const certificate = {
      context: new Uint8Array(0),
      entries: chain.map((der) => ({ der, extensions: certificateExtensions })),
    };
    const message = this.#edited(
      "certificate",
      compresses
        ? encodeCompressedCertificate(encodeCertificateBody(certificate))
        : encodeCertificate(certificate),
    );
    using key = importSigningKey(pkcs8);
    const own = SIGNATURE_SCHEME.ecdsaSecp256r1Sha256;
    const content = signedContent("server", this.transcript.hash(suite));
    const verify = this.#edited(
      "certificateVerify",
      encodeCertificateVerify({
        scheme: (scheme ?? own) as SignatureScheme,
        signature: key.sign(own, content),
      }),
    );
    return [message, verify];
  }

  #edited(name: FlightMessage, message: Bytes): Bytes {
    const edited = this.#script.edit?.(name, message) ?? message;
    if (edited.length > 0) this.transcript.add(edited);
    return edited;
  }

  #hello(
    offer: ClientOffer,
    extensions: readonly Extension[],
    random: Uint8Array,
  ): ServerHello {
    const hello: ServerHello = {
      legacyVersion: 0x0303,
      random,
      sessionId: offer.hello.sessionId,
      cipherSuite: this.#script.cipherSuite ?? 0x1301,
      compressionMethod: 0,
      extensions,
    };
    return this.#script.hello?.(hello) ?? hello;
  }
}
