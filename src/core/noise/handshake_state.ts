import { type Bytes, DecodeError, Reader, Writer } from "../bytes/mod.ts";
import {
  CryptoError,
  type CryptoProvider,
  generateX25519,
  type KeyPair,
  type X25519KeyPair,
} from "../crypto/mod.ts";
import type { CipherState } from "./cipher_state.ts";
import { NoiseError } from "./error.ts";
import {
  checkKeys,
  type HandshakeOptions,
  patternName,
  protocolName,
} from "./options.ts";
import {
  MAX_MESSAGE_LENGTH,
  messageLength,
  PATTERN,
  type Pattern,
  type PatternName,
  type Token,
  TOKEN_LENGTH,
} from "./pattern.ts";
import { SymmetricState } from "./symmetric_state.ts";

/** The transport ciphers as one side uses them. */
export interface TransportCiphers {
  /** Encrypts what we send. */
  readonly send: CipherState;
  /** Decrypts what we receive. */
  readonly receive: CipherState;
}

/**
 * One side of a Noise handshake (revision 34 §5.3), without IO.
 *
 * A {@link NoiseError} ends it: keys are wiped and every further use throws `closed`.
 * Errors of our caller (`TypeError`, `RangeError`) change nothing.
 */
export class HandshakeState implements Disposable {
  /** E.g. `"Noise_XKhfs_25519+MLKEM768_ChaChaPoly_SHA256"`; both sides must have the same. */
  readonly protocolName: string;
  readonly #crypto: CryptoProvider;
  readonly #patternName: PatternName;
  readonly #pattern: Pattern;
  readonly #initiator: boolean;
  readonly #symmetric: SymmetricState;
  readonly #static: X25519KeyPair | undefined;
  #ephemeral: X25519KeyPair | undefined;
  #kem: KeyPair | undefined;
  #remoteStatic: Uint8Array | undefined;
  #remoteEphemeral: Uint8Array | undefined;
  #remoteKem: Uint8Array | undefined;
  #index = 0;
  #closed = false;
  #split = false;

  /**
   * Starts before the first message.
   *
   * @throws {TypeError} If a key is missing, or given where the pattern does not take it, or N is to be hybrid.
   * @throws {RangeError} If a key is not 32 bytes.
   */
  constructor(options: HandshakeOptions) {
    checkKeys(options);
    const { crypto, hash, prologue = new Uint8Array(0) } = options;
    this.#crypto = crypto;
    this.#patternName = patternName(options);
    this.#pattern = PATTERN[this.#patternName];
    this.#initiator = options.role === "initiator";
    this.#static = options.staticKeyPair;
    this.#remoteStatic = options.remoteStaticKey &&
      new Uint8Array(options.remoteStaticKey);
    this.protocolName = protocolName(options);
    this.#symmetric = new SymmetricState(crypto, hash, this.protocolName);
    this.#symmetric.mixHash(prologue);
    if (this.#pattern.responderKnown) {
      this.#symmetric.mixHash(this.#remoteStatic ?? this.#static!.publicKey);
    }
  }

  /** Whether every message has passed. */
  get finished(): boolean {
    return this.#index === this.#pattern.messages.length;
  }

