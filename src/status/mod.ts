/**
 * Health, metrics and a live page that every role can serve on a loopback port.
 *
 * @module
 */
export type { StatusCell, StatusSection } from "./page.ts";
export { serveStatus, type ServeStatusOptions } from "./serve_status.ts";
export { type Checks, statusApp, type StatusOptions } from "./status_app.ts";
