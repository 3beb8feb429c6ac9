/**
 * Betanet for Deno: one namespace per part.
 *
 * @module
 */
export * as htx from "./src/htx/mod.ts";
export * as status from "./src/status/mod.ts";
