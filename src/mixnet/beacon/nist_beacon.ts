import {
  type Bytes,
  concat,
  encodeHex,
  equal,
  utf8,
  Writer,
} from "../../core/bytes/mod.ts";
import {
  type CryptoProvider,
  SIGNATURE_SCHEME,
  verifySignature,
} from "../../core/crypto/mod.ts";
import { type BeaconFetch, fetchJson, fetchText } from "./beacon_fetch.ts";
import {
  beaconSeconds,
  type BeaconSource,
  componentOf,
} from "./beacon_source.ts";
import { BeaconError } from "./error.ts";
import {
  hexOf,
  type JsonObject,
  malformed,
  numberOf,
  objectOf,
  textOf,
} from "./json_fields.ts";
import { certificateKey } from "./nist_certificate.ts";

/** Options of {@link nistBeacon}. */
export interface NistBeaconOptions {
  /** Primitives. */
  readonly crypto: CryptoProvider;
  /** Does the requests. */
  readonly beaconFetch: BeaconFetch;
  /** The beacon's address, such as `https://beacon.nist.gov/beacon/2.0`. */
  readonly url: string;
  /** Length of an epoch. */
  readonly epochSeconds: number;
  /**
   * SHA-512 of the DER of the beacon's certificate, 64 bytes, as pulses name it: only pulses that it signed count. Without it the
   * server and the way to it are trusted.
   */
  readonly certificateId?: Uint8Array;
}

const NAME = "nist";
const PERIOD_SECONDS = 60;
const MAX_BYTES = 16_384;
const MAX_LIST = 16;

/**
 * The component `nist`: the pulse of the minute of `beaconSeconds`, from the Randomness Beacon 2.0 of NIST (NISTIR 8213).
 *
 * That its output is the hash of all that it says is verified; and, if `certificateId` is given, that the certificate of this id,
 * which the server gives too, signed it. Neither the certificate's own issuer and dates nor the chain of pulses are. A minute
 * without a pulse has none, though the beacon then gives the nearest.
 */
export function nistBeacon(
  { crypto, beaconFetch, url, epochSeconds, certificateId }: NistBeaconOptions,
): BeaconSource {
  let key: Bytes | undefined;
  const keyOf = async (id: Uint8Array, signal: AbortSignal) => {
    const pem = await fetchText(beaconFetch, {
      url: `${url}/certificate/${encodeHex(id)}`,
      maxBytes: MAX_BYTES,
    }, signal);
    if (pem === undefined) throw new BeaconError("refused", "No certificate");
    return certificateKey(crypto, pem, id);
  };
  return {
    name: NAME,
    async value(epoch, signal) {
      const seconds = beaconSeconds(epoch, epochSeconds);
      const minuteMs = (seconds - seconds % PERIOD_SECONDS) * 1_000;
      const answer = await fetchJson(beaconFetch, {
        url: `${url}/pulse/time/${minuteMs}`,
        maxBytes: MAX_BYTES,
      }, signal);
      if (answer === undefined) return undefined;
      const pulse = objectOf(objectOf(answer).pulse);
      const output = outputOf(crypto, pulse);
      if (certificateId) {
        if (!equal(hexOf(pulse.certificateId, 64), certificateId)) {
          throw new BeaconError("unverified", "Another certificate's pulse");
        }
        key ??= await keyOf(certificateId, signal);
        checkSignature(pulse, key);
      }
      return Date.parse(textOf(pulse.timeStamp)) === minuteMs
        ? componentOf(crypto, NAME, output)
        : undefined;
    },
  };
}

function outputOf(crypto: CryptoProvider, pulse: JsonObject): Bytes {
  if (numberOf(pulse.cipherSuite) !== 0) malformed("Want cipher suite 0");
  const signature = hexOf(pulse.signatureValue, 256, 1_024);
  const output = hexOf(pulse.outputValue, 64);
  const hash = crypto.hash("sha512", concat(signedBytes(pulse), signature));
  if (equal(output, hash)) return output;
  throw new BeaconError("unverified", "The output is not the pulse's hash");
}

function checkSignature(pulse: JsonObject, key: Uint8Array): void {
  const signature = hexOf(pulse.signatureValue, 256, 1_024);
  const scheme = SIGNATURE_SCHEME.rsaPkcs1Sha512;
  if (verifySignature(scheme, key, signedBytes(pulse), signature)) return;
  throw new BeaconError("unverified", "The signature is not the beacon's");
}

/** What a pulse's signature is over: its fields in their order, texts and byte strings behind a u32 length. */
function signedBytes(pulse: JsonObject): Bytes {
  const external = objectOf(pulse.external);
  const list = Array.isArray(pulse.listValues) ? pulse.listValues : [];
  if (list.length > MAX_LIST) malformed(`More than ${MAX_LIST} list values`);
  return concat(
    text(pulse.uri),
    text(pulse.version),
    u32(pulse.cipherSuite),
    u32(pulse.period),
    hash(pulse.certificateId),
    u64(pulse.chainIndex),
    u64(pulse.pulseIndex),
    text(pulse.timeStamp),
    hash(pulse.localRandomValue),
    hash(external.sourceId),
    u32(external.statusCode),
    hash(external.value),
    ...list.map((each) => hash(objectOf(each).value)),
    hash(pulse.precommitmentValue),
    u32(pulse.statusCode),
  );
}

function text(value: unknown): Bytes {
  const bytes = utf8(textOf(value));
  return concat(u32(bytes.length), bytes);
}

function hash(value: unknown): Bytes {
  return concat(u32(64), hexOf(value, 64));
}

function u32(value: unknown): Bytes {
  const number = numberOf(value);
  if (number >= 2 ** 32) malformed("Want a number of 32 bits");
  return new Writer().u32(number).finish();
}

function u64(value: unknown): Bytes {
  return new Writer().u64(BigInt(numberOf(value))).finish();
}
