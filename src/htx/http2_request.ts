import type { Bytes } from "../core/bytes/mod.ts";
import type { HeaderField } from "../http2/mod.ts";
import { navigationFields, type Profile } from "../utls/mod.ts";
import { FORM } from "./browser_fields.ts";
import { placeTicket, type TicketRequestOptions } from "./carrier.ts";

/** A request over HTTP/2, as a browser makes it. */
export interface Http2Request {
  /** Pseudo-fields first, in the browser's order. */
  readonly fields: readonly HeaderField[];
  /** The form, or no bytes. */
  readonly body: Bytes;
}

/** The order of Chrome for a form that a person submits. */
const FORM_ORDER = [
  "content-length",
  "cache-control",
  "sec-ch-ua",
  "sec-ch-ua-mobile",
  "sec-ch-ua-platform",
  "origin",
  "content-type",
  "upgrade-insecure-requests",
  "user-agent",
  "accept",
  "sec-fetch-site",
  "sec-fetch-mode",
  "sec-fetch-user",
  "sec-fetch-dest",
  "referer",
  "accept-encoding",
  "accept-language",
  "priority",
];

/** The order of Chrome for `fetch()` by a script. */
const FETCH_ORDER = [
  "sec-ch-ua-platform",
  "user-agent",
  "sec-ch-ua",
  "content-type",
  "sec-ch-ua-mobile",
  "accept",
  "origin",
  "sec-fetch-site",
  "sec-fetch-mode",
  "sec-fetch-dest",
  "referer",
  "accept-encoding",
  "accept-language",
  "priority",
];

/**
 * Puts a ticket into what the browser of `profile` sends when a person opens a page, or submits its form for the `body` carrier.
 *
 * @throws {TypeError} If host, path or cookie name have characters that do not belong there.
 */
export function makeHttp2TicketRequest(
  profile: Profile,
  options: Omit<TicketRequestOptions, "upgrade" | "profile">,
): Http2Request {
  const { target, cookie, body } = placeTicket(options);
  const { host } = options;
  if (options.carrier === "body") {
    const fields = posted(profile, host, target, FORM_ORDER, {
      "content-length": `${body.length}`,
      "cache-control": "max-age=0",
      "content-type": FORM,
    });
    return { fields, body };
  }
  const fields = navigationFields(profile, {
    authority: authorityOf(host),
    path: target,
    ...(cookie !== undefined && { cookie }),
  });
  return { fields, body };
}

/** The fields by which a script of the page at `path` of `host` begins an upload of unknown length to it. */
export function uploadFields(
  profile: Profile,
  host: string,
  path: string,
): HeaderField[] {
  return posted(profile, host, path, FETCH_ORDER, {
    "content-type": "application/octet-stream",
    "accept": "*/*",
    "sec-fetch-mode": "cors",
    "sec-fetch-dest": "empty",
    "priority": "u=1, i",
  });
}

/** A POST from the page at `path` to itself: the fields of a navigation with `changes`, as far as `order` names them. */
function posted(
  profile: Profile,
  host: string,
  path: string,
  order: readonly string[],
  changes: Readonly<Record<string, string>>,
): HeaderField[] {
  const authority = authorityOf(host);
  const page = navigationFields(profile, { authority, path });
  const hasPriority = page.some(([name]) => name === "priority");
  const fields = new Map([
    ...page,
    [":method", "POST"],
    ["origin", `https://${authority}`],
    ["sec-fetch-site", "same-origin"],
    ["referer", `https://${authority}${path}`],
    ...Object.entries(changes),
  ]);
  if (!hasPriority) fields.delete("priority");
  return [...profile.http2.pseudoOrder, ...order].flatMap((name) => {
    const value = fields.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
}

/** `host` as a URL of HTTPS has it. */
export function authorityOf(host: string): string {
  return host.replace(/:443$/, "");
}
