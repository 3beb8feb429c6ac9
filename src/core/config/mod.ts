/**
 * Configuration: TOML read by a schema, with errors that name the line and what is allowed.
 *
 * A schema is made of plain values, from which the type of the configuration follows:
 *
 * ```ts
 * import { type ConfigOf, duration, integer, parseConfig, section } from "./mod.ts";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const schema = section({
 *   port: integer({ min: 1, max: 65535, default: 9000, doc: "TCP port" }),
 *   idle_timeout: duration({ min: "1s", default: "30s" }),
 * });
 * const config: ConfigOf<typeof schema> = parseConfig('idle_timeout = "5m"', schema);
 * assertEquals(config, { port: 9000, idle_timeout: 300_000 });
 * assertThrows(
 *   () => parseConfig("port = 0", schema, { source: "htx.toml" }),
 *   Error,
 *   "htx.toml:1: port: want an integer in 1..65535, got 0",
 * );
 * ```
 *
 * @module
 */
export { describeConfig } from "./describe_config.ts";
export { formatDuration, parseDuration } from "./duration.ts";
export {
  ConfigError,
  type ConfigErrorCode,
  type ConfigIssue,
} from "./error.ts";
export { list, type ListSettings } from "./list.ts";
export {
  boolean,
  integer,
  number,
  type NumberSettings,
} from "./number_option.ts";
export {
  type ConfigOf,
  type Fields,
  type IssueList,
  Option,
  type OptionKind,
  type OptionSettings,
} from "./option.ts";
export { parseConfig, type ParseConfigOptions } from "./parse_config.ts";
export { section, type SectionOf } from "./section.ts";
export { formatSize, parseSize } from "./size.ts";
export {
  duration,
  oneOf,
  parsed,
  type ParsedSettings,
  type QuantitySettings,
  size,
  string,
  type StringSettings,
} from "./text_option.ts";
export type {
  Placed,
  TomlArray,
  TomlBoolean,
  TomlLine,
  TomlNumber,
  TomlTable,
  TomlText,
  TomlValue,
} from "./parse_toml.ts";