  /** Whether the next step is ours: {@linkcode HandshakeState.writeMessage}. */
  get myTurn(): boolean {
    return !this.finished && (this.#index % 2 === 0) === this.#initiator;
  }

  /** The peer's static public key, once known; it is the peer's own only once `finished`. */
  get remoteStaticKey(): Bytes | undefined {
    return this.#remoteStatic && new Uint8Array(this.#remoteStatic);
  }

  /**
   * The final transcript hash (32 bytes), the same on both sides and unique to this session.
   *
   * @throws {TypeError} Before the end.
   * @throws {NoiseError} `closed` after a failure or dispose.
   */
  get handshakeHash(): Bytes {
    this.#checkFinished();
    return this.#symmetric.transcriptHash;
  }

  /**
   * The final chaining key (32 secret bytes), for protocols that derive their own keys instead of {@linkcode HandshakeState.split}.
   *
   * @throws {TypeError} Before the end, or after `split`.
   * @throws {NoiseError} `closed` after a failure or dispose.
   */
  get chainingKey(): Bytes {
    this.#checkFinished();
    this.#checkNotSplit();
    return this.#symmetric.chainingKey;
  }

  /**
   * Length in bytes of the next message, ours or the peer's, when it carries `payloadLength` bytes.
   *
   * @throws {RangeError} If no message is left.
   */
  messageLength(payloadLength = 0): number {
    return messageLength(this.#patternName, this.#index, payloadLength);
  }

  /**
   * Our next message with `payload` in it.
   *
   * @throws {TypeError} If it is not our turn.
   * @throws {RangeError} If the message would be over 65,535 bytes.
   * @throws {NoiseError} `rejected` if a key the peer sent earlier turns out unusable, `closed` after a failure.
   */
  writeMessage(payload: Uint8Array = new Uint8Array(0)): Bytes {
    this.#checkTurn(true);
    const length = this.messageLength(payload.length);
    if (length > MAX_MESSAGE_LENGTH) {
      throw new RangeError(
        `A Noise message must be at most 65535 bytes: got ${length}`,
      );
    }
    return this.#step((tokens) => {
      const w = new Writer(length);
      for (const token of tokens) this.#write(token, w);
      return w.put(this.#symmetric.encryptAndHash(payload)).finish();
    });
  }

  /**
   * Takes the peer's next message, whole, and returns its payload.
   *
   * Payloads of early messages have weaker protection (Noise §7.7): in XX the first is in clear.
   *
   * @throws {TypeError} If it is our turn to write.
   * @throws {NoiseError} `rejected` if anything about it is wrong, `closed` after a failure.
   */
  readMessage(message: Uint8Array): Bytes {
    this.#checkTurn(false);
    return this.#step((tokens) => {
      if (message.length > MAX_MESSAGE_LENGTH) throw new NoiseError("rejected");
      const r = new Reader(message, "noise message");
      for (const token of tokens) this.#read(token, r);
      return this.#symmetric.decryptAndHash(r.rest());
    });
  }

  /**
   * The transport ciphers, once; wipes the chaining key. In N the responder must not send (Noise §7.4): that direction's cipher
   * comes closed.
   *
   * @throws {TypeError} Before the end, or the second time.
   * @throws {NoiseError} `closed` after a failure or dispose.
   */
  split(): TransportCiphers {
    this.#checkFinished();
    this.#checkNotSplit();
    this.#split = true;
    const [initiator, responder] = this.#symmetric.split();
    this.#symmetric[Symbol.dispose]();
    if (!this.#pattern.initiatorStatic) responder[Symbol.dispose]();
    return this.#initiator
      ? { send: initiator, receive: responder }
      : { send: responder, receive: initiator };
  }

  /** Wipes every key but the caller's own; further use throws. */
  [Symbol.dispose](): void {
    this.#closed = true;
    this.#dropEphemerals();
    this.#symmetric[Symbol.dispose]();
  }

  #step(run: (tokens: readonly Token[]) => Bytes): Bytes {
    try {
      const result = run(this.#pattern.messages[this.#index]!);
      this.#index++;
      if (this.finished) this.#dropEphemerals();
      return result;
    } catch (cause) {
      this[Symbol.dispose]();
      if (cause instanceof CryptoError || cause instanceof DecodeError) {
        throw new NoiseError("rejected", { cause });
      }
      throw cause;
    }
  }

  #write(token: Token, w: Writer): void {
    switch (token) {
      case "e":
        this.#ephemeral = generateX25519(this.#crypto);
        this.#symmetric.mixHash(this.#ephemeral.publicKey);
        w.put(this.#ephemeral.publicKey);
        return;
      case "s":
        w.put(this.#symmetric.encryptAndHash(this.#static!.publicKey));
        return;
      case "e1":
        this.#kem = this.#withSeed(
          64,
          (seed) => this.#crypto.mlKem768.generateKeyPair(seed),
        );
        w.put(this.#symmetric.encryptAndHash(this.#kem.publicKey));
        return;
      case "ekem1": {
        const { ciphertext, sharedSecret } = this.#withSeed(
          32,
          (seed) => this.#crypto.mlKem768.encapsulate(this.#remoteKem!, seed),
        );
        w.put(this.#symmetric.encryptAndHash(ciphertext));
        this.#mixSecret(sharedSecret);
        return;
      }
      default:
        this.#mixSecret(this.#dh(token));
    }
  }

  #read(token: Token, r: Reader): void {
    switch (token) {
      case "e":
        this.#remoteEphemeral = new Uint8Array(r.take(TOKEN_LENGTH.e));
        this.#symmetric.mixHash(this.#remoteEphemeral);
        return;
      case "s":
        this.#remoteStatic = this.#take(TOKEN_LENGTH.s, r);
        return;
      case "e1":
        this.#remoteKem = this.#take(TOKEN_LENGTH.e1, r);
        return;
      case "ekem1": {
        const ciphertext = this.#take(TOKEN_LENGTH.ekem1, r);
        this.#mixSecret(
          this.#crypto.mlKem768.decapsulate(this.#kem!.privateKey, ciphertext),
        );
        return;
      }
      default:
        this.#mixSecret(this.#dh(token));
    }
  }

  #take(length: number, r: Reader): Bytes {
    const received = r.take(length + this.#symmetric.tagLength);
    return this.#symmetric.decryptAndHash(received);
  }

  /** X25519 between the initiator's key named by the first letter and the responder's named by the second. */
  #dh(token: "ee" | "es" | "se" | "ss"): Bytes {
    const [mine, theirs] = this.#initiator ? token : [token[1], token[0]];
    return this.#crypto.x25519.sharedSecret(
      (mine === "e" ? this.#ephemeral : this.#static)!.privateKey.expose(),
      (theirs === "e" ? this.#remoteEphemeral : this.#remoteStatic)!,
    );
  }

  #mixSecret(secret: Bytes): void {
    this.#symmetric.mixKey(secret);
    secret.fill(0);
  }

  #withSeed<T>(length: number, use: (seed: Bytes) => T): T {
    const seed = this.#crypto.random(length);
    try {
      return use(seed);
    } finally {
      seed.fill(0);
    }
  }

  #dropEphemerals(): void {
    this.#ephemeral?.privateKey[Symbol.dispose]();
    this.#kem?.privateKey.fill(0);
    this.#ephemeral = this.#kem = undefined;
    this.#remoteEphemeral = this.#remoteKem = undefined;
  }

  #checkTurn(write: boolean): void {
    if (this.#closed) throw new NoiseError("closed");
    if (this.finished) throw new TypeError("The handshake is finished");
    if (this.myTurn !== write) {
      throw new TypeError(
        `The next message is to be ${write ? "read" : "written"}`,
      );
    }
  }

  #checkFinished(): void {
    if (this.#closed) throw new NoiseError("closed");
    if (!this.finished) throw new TypeError("The handshake is not finished");
  }

  #checkNotSplit(): void {
    if (this.#split) throw new TypeError("The handshake is already split");
  }
}
