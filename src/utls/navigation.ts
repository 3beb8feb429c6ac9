import type { HeaderField } from "../http2/mod.ts";
import type { JsonPart } from "./json_part.ts";
import type { Profile } from "./profile.ts";

/** The request a browser sends when a person opens a page. */
export interface Navigation {
  /** The brand in `sec-ch-ua` besides Chromium, e.g. `"Google Chrome"`; `undefined` for a browser without one. */
  readonly brand?: string;
  /** Fields in the order sent; `{version}` and `{brands}` stand for the major version and the brand list of it. */
  readonly fields: readonly HeaderField[];
}

/** What {@link navigationFields} asks for. */
export interface NavigationTarget {
  /** Host and port, the port left out if it is 443. */
  readonly authority: string;
  /** Path and query. */
  readonly path: string;
  /** Cookies as in a `Cookie` header; each gets a field of its own (RFC 9113 §8.2.3), as Chromium does. */
  readonly cookie?: string;
}

/** The header fields of an HTTP/2 navigation by the browser of `profile`, in its order, pseudo-header fields first. */
export function navigationFields(
  { http2, navigation, version }: Profile,
  { authority, path, cookie }: NavigationTarget,
): HeaderField[] {
  const pseudo = {
    ":method": "GET",
    ":authority": authority,
    ":scheme": "https",
    ":path": path,
  };
  const brands = brandList(version, navigation.brand);
  const fields = navigation.fields.map(([name, value]): HeaderField => [
    name,
    value.replaceAll("{version}", `${version}`).replaceAll("{brands}", brands),
  ]);
  if (cookie !== undefined) {
    const crumbs = cookie.split("; ").map((
      crumb,
    ): HeaderField => ["cookie", crumb]);
    const priority = fields.findIndex(([name]) => name === "priority");
    fields.splice(priority < 0 ? fields.length : priority, 0, ...crumbs);
  }
  return [
    ...http2.pseudoOrder.map((name): HeaderField => [name, pseudo[name]]),
    ...fields,
  ];
}

const GREASE_CHARACTERS = " (:-./);=?_";
const GREASE_VERSIONS = ["8", "99", "24"] as const;
const ORDERS = {
  2: ["01", "10"],
  3: ["012", "021", "102", "120", "201", "210"],
} as const;

/** `sec-ch-ua` of Chromium 103 and later, where the version decides spelling and place of the entry that means nothing. */
function brandList(version: number, brand: string | undefined): string {
  const character = (at: number) =>
    GREASE_CHARACTERS[at % GREASE_CHARACTERS.length];
  const entries = [
    [
      `Not${character(version)}A${character(version + 1)}Brand`,
      GREASE_VERSIONS[version % 3],
    ],
    ["Chromium", version],
  ];
  if (brand !== undefined) entries.push([brand, version]);
  const orders = ORDERS[brand === undefined ? 2 : 3];
  const list: string[] = [];
  for (const [at, [name, major]] of entries.entries()) {
    const place = Number(orders[version % orders.length]![at]);
    list[place] = `"${name}";v="${major}"`;
  }
  return list.join(", ");
}

/** Reads `navigation` of a profile. */
export function parseNavigation(part: JsonPart): Navigation {
  const { brand, fields } = part.fields(["fields"], ["brand"]);
  const parsed = fields.list().map((entry): HeaderField => {
    const [name, value, ...more] = entry.list();
    if (!name || !value || more.length > 0) {
      throw entry.unlike("a name and a value");
    }
    if (!/^[a-z0-9-]+$/.test(name.string())) {
      throw name.unlike("a lower-case field name");
    }
    if (!/^[\x20-\x7e]*$/.test(value.string())) {
      throw value.unlike("printable ASCII characters");
    }
    return [name.string(), value.string()];
  });
  return { fields: parsed, ...brand && { brand: brand.string() } };
}
