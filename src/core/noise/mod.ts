/**
 * The Noise Protocol Framework (revision 34) without IO: XK, XX and IK over X25519, ChaCha20-Poly1305 and SHA-256 or BLAKE2s,
 * each also with ML-KEM-768 for hybrid forward secrecy (`hfs`), and the one-way pattern N.
 *
 * ```ts
 * import { generateX25519, nodeProvider as crypto } from "../crypto/mod.ts";
 * import { HandshakeState } from "./mod.ts";
 *
 * const suite = { crypto, pattern: "XK", hash: "SHA256", hybrid: true } as const;
 * const server = generateX25519(crypto);
 * using initiator = new HandshakeState({
 *   ...suite,
 *   role: "initiator",
 *   staticKeyPair: generateX25519(crypto),
 *   remoteStaticKey: server.publicKey,
 * });
 * using responder = new HandshakeState({ ...suite, role: "responder", staticKeyPair: server });
 *
 * responder.readMessage(initiator.writeMessage());
 * initiator.readMessage(responder.writeMessage());
 * responder.readMessage(initiator.writeMessage());
 *
 * using sender = initiator.split().send;
 * using receiver = responder.split().receive;
 * const ad = new Uint8Array(0);
 * const sealed = sender.encryptWithAd(ad, Uint8Array.of(1, 2, 3));
 * if (receiver.decryptWithAd(ad, sealed).join() !== "1,2,3") throw new Error();
 * ```
 *
 * @module
 */
export { CipherState } from "./cipher_state.ts";
export { NoiseError, type NoiseErrorCode } from "./error.ts";
export { HandshakeState, type TransportCiphers } from "./handshake_state.ts";
export type { HandshakeOptions } from "./options.ts";
export { MAX_MESSAGE_LENGTH } from "./pattern.ts";
export type { NoiseHash } from "./symmetric_state.ts";
