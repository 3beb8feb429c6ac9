import type { Observation, Verdict } from "../../src/utls/mod.ts";
import type { HelloSample } from "./sample.ts";

/** Side of a cell of a heat map, and of the square of a curve, in pixels. */
const CELL = 18;
const SQUARE = 360;
const BAR_HEIGHT = 160;

const STYLE = `
body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
td, th { padding: .15rem .7rem .15rem 0; text-align: left }
.fail { color: #b00020; font-weight: 600 }
figure { display: inline-block; vertical-align: top; margin: 1rem 2rem 1rem 0 }
figcaption { color: #666; max-width: ${SQUARE}px }
text { font-size: 10px; fill: #444 }
`;

/** A page, one HTML file that loads nothing, of what a comparison found. */
export function reportPage(
  verdict: Verdict,
  ours: HelloSample,
  reference: HelloSample,
): string {
  const { checks, auc, interval, samples, classifier } = verdict;
  const [low, high] = interval.map((bound) => bound.toFixed(3));
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>betanet-utls verify</title>
<style>${STYLE}</style>
<h1>${verdict.pass ? "Not told apart" : "Told apart"}</h1>
<p>${samples.ours} hellos of ours and ${samples.reference} of the reference. A trained classifier has an area under its curve of
${auc.toFixed(3)}, 95 % confidence ${low} to ${high}; 0.5 is guessing.</p>
<table>
<tr><th>check<th>tests<th>worst<th>statistic<th>p<th>limit<th></tr>
${
    checks.map((check) =>
      `<tr><td>${escape(check.name)}<td>${check.tests}<td>${
        escape(check.worst)
      }<td>${check.statistic.toFixed(1)}<td>${check.p.toPrecision(2)}<td>${
        check.limit.toPrecision(2)
      }<td${check.pass ? ">pass" : ' class="fail">FAIL'}</tr>`
    ).join("\n")
  }
</table>
${
    figure(
      "Our hellos: how often each extension stands at each place, white never, black twice the mean or more.",
      positions(ours.observations),
    )
  }
${figure("The reference: the same.", positions(reference.observations))}
${
    figure(
      "The classifier's hits by its false alarms; the diagonal is guessing.",
      rocPlot(classifier.roc),
    )
  }
${
    figure(
      "Hello lengths without server name and padding: ours (dark) beside the reference.",
      lengths(ours.observations, reference.observations),
    )
  }
</html>
`;
}

function figure(caption: string, svg: string): string {
  return svg &&
    `<figure>${svg}<figcaption>${escape(caption)}</figcaption></figure>`;
}

function positions(sample: readonly Observation[]): string {
  const types = [...new Set(sample.flatMap(({ order }) => order))]
    .sort((a, b) => a - b);
  const places = Math.max(...sample.map(({ order }) => order.length));
  const seen = types.map(() => new Array<number>(places).fill(0));
  const row = new Map(types.map((type, i) => [type, seen[i]!]));
  for (const { order } of sample) {
    order.forEach((type, at) => row.get(type)![at]!++);
  }
  const cells = seen.flatMap((counts, y) =>
    counts.map((count, x) => {
      const shade = Math.min(1, count / sample.length * places / 2);
      return `<rect x="${50 + x * CELL}" y="${
        y * CELL
      }" width="${CELL}" height="${CELL}" fill-opacity="${
        shade.toFixed(3)
      }"><title>${types[y]} at ${x}: ${count}</title></rect>`;
    })
  );
  const names = types.map((type, y) =>
    `<text x="45" y="${y * CELL + 13}" text-anchor="end">${type}</text>`
  );
  return svg(60 + places * CELL, types.length * CELL, [...cells, ...names]);
}

function rocPlot(roc: readonly (readonly [number, number])[]): string {
  const step = Math.ceil(roc.length / 500);
  const points = roc.filter((_, i) => i % step === 0 || i === roc.length - 1)
    .map(([x, y]) =>
      `${(x * SQUARE).toFixed(1)},${((1 - y) * SQUARE).toFixed(1)}`
    );
  return svg(SQUARE, SQUARE, [
    `<rect width="${SQUARE}" height="${SQUARE}" fill="none" stroke="#ccc"/>`,
    `<line x1="0" y1="${SQUARE}" x2="${SQUARE}" y2="0" stroke="#ccc"/>`,
    `<polyline points="${points.join(" ")}" fill="none" stroke="#0b57d0"/>`,
  ]);
}

function lengths(
  ours: readonly Observation[],
  reference: readonly Observation[],
): string {
  const samples = [ours, reference];
  const counted = samples.map((sample) =>
    Map.groupBy(sample, ({ length }) => length)
  );
  const values = [...new Set(counted.flatMap((groups) => [...groups.keys()]))]
    .filter((length) => length !== undefined).sort((a, b) => a - b);
  if (counted.some((groups) => groups.has(undefined))) return "";
  const width = Math.max(4, Math.min(24, SQUARE / values.length / 2.5));
  const share = (side: number, length: number) =>
    (counted[side]!.get(length)?.length ?? 0) / samples[side]!.length;
  const tallest = Math.max(
    ...values.map((length) => Math.max(share(0, length), share(1, length))),
  );
  const bars = values.flatMap((length, i) =>
    ["#0b57d0", "#a8c7fa"].map((color, side) => {
      const height = share(side, length) / tallest * BAR_HEIGHT;
      const x = i * width * 2.5 + side * width;
      return `<rect x="${x.toFixed(1)}" y="${
        (BAR_HEIGHT - height).toFixed(1)
      }" width="${width.toFixed(1)}" height="${
        height.toFixed(1)
      }" fill="${color}"><title>${length}: ${
        (100 * share(side, length)).toFixed(1)
      } %</title></rect>`;
    })
  );
  const names = values.length > 12
    ? []
    : values.map((length, i) =>
      `<text x="${(i * width * 2.5).toFixed(1)}" y="${
        BAR_HEIGHT + 12
      }">${length}</text>`
    );
  return svg(SQUARE, BAR_HEIGHT + 16, [...bars, ...names]);
}

function svg(width: number, height: number, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${
    parts.join("")
  }</svg>`;
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}
