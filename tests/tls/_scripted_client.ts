import { type Bytes, concat } from "../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import { TlsEndpoint } from "../../src/tls/endpoint.ts";
import { finishedMac, KeySchedule } from "../../src/tls/key_schedule.ts";
import { encodeFinished } from "../../src/tls/messages/finished.ts";
import { HANDSHAKE_TYPE } from "../../src/tls/messages/handshake_type.ts";
import { decodeKeyShareEntry } from "../../src/tls/messages/key_share_entry.ts";
import type { OfferMaker } from "../../src/tls/offer_maker.ts";
import type { ContentType } from "../../src/tls/record.ts";
import type { TlsServer } from "../../src/tls/server.ts";
import { type Suite, suiteOf } from "../../src/tls/suite.ts";
import { decodeServerHello, EXTENSION } from "../../src/utls/mod.ts";
import { offersOf } from "./_tls_pair.ts";

/** A client that takes a server's first flight as it is, and then sends what a test tells it to. */
export class ScriptedClient extends TlsEndpoint {
  /** The server's messages after its ServerHello, by type. */
  readonly messages = new Map<number, Bytes>();
  readonly #offer;
  readonly #server: TlsServer;
  #suite: Suite | undefined;
  #schedule: KeySchedule | undefined;
  #secret: Bytes = new Uint8Array(0);
  #application: Bytes = new Uint8Array(0);

  /** Passes the hello of `offers` to `server`, and its answer back. */
  constructor(server: TlsServer, offers: OfferMaker = offersOf()) {
    super(crypto);
    this.#server = server;
    this.#offer = offers.first();
    this.dropsChangeCipherSpec = true;
    this.sendHandshake(this.#offer.message);
    server.receive(this.takeOutput());
    this.receive(server.takeOutput());
  }

  /** The hash of all messages so far. */
  get transcriptHash(): Bytes {
    return this.transcript.hash(this.#suite!);
  }

  /** The Finished that is right after what was sent so far. */
  finished(): Bytes {
    return encodeFinished(
      finishedMac(crypto, this.#suite!, this.#secret, this.transcriptHash),
    );
  }

  /** Sends handshake messages, in one record, and passes them to the server. */
  say(...messages: readonly Uint8Array[]): this {
    this.sendHandshake(...messages);
    this.#server.receive(this.takeOutput());
    return this;
  }

  /** Sends a record, and passes it to the server. */
  sayRecord(type: ContentType, content: Uint8Array): this {
    this.#server.receive(this.sealer.seal(type, content));
    return this;
  }

  /** Sends the right Finished with `behind` in the same record, and moves on to the application's keys. */
  finish(behind: Uint8Array = new Uint8Array(0)): this {
    const finished = this.finished();
    this.transcript.add(finished);
    this.sayRecord(22, concat(finished, behind));
    this.useWriteKeys(this.#suite!, this.#application);
    return this;
  }

  protected override handshakeMessage(type: number, message: Bytes): void {
    this.transcript.add(message);
    this.messages.set(type, message);
    if (type === HANDSHAKE_TYPE.serverHello) this.#takeServerHello(message);
    if (type === HANDSHAKE_TYPE.finished) {
      this.#schedule!.finish();
      const hash = this.transcriptHash;
      this.#application = this.#schedule!.clientApplication(hash);
      this.useReadKeys(this.#suite!, this.#schedule!.serverApplication(hash));
    }
  }

  protected override certificatesAccepted(): void {}

  protected override wipeHandshake(): void {}

  #takeServerHello(message: Bytes): void {
    const { cipherSuite, extensions = [] } = decodeServerHello(message);
    const share = extensions.find(({ type }) => type === EXTENSION.keyShare)!;
    const { group, keyExchange } = decodeKeyShareEntry(share.data);
    const ours = this.#offer.keyShares.find((share) => share.group === group)!;
    const suite = this.#suite = suiteOf(cipherSuite)!;
    this.#schedule = new KeySchedule(crypto, suite);
    this.#schedule.mixSharedSecret(ours.sharedSecret(keyExchange));
    const hash = this.transcriptHash;
    this.#secret = this.#schedule.clientHandshake(hash);
    this.useReadKeys(suite, this.#schedule.serverHandshake(hash));
    this.useWriteKeys(suite, this.#secret.slice());
  }
}
