import {
  CodecError,
  CryptoError as MlsCryptoError,
  CryptoVerificationError,
  MlsError,
} from "ts-mls/mlsError.js";
import { CryptoError } from "../../../core/crypto/mod.ts";
import { FabricError, type FabricErrorCode } from "../../error.ts";

/** What `work` gives; what it throws because of a peer's bytes is a {@link FabricError}. */
export async function typed<T>(
  what: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw asFabricError(what, cause);
  }
}

/** What was thrown while a peer's bytes were worked on, as a {@link FabricError} that holds nothing of them. */
export function asFabricError(what: string, cause: unknown): FabricError {
  if (cause instanceof FabricError) return cause;
  return new FabricError(codeOf(cause), `${what} is not taken`, { cause });
}

function codeOf(cause: unknown): FabricErrorCode {
  if (
    cause instanceof CryptoError || cause instanceof MlsCryptoError ||
    cause instanceof CryptoVerificationError
  ) return "unauthenticated";
  if (cause instanceof CodecError || !(cause instanceof MlsError)) {
    return "malformed"; // the library's arrays and integers are out of range
  }
  return "refused";
}
