/**
 * A Sphinx mixnet.
 *
 * @module
 */
export {
  COMPACT,
  HEADER_LENGTH,
  REGULAR,
  type SphinxGeometry,
  sphinxGeometry,
} from "./sphinx/geometry.ts";
