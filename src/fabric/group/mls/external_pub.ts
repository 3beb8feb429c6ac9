import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import type { Extension } from "ts-mls/extension.js";
import type { GroupInfo } from "ts-mls/groupInfo.js";
import { concat } from "../../../core/bytes/mod.ts";
import { FabricError } from "../../error.ts";

const KEY_BYTES = 32;

/**
 * The key that an external commit is made with (RFC 9420 §12.4.3.2): an HPKEPublicKey, thus with its length before it, which the
 * library leaves out.
 */
export async function externalPub(
  { hpke }: CiphersuiteImpl,
  externalSecret: Uint8Array,
): Promise<Extension> {
  const { publicKey } = await hpke.deriveKeyPair(externalSecret);
  const key = await hpke.exportPublicKey(publicKey);
  return {
    extensionType: "external_pub",
    extensionData: concat(Uint8Array.of(KEY_BYTES), key),
  };
}

/** The key in the extension of a GroupInfo. */
export function externalKeyOf({ extensions }: GroupInfo): Uint8Array {
  const { extensionData: data } =
    extensions.find(({ extensionType }) => extensionType === "external_pub") ??
      {};
  if (data?.length === 1 + KEY_BYTES && data[0] === KEY_BYTES) {
    return data.subarray(1);
  }
  throw new FabricError("malformed", "Want a GroupInfo with an external key");
}
