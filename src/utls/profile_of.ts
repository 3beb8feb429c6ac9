import { UtlsError } from "./error.ts";
import { parseProfile, type Profile } from "./profile.ts";
import chrome106 from "./profiles/chrome_106.json" with { type: "json" };
import chrome107 from "./profiles/chrome_107.json" with { type: "json" };
import chrome110 from "./profiles/chrome_110.json" with { type: "json" };
import chrome112 from "./profiles/chrome_112.json" with { type: "json" };
import chrome117 from "./profiles/chrome_117.json" with { type: "json" };
import chrome119 from "./profiles/chrome_119.json" with { type: "json" };
import chrome124 from "./profiles/chrome_124.json" with { type: "json" };
import chrome131 from "./profiles/chrome_131.json" with { type: "json" };
import chrome133 from "./profiles/chrome_133.json" with { type: "json" };
import chrome141 from "./profiles/chrome_141.json" with { type: "json" };
import chrome150 from "./profiles/chrome_150.json" with { type: "json" };
import chrome152 from "./profiles/chrome_152.json" with { type: "json" };
import chrome154 from "./profiles/chrome_154.json" with { type: "json" };

/** Every family, oldest first. */
const FAMILIES = [
  chrome106,
  chrome107,
  chrome110,
  chrome112,
  chrome117,
  chrome119,
  chrome124,
  chrome131,
  chrome133,
  chrome141,
  chrome150,
  chrome152,
  chrome154,
] as const;

/** The major versions of Chrome that have a profile, ascending. */
export function profileVersions(): number[] {
  return FAMILIES.flatMap(({ versions: [first, last] }) =>
    Array.from({ length: last! - first! + 1 }, (_, at) => first! + at)
  );
}

/** The profile of the newest version of each family, oldest first. */
export function profileFamilies(): Profile[] {
  return FAMILIES.map(({ versions }) => profileOf(versions[1]!));
}

const parsed = new Map<number, Profile>();

/**
 * The profile of a major version of Chrome, or of the newest; the same object each time.
 *
 * @throws {UtlsError} `unknown_version`, naming those that exist.
 */
export function profileOf(version: number | "latest"): Profile {
  const major = version === "latest" ? profileVersions().at(-1)! : version;
  const known = parsed.get(major);
  if (known) return known;
  const family = FAMILIES.find(({ versions: [first, last] }) =>
    first! <= major && major <= last!
  );
  if (!family || !Number.isInteger(major)) {
    const all = profileVersions();
    throw new UtlsError(
      "unknown_version",
      `Expected a version in ${all[0]} … ${all.at(-1)}, got ${major}`,
    );
  }
  const profile = { ...parseProfile(family), version: major };
  parsed.set(major, profile);
  return profile;
}
