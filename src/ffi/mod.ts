/**
 * Native libraries through `Deno.dlopen`.
 *
 * ```ts
 * import { selectProvider } from "../core/crypto/mod.ts";
 * import { FfiError, openLibcrypto } from "./mod.ts";
 *
 * function candidates() {
 *   try {
 *     return [openLibcrypto()];
 *   } catch (error) {
 *     if (error instanceof FfiError) return [];
 *     throw error;
 *   }
 * }
 * const { provider } = selectProvider(candidates());
 * provider.hash("sha256");
 * ```
 *
 * @module
 */
export { FfiError, type FfiErrorCode } from "./error.ts";
export { openLibcrypto } from "./libcrypto.ts";
export { openLibsodium } from "./libsodium.ts";
export {
  importLibcryptoKey,
  type LibcryptoKey,
} from "./libcrypto/signing_key.ts";
