/**
 * The start of a link: Noise_XKhfs_25519+MLKEM768_ChaChaPoly_SHA256, without IO.
 *
 * ```text
 * prologue  "betanet-mix-link-v1" ‖ name of the network in UTF-8
 * messages  → e, es, e1   ← e, ee, ekem1   → s, se
 * payload   zeros, as many as make the message as long as a frame
 * ```
 *
 * @module
 */
import { type Bytes, concat, utf8 } from "../../core/bytes/mod.ts";
import type { CryptoProvider, X25519KeyPair } from "../../core/crypto/mod.ts";
import { HandshakeState, NoiseError } from "../../core/noise/mod.ts";
import { MixnetError } from "../error.ts";
import { LinkCipher, splitLinkKeys } from "./link_cipher.ts";
import { linkFrameLength } from "./link_frame.ts";

/** What both ends of a link need. */
export interface LinkHandshakeOptions {
  /** The primitives. */
  readonly crypto: CryptoProvider;
  /** Name of the network, which both ends must have in common. */
  readonly network: string;
  /** Bytes of the network's Sphinx packets. */
  readonly packetLength: number;
  /** Our link key. */
  readonly staticKeyPair: X25519KeyPair;
  /** The link key of the peer we dial, 32 bytes; absent where we accept. */
  readonly remoteStaticKey?: Uint8Array;
}

/** What a handshake leaves. */
export interface LinkSecrets {
  /** The peer's link key, 32 bytes. */
  readonly remoteStaticKey: Bytes;
  /** Seals what we send. */
  readonly sealer: LinkCipher;
  /** Opens what we receive. */
  readonly opener: LinkCipher;
}

/** One end of a link's handshake: the initiator's where `remoteStaticKey` is given. */
export class LinkHandshake implements Disposable {
  /** Bytes of each message. */
  readonly messageLength: number;
  readonly #crypto: CryptoProvider;
  readonly #initiator: boolean;
  readonly #noise: HandshakeState;

  /**
   * Starts before the first message.
   *
   * @throws {RangeError} If a key is not 32 bytes, or a frame is too short for a message, as with packets of less than 1,227 bytes.
   */
  constructor(options: LinkHandshakeOptions) {
    const { crypto, network, packetLength, staticKeyPair, remoteStaticKey } =
      options;
    this.#crypto = crypto;
    this.#initiator = remoteStaticKey !== undefined;
    this.messageLength = linkFrameLength(packetLength);
    this.#noise = new HandshakeState({
      crypto,
      pattern: "XK",
      hash: "SHA256",
      hybrid: true,
      role: this.#initiator ? "initiator" : "responder",
      prologue: concat(utf8("betanet-mix-link-v1"), utf8(network)),
      staticKeyPair,
      ...(remoteStaticKey && { remoteStaticKey }),
    });
    const least = this.#noise.messageLength(); // the first message is the longest
    if (this.messageLength < least) {
      throw new RangeError(
        `A link frame needs ${least} bytes for the handshake: got ${this.messageLength}`,
      );
    }
  }

  /** Whether every message has passed. */
  get finished(): boolean {
    return this.#noise.finished;
  }

  /** Whether the next step is {@link write}. */
  get myTurn(): boolean {
    return this.#noise.myTurn;
  }

  /**
   * Our next message.
   *
   * @throws {MixnetError} `unauthenticated` if a key that the peer sent is unusable.
   */
  write(): Bytes {
    const room = this.messageLength - this.#noise.messageLength();
    return step(() => this.#noise.writeMessage(new Uint8Array(room)));
  }

  /**
   * Takes the peer's next message.
   *
   * @throws {MixnetError} `unauthenticated` if it is not that of a peer with the key we want, in our network, sent now;
   * `malformed` if its payload is not zeros.
   */
  read(message: Uint8Array): void {
    const payload = step(() => this.#noise.readMessage(message));
    if (payload.some((byte) => byte !== 0)) {
      throw new MixnetError("malformed", "A handshake has another payload");
    }
  }

  /**
   * The keys of the link, once it is {@link finished}.
   *
   * @throws {TypeError} Before.
   */
  secrets(): LinkSecrets {
    const chainingKey = this.#noise.chainingKey;
    const keys = splitLinkKeys(this.#crypto, chainingKey);
    chainingKey.fill(0);
    const initiator = new LinkCipher(this.#crypto, keys.initiator);
    const responder = new LinkCipher(this.#crypto, keys.responder);
    return {
      remoteStaticKey: this.#noise.remoteStaticKey!,
      sealer: this.#initiator ? initiator : responder,
      opener: this.#initiator ? responder : initiator,
    };
  }

  /** Wipes every key but the caller's own. */
  [Symbol.dispose](): void {
    this.#noise[Symbol.dispose]();
  }
}

function step(run: () => Bytes): Bytes {
  try {
    return run();
  } catch (cause) {
    if (!(cause instanceof NoiseError)) throw cause;
    throw new MixnetError("unauthenticated", "A link handshake failed", {
      cause,
    });
  }
}
