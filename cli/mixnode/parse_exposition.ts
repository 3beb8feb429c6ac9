/** One line of Prometheus' text format. */
export interface MetricSample {
  /** Name of the metric. */
  readonly name: string;
  /** Its labels. */
  readonly labels: Readonly<Record<string, string>>;
  /** Its value. */
  readonly value: number;
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g;

/** The samples in Prometheus' text format 0.0.4; lines that are none are passed over. */
export function parseExposition(text: string): MetricSample[] {
  return text.split("\n").flatMap((line) => {
    const [, name, labels = "", value] = SAMPLE.exec(line) ?? [];
    if (name === undefined || value === undefined) return [];
    const pairs = [...labels.matchAll(LABEL)].map(([, key, text]) =>
      [key!, text!] as const
    );
    return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }];
  });
}
