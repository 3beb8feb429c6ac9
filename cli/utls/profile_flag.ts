import { readTextFile } from "../../src/core/storage/mod.ts";
import { parseProfile, type Profile, profileOf } from "../../src/utls/mod.ts";
import { CliError } from "../_error.ts";

/**
 * The profile that a flag names: `latest`, a major version of Chrome, or a file.
 *
 * @throws {CliError} `usage` if there is no such profile.
 * @throws {UtlsError} `profile` if the file is none.
 */
export function readProfile(text = "latest"): Profile {
  if (text === "latest") return profileOf(text);
  if (/^\d{1,4}$/.test(text)) return profileOf(Number(text));
  const json = readTextFile(text);
  try {
    return parseProfile(JSON.parse(json));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new CliError("usage", `${text} is not JSON`, { cause });
  }
}
