/**
 * Sources of the BeaconSet's components: drand, NIST, Ethereum, a file.
 *
 * Requests are done by a {@link BeaconFetch} that is given to them.
 *
 * @module
 */
export type {
  BeaconAnswer,
  BeaconFetch,
  BeaconRequest,
} from "./beacon_fetch.ts";
export { parseBeaconFile } from "./beacon_file.ts";
export type { BeaconComponents } from "./beacon_set.ts";
export {
  beaconSeconds,
  type BeaconSource,
  gatherBeacon,
  type GatheredBeacon,
} from "./beacon_source.ts";
export {
  DRAND_DEFAULT,
  drandBeacon,
  type DrandBeaconOptions,
  type DrandChain,
} from "./drand_beacon.ts";
export { BeaconError, type BeaconErrorCode } from "./error.ts";
export {
  ethereumBeacon,
  type EthereumBeaconOptions,
} from "./ethereum_beacon.ts";
export { nistBeacon, type NistBeaconOptions } from "./nist_beacon.ts";
