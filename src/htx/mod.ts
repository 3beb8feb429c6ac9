/**
 * HTX: Betanet 1.1's covert, multiplexed, encrypted transport.
 *
 * @module
 */
export { HtxError, type HtxErrorCode } from "./error.ts";
