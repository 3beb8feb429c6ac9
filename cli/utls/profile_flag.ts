import { readTextFile } from "../../src/core/storage/mod.ts";
import {
  parseProfile,
  type Profile,
  profileOf,
  profileVersions,
  UtlsError,
} from "../../src/utls/mod.ts";
import { CliError } from "../_error.ts";

/**
 * The profile that a flag names: `latest`, a major version of Chrome, or a file.
 *
 * @throws {CliError} `usage` if there is no such profile.
 * @throws {UtlsError} `profile` if the file is none.
 */
export function readProfile(text = "latest"): Profile {
  if (text === "latest" || VERSION_REGEXP.test(text)) return chrome(text);
  const json = readTextFile(text);
  try {
    return parseProfile(JSON.parse(json));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new CliError("usage", `${text} is not JSON`, { cause });
  }
}

/**
 * The profile of `latest` or a major version of Chrome.
 *
 * @throws {CliError} `usage` if there is no such profile.
 */
export function chrome(version: string): Profile {
  const major = VERSION_REGEXP.test(version) ? Number(version) : NaN;
  try {
    return profileOf(version === "latest" ? version : major);
  } catch (cause) {
    if (!(cause instanceof UtlsError)) throw cause;
    const versions = profileVersions();
    throw new CliError("usage", `No profile of Chrome ${version}`, {
      cause,
      hint: `There are ${versions[0]} to ${versions.at(-1)}, and latest.`,
    });
  }
}

const VERSION_REGEXP = /^[0-9]{1,4}$/;
