import { Decoder, Encoder } from "cbor-x";
import { FabricError } from "../error.ts";

/** Maps come as objects, whose keys are never a prototype's; nothing is shared between messages. */
const OPTIONS = { useRecords: false, mapsAsObjects: true } as const;
const encoder = new Encoder(OPTIONS);
const decoder = new Decoder(OPTIONS);

/** A value as payloads carry it: CBOR by `cbor-x`. */
export function encodePayload(value: unknown): Uint8Array {
  return encoder.encode(value);
}

/**
 * The value of a payload.
 *
 * @throws {FabricError} `malformed` if it is no CBOR, or goes on after the value.
 */
export function decodePayload(payload: Uint8Array): unknown {
  try {
    return decoder.decode(payload);
  } catch (cause) {
    throw new FabricError("malformed", "The payload is no CBOR", { cause });
  }
}
