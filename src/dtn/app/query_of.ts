import type { Context } from "@hono/hono";

/**
 * All behind the question mark, as dtn7-rs takes it.
 *
 * @throws {RangeError} If its escapes are none of UTF-8.
 */
export function queryOf(c: Context): string {
  try {
    return decodeURIComponent(new URL(c.req.url).search.slice(1));
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    throw new RangeError("Want a query in UTF-8");
  }
}
