/**
 * Betanet for Deno: one namespace per part.
 *
 * @module
 */
export * as betanetCla from "./src/betanet_cla/mod.ts";
export * as dtn from "./src/dtn/mod.ts";
export * as fabric from "./src/fabric/mod.ts";
export * as ffi from "./src/ffi/mod.ts";
export * as http2 from "./src/http2/mod.ts";
export * as htx from "./src/htx/mod.ts";
export * as mixnet from "./src/mixnet/mod.ts";
export * as status from "./src/status/mod.ts";
export * as tls from "./src/tls/mod.ts";
export * as utls from "./src/utls/mod.ts";
