import { decodeHex } from "../../src/core/bytes/mod.ts";
import type { CryptoProvider } from "../../src/core/crypto/mod.ts";
import type { Logger } from "../../src/core/log/mod.ts";
import { readTextFile } from "../../src/core/storage/mod.ts";
import { beacon, type directory } from "../../src/mixnet/mod.ts";
import { CliError } from "../_error.ts";
import { beaconFetch } from "./beacon_fetch.ts";
import type { MixnodeConfig } from "./config.ts";
import { parametersOf } from "./settings.ts";

type BeaconConfig = MixnodeConfig["authority"]["beacon"];

/** The values of drand, NIST and Ethereum are out up to a minute before the middle of the epoch, where the list has been closed for an eighth. */
const MIN_EPOCH_SECONDS = 600;
const NIST_CERTIFICATE = /^(.+)\/certificate\/([0-9a-f]{128})$/i;

/**
 * What asks the sources that `[authority.beacon]` names.
 *
 * @throws {CliError} `failed` if {@link beaconFault} has something to say.
 */
export function beaconOf(
  config: MixnodeConfig,
  crypto: CryptoProvider,
  log: Logger,
): directory.DirectoryAuthorityOptions["beacon"] {
  const fault = beaconFault(config);
  if (fault !== undefined) throw new CliError("failed", fault);
  const { drand, nist, ethereum, file } = config.authority.beacon;
  const { epochSeconds } = parametersOf(config);
  const common = { crypto, beaconFetch, epochSeconds };
  const sources = [
    ...(drand === undefined
      ? []
      : [beacon.drandBeacon({ ...common, url: drand })]),
    ...(nist === undefined
      ? []
      : [beacon.nistBeacon({ ...common, ...nistOf(nist) })]),
    ...(ethereum === undefined
      ? []
      : [beacon.ethereumBeacon({ ...common, url: ethereum })]),
    ...(file === undefined ? [] : sourcesIn(file)),
  ];
  return async (epoch, signal) => {
    const { components, failures } = await beacon.gatherBeacon(
      epoch,
      sources,
      signal,
    );
    for (const [name, error] of failures) {
      log.warn("directory.beacon", { name, error });
    }
    return components;
  };
}

function sourcesIn(file: string): beacon.BeaconSource[] {
  try {
    return beacon.parseBeaconFile(readTextFile(file));
  } catch (cause) {
    throw new CliError("failed", `${file} does not hold a beacon`, { cause });
  }
}

/** Why an authority must not use the sources that it is given, if it must not. */
export function beaconFault(config: MixnodeConfig): string | undefined {
  const { file: _, ...asked } = config.authority.beacon;
  const isAsked = Object.values(asked).some((url) => url !== undefined);
  if (isAsked && parametersOf(config).epochSeconds < MIN_EPOCH_SECONDS) {
    return "network.epoch is under 10 minutes: drand, NIST and Ethereum are known before the list of nodes is closed";
  }
}

/** Whether NIST's pulses are taken without their signature, as no certificate is named. */
export function isNistUnpinned({ nist }: BeaconConfig): boolean {
  return nist !== undefined && !NIST_CERTIFICATE.test(nist);
}

/** The beacon's address, and its certificate if the configured address is that of one. */
function nistOf(
  address: string,
): Pick<beacon.NistBeaconOptions, "url" | "certificateId"> {
  const [, url, id] = NIST_CERTIFICATE.exec(address) ?? [];
  return url === undefined || id === undefined
    ? { url: address }
    : { url, certificateId: decodeHex(id.toLowerCase()) };
}
