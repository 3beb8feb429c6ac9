/** A cell of a table; numbers are set with separators. */
export type StatusCell = string | number;

/** A table of the page. */
export interface StatusSection {
  /** Its heading. */
  readonly title: string;
  /** The names of its columns; none by default. */
  readonly columns?: readonly string[];
  /** Its rows, the first cell of each being its name. */
  readonly rows: readonly (readonly StatusCell[])[];
}

/** What the page shows. */
export interface StatusPage {
  /** The name of the program. */
  readonly name: string;
  /** Named conditions and whether they hold. */
  readonly checks: Readonly<Record<string, boolean>>;
  /** The tables, in order. */
  readonly sections: readonly StatusSection[];
}

/** Most rows shown of a section; how many are left out is said. */
const MAX_ROWS = 200;

const REFRESH_S = 2;

/** Renders the page as HTML that needs nothing else and reloads itself every 2 s. */
export function renderPage({ name, checks, sections }: StatusPage): string {
  const badges = Object.entries(checks).map(([check, holds]) =>
    `<li class="${holds ? "ok" : "bad"}">${escapeHtml(check)}: ${
      holds ? "ok" : "failing"
    }</li>`
  );
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="${REFRESH_S}">
<title>${escapeHtml(name)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escapeHtml(name)}</h1>
<ul>${badges.join("")}</ul>
<main>
${sections.map(renderSection).join("\n")}
</main>
</body>
</html>
`;
}

function renderSection({ title, columns, rows }: StatusSection): string {
  const width = Math.max(columns?.length ?? 0, ...rows.map((r) => r.length), 1);
  const head = columns?.length
    ? `<tr>${columns.map((c) => `<th>${escapeHtml(c)}</th>`).join("")}</tr>`
    : "";
  const left = rows.length - MAX_ROWS;
  const more = left > 0
    ? `<tr><td colspan="${width}">${format(left)} more</td></tr>`
    : "";
  return `<section><h2>${escapeHtml(title)}</h2><table>${head}${
    rows.slice(0, MAX_ROWS).map(renderRow).join("")
  }${more}</table></section>`;
}

function renderRow([name = "", ...values]: readonly StatusCell[]): string {
  const cells = values.map((value) =>
    typeof value === "number"
      ? `<td class="n">${format(value)}</td>`
      : `<td>${escapeHtml(value)}</td>`
  );
  return `<tr><th scope="row">${escapeHtml(String(name))}</th>${
    cells.join("")
  }</tr>`;
}

function format(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 3 });
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

const STYLE = `
:root{color-scheme:light dark;--line:#8884;--ok:#2a7d46;--bad:#b3261e}
body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem;margin:0}
h2{font-size:1rem;margin:0 0 .5rem}
ul{list-style:none;display:flex;flex-wrap:wrap;gap:.5rem;padding:0}
li{padding:.1rem .6rem;border-radius:1rem;color:#fff}
.ok{background:var(--ok)}
.bad{background:var(--bad)}
main{display:grid;gap:1rem;grid-template-columns:repeat(auto-fit,minmax(20rem,1fr))}
section{border:1px solid var(--line);border-radius:.5rem;padding:1rem;overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.2rem .5rem;border-top:1px solid var(--line);font-weight:400}
tr:first-child>*{border-top:0}
td.n{text-align:right;font-variant-numeric:tabular-nums}
`;
