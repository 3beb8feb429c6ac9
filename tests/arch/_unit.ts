/** Where this repository lies; ends in `/`. */
export const ROOT = decodeURIComponent(
  new URL("../../", import.meta.url).pathname,
);

/** `core/bytes` for `src/core/bytes/reader.ts` in {@link ROOT}, `htx` for `src/htx/frame.ts`, `undefined` outside of `src`. */
export function unitOf(path: string): string | undefined {
  if (!isSource(path)) return undefined;
  return path.slice(ROOT.length).match(/^src\/((?:core\/)?[^/]+)\/[^/]/)?.[1];
}

/** Whether `path` is source of the library, wherever in `src` it lies. */
export function isSource(path: string): boolean {
  return path.startsWith(`${ROOT}src/`);
}
