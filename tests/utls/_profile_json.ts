import { parseProfile, type Profile, profileOf } from "../../src/utls/mod.ts";

/** The JSON of the profile for `version`, to change. */
// deno-lint-ignore no-explicit-any -- tests break it in every place
export function profileJson(version: number): any {
  const first = profileOf(version).versions[0];
  const path = new URL(
    `../../src/utls/profiles/chrome_${first}.json`,
    import.meta.url,
  );
  return JSON.parse(Deno.readTextFileSync(path));
}

/** The profile for `version` without the extensions called `names`. */
export function profileWithout(
  version: number,
  ...names: readonly string[]
): Profile {
  const json = profileJson(version);
  json.hello.extensions = json.hello.extensions.filter((
    rule: { name: string },
  ) => !names.includes(rule.name));
  return { ...parseProfile(json), version };
}
