/** What {@link linePlot} draws. */
export interface LinePlot {
  /** What the values are, with their unit. */
  readonly title: string;
  /** What `at` is. */
  readonly across: string;
  /** Names of the places along the axis, at equal distances. */
  readonly at: readonly string[];
  /** A value for each place. */
  readonly lines: readonly {
    readonly name: string;
    readonly values: readonly number[];
  }[];
}

const [WIDTH, HEIGHT] = [640, 320];
const [LEFT, RIGHT, TOP, BOTTOM] = [56, 90, 40, 48];
/** Told apart also by who sees few colours (Okabe and Ito). */
const COLOURS = ["#0072b2", "#d55e00", "#009e73"];
const LABEL_GAP = 15;

/** Lines over a common axis as SVG, values from 0 up. */
export function linePlot({ title, across, at, lines }: LinePlot): string {
  const most = Math.max(...lines.flatMap(({ values }) => values));
  const step = stepOf(most);
  const top = Math.ceil(most / step) * step;
  const x = (i: number) =>
    round(LEFT + i / (at.length - 1) * (WIDTH - LEFT - RIGHT));
  const y = (value: number) =>
    round(HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM));
  const grid = Array.from({ length: Math.round(top / step) + 1 }, (_, i) => {
    const value = round(i * step);
    const d = `M${LEFT} ${y(value)}H${WIDTH - RIGHT}`;
    return `<path d="${d}" stroke="#ddd"/>` +
      text(LEFT - 8, y(value) + 4, `${value}`, "end");
  });
  const ticks = at.map((name, i) =>
    text(x(i), HEIGHT - BOTTOM + 18, name, "middle")
  );
  const drawn = lines.map(({ values }, n) => {
    const points = values.map((value, i) => `${x(i)},${y(value)}`).join(" ");
    return `<polyline points="${points}" fill="none" stroke="${
      COLOURS[n]
    }" stroke-width="2"/>`;
  });
  const labels = apart(lines.map(({ values }) => y(values.at(-1)!))).map(
    (labelY, n) =>
      text(WIDTH - RIGHT + 8, labelY + 4, lines[n]!.name, "start", COLOURS[n]!),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(LEFT, 22, title, "start"),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, across, "middle"),
    ...[...grid, ...ticks, ...drawn, ...labels],
    "</svg>\n",
  ].join("\n");
}

/** A step of 1, 2 or 5 times a power of ten, with four to nine steps up to `most`. */
function stepOf(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most / 4));
  return [5, 2, 1].map((each) => each * power)
    .find((step) => most / step >= 4) ?? power;
}

/** `ys`, each at least a line's height from the one above it. */
function apart(ys: readonly number[]): number[] {
  const order = ys.map((y, n) => ({ y, n })).sort((a, b) => a.y - b.y);
  const moved = [...ys];
  let least = -Infinity;
  for (const { y, n } of order) {
    moved[n] = Math.max(y, least);
    least = moved[n] + LABEL_GAP;
  }
  return moved;
}

function text(
  x: number,
  y: number,
  content: string,
  anchor: string,
  fill = "#333",
): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="${fill}">${content}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
