import type { HttpFields } from "../core/transport/mod.ts";
import { navigationFields, type Profile } from "../utls/mod.ts";

/** The media type of a submitted form. */
export const FORM = "application/x-www-form-urlencoded";

/** A header field. */
export type Field = readonly [name: string, value: string];

const CLIENT_HINTS = ["sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform"];
const LANGUAGES = ["accept-encoding", "accept-language"];

/** What the browser of `profile` sends over HTTP/1.1 when a person opens a page. */
export function pageFields(host: string, profile: Profile): Field[] {
  const fields = [...ownFields(profile)].filter(([name]) => name !== "priority" // that is of HTTP/2
  );
  return [
    ["Host", host],
    ["Connection", "keep-alive"],
    ...fields.map(([name, value]): Field => [spelt(name), value]),
  ];
}

/** What it sends when a person submits a form of the same page. */
export function formFields(
  host: string,
  profile: Profile,
  { path, length }: { readonly path: string; readonly length: number },
): Field[] {
  const own = picking(profile);
  const origin = `https://${host}`;
  return [
    ["Host", host],
    ["Connection", "keep-alive"],
    ["Content-Length", String(length)],
    ["Cache-Control", "max-age=0"],
    ...own(CLIENT_HINTS),
    ["Origin", origin],
    ["Content-Type", FORM],
    ...own(["upgrade-insecure-requests", "user-agent", "accept"]),
    ["Sec-Fetch-Site", "same-origin"],
    ...own(["sec-fetch-mode", "sec-fetch-user", "sec-fetch-dest"]),
    ["Referer", `${origin}${path}`],
    ...own(LANGUAGES),
  ];
}

/** What it sends when a page opens a WebSocket, with `upgrade` in place of its own fields of those names. */
export function upgradeFields(
  host: string,
  profile: Profile,
  upgrade: HttpFields,
): Field[] {
  const own = picking(profile);
  const fields: Field[] = [
    ["Host", host],
    ["Connection", "Upgrade"],
    ["Pragma", "no-cache"],
    ["Cache-Control", "no-cache"],
    ...own(["user-agent"]),
    ["Upgrade", "websocket"],
    ["Origin", `https://${host}`],
    ["Sec-WebSocket-Version", "13"],
    ...own(LANGUAGES),
  ];
  const given = new Map(
    upgrade.map((field) => [field[0].toLowerCase(), field]),
  );
  const merged = fields.map((field) => {
    const own = given.get(field[0].toLowerCase());
    given.delete(field[0].toLowerCase());
    return own ?? field;
  });
  return [...merged, ...given.values()];
}

/** Gives those of the browser's own fields that are named, spelt as over HTTP/1.1. */
function picking(profile: Profile): (names: readonly string[]) => Field[] {
  const own = ownFields(profile);
  return (names) =>
    names.flatMap((name) => {
      const value = own.get(name);
      return value === undefined ? [] : [[spelt(name), value] as const];
    });
}

/** The fields of a navigation, in the browser's order. */
function ownFields(profile: Profile): Map<string, string> {
  const fields = navigationFields(profile, { authority: "", path: "/" });
  return new Map(fields.filter(([name]) => !name.startsWith(":")));
}

/** Client hints stay as they are, every other name has capitals. */
function spelt(name: string): string {
  if (name.startsWith("sec-ch-")) return name;
  return name.replace(/(?<![^-])[a-z]/g, (letter) => letter.toUpperCase());
}
