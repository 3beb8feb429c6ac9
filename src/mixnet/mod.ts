/**
 * A Sphinx mixnet.
 *
 * @module
 */
export { SphinxError, type SphinxErrorCode } from "./sphinx/error.ts";
export {
  COMPACT,
  HEADER_LENGTH,
  REGULAR,
  type SphinxGeometry,
  sphinxGeometry,
} from "./sphinx/geometry.ts";
export type { Route, RouteHop } from "./sphinx/header.ts";
export { createPacket, unwrapPacket, type Unwrapped } from "./sphinx/packet.ts";
export { recoverMessage } from "./sphinx/payload.ts";
export {
  createSurb,
  recoverReply,
  replyPacket,
  SURB_LENGTH,
  type SurbRecovery,
} from "./sphinx/surb.ts";
