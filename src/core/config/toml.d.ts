/**
 * Types of `@std/toml`, which the import map takes from a plain-JavaScript republication of Deno's standard library.
 *
 * @module
 */

/**
 * The value of each key of a TOML text.
 *
 * @throws {SyntaxError} If it is not TOML; the message names the line and may quote the text.
 */
export function parse(text: string): Record<string, unknown>;
