import { equal, utf8 } from "../bytes/mod.ts";

/** Why a request is not served. */
export interface RequestRefusal {
  /** Its status of HTTP. */
  readonly status: 401 | 403 | 421;
  /** A line for the person. */
  readonly text: string;
}

/** An IP address of this machine, or its name for itself: no web site reaches us through a name of its own. */
const LOOPBACK = /^(?:localhost|127(?:\.[0-9]+){3}|\[::1\])$/;

/**
 * Why an interface for the programs of this machine does not serve a request: it is for another name than those of loopback, of a
 * web page, or without the token; `undefined` if it does.
 *
 * @param token - What it must bring as `Authorization: Bearer …`; nothing if absent.
 */
export function loopbackRefusal(
  { url, headers }: Pick<Request, "url" | "headers">,
  token?: string,
): RequestRefusal | undefined {
  if (!LOOPBACK.test(new URL(url).hostname)) {
    return { status: 421, text: "Misdirected request\n" };
  }
  // Browsers send one of these for pages, programs send neither.
  const site = headers.get("sec-fetch-site") ?? "none";
  if (headers.get("origin") !== null || site !== "none") {
    return { status: 403, text: "Not for web pages\n" };
  }
  const given = headers.get("authorization") ?? "";
  if (token !== undefined && !equal(utf8(given), utf8(`Bearer ${token}`))) {
    return { status: 401, text: "Unauthorized\n" };
  }
}
