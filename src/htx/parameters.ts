/**
 * Session parameters, exchanged in the payloads of the inner handshake (profile G13).
 *
 * A deterministic CBOR map from parameter number to unsigned integer. An absent one has its minimum, an unknown one is ignored.
 *
 * ```text
 * 1  streams the peer may have open at once              min     16  max      65,535
 * 2  bytes a stream's receive window may grow to         min 65,535  max 268,435,456
 * 3  bytes the session's receive window may grow to      min 1,048,560  max 1,073,741,824
 * 4  longest data of a STREAM frame, in bytes            min 16,384  max   1,048,576
 * ```
 *
 * @module
 */
import {
  type Bytes,
  decodeCbor,
  DecodeError,
  encodeCbor,
} from "../core/bytes/mod.ts";
import { INITIAL_SESSION_WINDOW, INITIAL_STREAM_WINDOW } from "./flow.ts";

/** What one side offers the other. */
export interface Parameters {
  /** Streams the peer may have open at once. Default 1,024. */
  readonly maxStreams: number;
  /** Bytes a stream's window may grow to; 65,535 keeps it fixed. Default 4 MiB. */
  readonly maxStreamWindowBytes: number;
  /** Bytes the session's window may grow to: what a peer can make us hold. Default 16 MiB. */
  readonly maxSessionWindowBytes: number;
  /** Longest data we take in one STREAM frame, in bytes. Default 65,536. */
  readonly maxDataBytes: number;
}

/** What we offer unless told otherwise. */
export const DEFAULT_PARAMETERS: Parameters = {
  maxStreams: 1_024,
  maxStreamWindowBytes: 4 * 2 ** 20,
  maxSessionWindowBytes: 16 * 2 ** 20,
  maxDataBytes: 65_536,
};

/** Longest encoding that is decoded, in bytes. */
export const MAX_PARAMETERS_LENGTH = 1_024;

/** What a parameter is on the wire. */
export interface ParameterRange {
  /** Its number. */
  readonly number: number;
  /** Its smallest value, which an absent one has. */
  readonly min: number;
  /** Its largest value. */
  readonly max: number;
}

/** The number and the allowed values of each parameter. */
export const PARAMETER_RANGE: Readonly<
  Record<keyof Parameters, ParameterRange>
> = {
  maxStreams: { number: 1, min: 16, max: 65_535 },
  maxStreamWindowBytes: {
    number: 2,
    min: INITIAL_STREAM_WINDOW,
    max: 256 * 2 ** 20,
  },
  maxSessionWindowBytes: {
    number: 3,
    min: INITIAL_SESSION_WINDOW,
    max: 2 ** 30,
  },
  maxDataBytes: { number: 4, min: 16_384, max: 2 ** 20 },
};

const NAMES = Object.keys(PARAMETER_RANGE) as (keyof Parameters)[];

/**
 * Completes `options` with {@link DEFAULT_PARAMETERS}.
 *
 * @throws {RangeError} If one is outside its range.
 */
export function parameters(options: Partial<Parameters> = {}): Parameters {
  const complete = { ...DEFAULT_PARAMETERS, ...options };
  for (const name of NAMES) {
    const { min, max } = PARAMETER_RANGE[name];
    const value = complete[name];
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new RangeError(`${name} must be in ${min}..${max}: got ${value}`);
    }
  }
  return complete;
}

/** Encodes what we offer. */
export function encodeParameters(value: Parameters): Bytes {
  return encodeCbor(
    new Map(NAMES.map((name) => [PARAMETER_RANGE[name].number, value[name]])),
  );
}

/**
 * Decodes what the peer offers; a value above a range is cut to it, since we would not use more.
 *
 * @throws {DecodeError} If it is no map of integers, or a value is below its minimum.
 */
export function decodeParameters(bytes: Uint8Array): Parameters {
  const what = "htx parameters";
  if (bytes.length > MAX_PARAMETERS_LENGTH) {
    throw new DecodeError(what, "too long");
  }
  const map = decodeCbor(bytes, { maxDepth: 2, maxItems: 64 }, what);
  if (!(map instanceof Map)) throw new DecodeError(what, "want a map");
  const read = (name: keyof Parameters) => {
    const { number, min, max } = PARAMETER_RANGE[name];
    const value = map.get(number) ?? min;
    if (typeof value !== "number" || value < min) {
      throw new DecodeError(what, `parameter ${number} is below ${min}`);
    }
    return Math.min(value, max);
  };
  return {
    maxStreams: read("maxStreams"),
    maxStreamWindowBytes: read("maxStreamWindowBytes"),
    maxSessionWindowBytes: read("maxSessionWindowBytes"),
    maxDataBytes: read("maxDataBytes"),
  };
}
