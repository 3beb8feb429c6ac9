import type { Bundle } from "../../src/dtn/mod.ts";

/** Whether a bundle's destination is of one of the patterns, in which `*` is for anything. */
export function destinedTo(
  patterns: readonly string[],
): (bundle: Bundle) => boolean {
  const destinations = patterns.map((pattern) => {
    const escaped = pattern.replace(/[\\^$.+?()[\]{}|]/g, "\\$&");
    return new RegExp(`^${escaped.replaceAll("*", ".*")}$`);
  });
  return ({ primary }) =>
    destinations.some((each) => each.test(`${primary.destination}`));
}
