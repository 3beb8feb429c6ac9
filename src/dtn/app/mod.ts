/**
 * REST and WebSocket for the applications of a node.
 * @module
 */
export { restApp } from "./rest_app.ts";
export type { RestAppOptions } from "./rest_options.ts";
