import { type Bytes, utf8, Writer } from "../core/bytes/mod.ts";
import type { CryptoProvider } from "../core/crypto/mod.ts";
import type { Suite } from "./suite.ts";

/** Where a pre-shared key comes from: a session ticket, or outside of TLS. */
export type PskKind = "resumption" | "external";

const IV_LENGTH = 12;
const EMPTY = new Uint8Array(0);

/**
 * The secrets of one connection, stage by stage (RFC 8446 §7.1): early, after {@link KeySchedule.mixSharedSecret} handshake,
 * after {@link KeySchedule.finish} master.
 *
 * Each derived secret takes the hash of the transcript up to the message that its method names.
 */
export class KeySchedule implements Disposable {
  readonly #crypto: CryptoProvider;
  readonly #suite: Suite;
  readonly #emptyHash: Bytes;
  #secret: Bytes;

  /** Starts with `psk`, or without one. */
  constructor(
    crypto: CryptoProvider,
    suite: Suite,
    psk: Uint8Array = new Uint8Array(suite.hashLength),
  ) {
    this.#crypto = crypto;
    this.#suite = suite;
    this.#emptyHash = crypto.hash(suite.hash);
    this.#secret = extract(crypto, suite, EMPTY, psk);
  }

  /** Early stage: the key of the binders for a pre-shared key of `kind`. */
  binderKey(kind: PskKind): Bytes {
    return this.#derive(
      kind === "resumption" ? "res binder" : "ext binder",
      this.#emptyHash,
    );
  }

  /** From the early to the handshake stage, with the secret of the key exchange. */
  mixSharedSecret(sharedSecret: Uint8Array): void {
    this.#advance(sharedSecret);
  }

  /** Handshake stage: up to ServerHello. */
  clientHandshake(transcriptHash: Uint8Array): Bytes {
    return this.#derive("c hs traffic", transcriptHash);
  }

  /** Handshake stage: up to ServerHello. */
  serverHandshake(transcriptHash: Uint8Array): Bytes {
    return this.#derive("s hs traffic", transcriptHash);
  }

  /** From the handshake to the master stage. */
  finish(): void {
    this.#advance(new Uint8Array(this.#suite.hashLength));
  }

  /** Master stage: up to the server's Finished. */
  clientApplication(transcriptHash: Uint8Array): Bytes {
    return this.#derive("c ap traffic", transcriptHash);
  }

  /** Master stage: up to the server's Finished. */
  serverApplication(transcriptHash: Uint8Array): Bytes {
    return this.#derive("s ap traffic", transcriptHash);
  }

  /** Master stage: up to the server's Finished. */
  exporter(transcriptHash: Uint8Array): Bytes {
    return this.#derive("exp master", transcriptHash);
  }

  /** Master stage: up to the client's Finished. */
  resumption(transcriptHash: Uint8Array): Bytes {
    return this.#derive("res master", transcriptHash);
  }

  /** Wipes the current stage's secret. */
  [Symbol.dispose](): void {
    this.#secret.fill(0);
  }

  #advance(ikm: Uint8Array): void {
    const salt = this.#derive("derived", this.#emptyHash);
    this.#secret.fill(0);
    this.#secret = extract(this.#crypto, this.#suite, salt, ikm);
    salt.fill(0);
  }

  #derive(label: string, transcriptHash: Uint8Array): Bytes {
    const { hashLength } = this.#suite;
    return expandLabel(
      this.#crypto,
      this.#suite,
      this.#secret,
      label,
      transcriptHash,
      hashLength,
    );
  }
}

/** Derive-Secret (RFC 8446 §7.1), `transcriptHash` being that of its messages. */
export function deriveSecret(
  crypto: CryptoProvider,
  suite: Suite,
  secret: Uint8Array,
  label: string,
  transcriptHash: Uint8Array,
): Bytes {
  const { hashLength } = suite;
  return expandLabel(crypto, suite, secret, label, transcriptHash, hashLength);
}

/** The key and IV that protect records. */
export interface TrafficKeys {
  /** Of the suite's key length. */
  readonly key: Bytes;
  /** 12 bytes. */
  readonly iv: Bytes;
}

/** The record keys of a traffic secret (RFC 8446 §7.3). */
export function trafficKeys(
  crypto: CryptoProvider,
  suite: Suite,
  secret: Uint8Array,
): TrafficKeys {
  return {
    key: expandLabel(crypto, suite, secret, "key", EMPTY, suite.keyLength),
    iv: expandLabel(crypto, suite, secret, "iv", EMPTY, IV_LENGTH),
  };
}

/** The traffic secret after a KeyUpdate (RFC 8446 §7.2). */
export function nextTrafficSecret(
  crypto: CryptoProvider,
  suite: Suite,
  secret: Uint8Array,
): Bytes {
  const { hashLength } = suite;
  return expandLabel(crypto, suite, secret, "traffic upd", EMPTY, hashLength);
}

/** `verify_data` of a Finished, or a binder, under a traffic secret or binder key (RFC 8446 §4.4.4). */
export function finishedMac(
  crypto: CryptoProvider,
  suite: Suite,
  baseKey: Uint8Array,
  transcriptHash: Uint8Array,
): Bytes {
  const { hash, hashLength } = suite;
  const key = expandLabel(
    crypto,
    suite,
    baseKey,
    "finished",
    EMPTY,
    hashLength,
  );
  const mac = crypto.hmac(hash, key, transcriptHash);
  key.fill(0);
  return mac;
}

/** The pre-shared key of a ticket, from the resumption secret and the ticket's nonce (RFC 8446 §4.6.1). */
export function ticketPsk(
  crypto: CryptoProvider,
  suite: Suite,
  resumptionSecret: Uint8Array,
  nonce: Uint8Array,
): Bytes {
  return expandLabel(
    crypto,
    suite,
    resumptionSecret,
    "resumption",
    nonce,
    suite.hashLength,
  );
}

/** HKDF-Expand-Label (RFC 8446 §7.1); `label` without its `tls13 `. */
export function expandLabel(
  crypto: CryptoProvider,
  suite: Suite,
  secret: Uint8Array,
  label: string,
  context: Uint8Array,
  length: number,
): Bytes {
  const full = utf8(`tls13 ${label}`);
  const info = new Writer(4 + full.length + context.length)
    .u16(length)
    .u8(full.length).put(full)
    .u8(context.length).put(context)
    .finish();
  return crypto.hkdfExpand(suite.hash, secret, info, length);
}

/** HKDF-Extract (RFC 5869 §2.2), which is an HMAC; an empty salt stands for zeros. */
function extract(
  crypto: CryptoProvider,
  { hash }: Suite,
  salt: Uint8Array,
  ikm: Uint8Array,
): Bytes {
  return crypto.hmac(hash, salt, ikm);
}
