import type { Bytes } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";

/** What {@link mixSeed} is made of. */
export interface MixSeedInputs {
  /** The value of the epoch's BeaconSet, 32 bytes. */
  readonly beacon: Uint8Array;
  /** PeerID of the sender, 34 bytes. */
  readonly source: Uint8Array;
  /** PeerID of the receiver, 34 bytes. */
  readonly destination: Uint8Array;
  /** Of the stream, 16 bytes. */
  readonly streamNonce: Uint8Array;
}

/** SHA256(BeaconSet(epoch) ‖ srcPeerID ‖ dstPeerID ‖ streamNonce) (BN11-7.2-3). */
export function mixSeed(
  crypto: CryptoProvider,
  { beacon, source, destination, streamNonce }: MixSeedInputs,
): Bytes {
  return crypto.hash("sha256", beacon, source, destination, streamNonce);
}
