import {
  type Bytes,
  decodeBase64Url,
  encodeBase64Url,
  equal,
} from "../../core/bytes/mod.ts";

/** Bytes of an agent's id. */
export const AGENT_ID_LENGTH = 32;

/** Who an agent is: its Ed25519 public key. */
export class AgentId {
  /** The key, 32 bytes. */
  readonly bytes: Bytes;
  readonly #text: string;

  /**
   * The agent of a public key.
   *
   * @throws {RangeError} If it has not 32 bytes.
   */
  constructor(bytes: Uint8Array) {
    if (bytes.length !== AGENT_ID_LENGTH) {
      throw new RangeError(`An agent's id has 32 bytes: got ${bytes.length}`);
    }
    this.bytes = bytes.slice();
    this.#text = encodeBase64Url(this.bytes);
  }

  /**
   * The agent that `text`, 43 characters of base64url, names.
   *
   * @throws {DecodeError} If it is not base64url.
   * @throws {RangeError} If it is not of 32 bytes.
   */
  static parse(text: string): AgentId {
    return new AgentId(decodeBase64Url(text));
  }

  /** Whether both are the same agent. */
  equals(other: AgentId): boolean {
    return equal(this.bytes, other.bytes);
  }

  /** 43 characters of base64url. */
  toString(): string {
    return this.#text;
  }

  /** As text. */
  toJSON(): string {
    return this.#text;
  }
}
