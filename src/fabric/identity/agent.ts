import { type Bytes, utf8 } from "../../core/bytes/mod.ts";
import {
  type CryptoProvider,
  type Ed25519Signer,
  type X25519KeyPair,
  x25519KeyPair,
} from "../../core/crypto/mod.ts";
import { AgentId } from "./agent_id.ts";
import type { AgentName } from "./agent_name.ts";

const SEAL_LABEL = utf8("betanet-fabric-seal-v1");
const EMPTY = new Uint8Array();

/** An agent whose keys are here: it signs, and opens what is sealed to it. Dispose wipes its keys. */
export class Agent implements Disposable {
  /** Who it is. */
  readonly id: AgentId;
  /** Its readable name. */
  readonly name: AgentName;
  /** What is sealed to it is opened with: X25519, derived from its seed. */
  readonly sealKeyPair: X25519KeyPair;
  readonly #signer: Ed25519Signer;

  /**
   * The agent of an Ed25519 `seed` (RFC 8032 §5.1.5), of which it keeps what it needs.
   *
   * @throws {RangeError} If the seed has not 32 bytes.
   */
  constructor(crypto: CryptoProvider, seed: Uint8Array, name: AgentName) {
    if (seed.length !== 32) {
      throw new RangeError(`A seed has 32 bytes: got ${seed.length}`);
    }
    this.#signer = crypto.ed25519.signer(seed);
    this.name = name;
    this.id = new AgentId(crypto.ed25519.publicKey(seed));
    this.sealKeyPair = x25519KeyPair(
      crypto,
      crypto.hkdf("sha256", seed, EMPTY, SEAL_LABEL, 32),
    );
  }

  /** Its signature over `message`, 64 bytes; what it is for must be part of the message. */
  sign(message: Uint8Array): Bytes {
    return this.#signer.sign(message);
  }

  /** Wipes its keys: it signs and opens nothing any more. */
  [Symbol.dispose](): void {
    this.#signer[Symbol.dispose]();
    this.sealKeyPair.privateKey[Symbol.dispose]();
  }
}
