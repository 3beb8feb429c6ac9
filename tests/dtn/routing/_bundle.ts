import type { RoutedBundle } from "../../../src/dtn/routing/router.ts";

/** A bundle from `dtn://a/` to `dtn://z/`, of 100 bytes. */
export function bundle(
  n: number,
  changes: Partial<RoutedBundle> = {},
): RoutedBundle {
  return {
    id: `dtn://a/app-${n}-0`,
    source: "dtn://a/app",
    destination: "dtn://z/in",
    destinationNode: "dtn://z/",
    size: 100,
    expiresMs: 1_000_000,
    ...changes,
  };
}
