/**
 * Native libraries through `Deno.dlopen`.
 *
 * @module
 */
export {};
