import { Decoder, Encoder } from "cbor-x";
import { DecodeError } from "../../core/bytes/mod.ts";
import { FabricError } from "../error.ts";
import { MAX_PAYLOAD_BYTES } from "../message/message.ts";
import { checkPayloadBounds } from "./payload_bounds.ts";

/** Maps come as objects, whose keys are never a prototype's; nothing is shared between messages. */
const OPTIONS = {
  ...{ useRecords: false, mapsAsObjects: true, tagUint8Array: false },
} as const;
const encoder = new Encoder(OPTIONS);
const decoder = new Decoder(OPTIONS);

/**
 * A value as payloads carry it: CBOR by `cbor-x`.
 *
 * @throws {RangeError} If the other end would refuse it: more than `maxBytes`, 16 MiB by default, or beyond the bounds of
 *   `checkPayloadBounds`.
 */
export function encodePayload(
  value: unknown,
  maxBytes = MAX_PAYLOAD_BYTES,
): Uint8Array {
  const bytes = encoded(value);
  if (bytes.length > maxBytes) {
    throw new RangeError(`A value has at most ${maxBytes} bytes as CBOR`);
  }
  try {
    checkPayloadBounds(bytes);
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    throw notCarried(cause);
  }
  // What `cbor-x` gives is a Buffer, and so would be the byte strings of it.
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** What `cbor-x` makes of a value: it throws at functions, symbols and cycles, each another error. */
function encoded(value: unknown): Uint8Array {
  try {
    return encoder.encode(value);
  } catch (cause) {
    throw notCarried(cause);
  }
}

function notCarried(cause: unknown): RangeError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const text = `A message cannot carry that value: ${why}`;
  return new RangeError(text, { cause });
}

/**
 * The value of a payload; byte strings in it borrow from `payload`.
 *
 * @throws {FabricError} `malformed` if it is no CBOR, or beyond the bounds of `checkPayloadBounds`.
 */
export function decodePayload(payload: Uint8Array): unknown {
  try {
    checkPayloadBounds(payload);
    return decoder.decode(payload);
  } catch (cause) {
    throw new FabricError("malformed", "The payload is not one we take", {
      cause,
    });
  }
}
