import { integer, section } from "../src/core/config/mod.ts";
import type { Metrics } from "../src/core/metrics/mod.ts";
import type { HttpServer } from "../src/core/transport/mod.ts";
import { status } from "../mod.ts";
import { loopbackHost } from "./_loopback_host.ts";
import type { Context } from "./_main.ts";

/** The section of a status page. */
export const statusSection = section({
  host: loopbackHost("loopback address to listen at"),
  port: integer({
    min: 0,
    max: 65_535,
    doc: "port of /health, /ready, /metrics and the live page; absent for none",
  }).optional(),
});

/** What a role shows of itself. */
export interface RoleStatus {
  /** Its program and command. */
  readonly name: string;
  /** Where to listen; nowhere if the port is absent. */
  readonly listen: {
    readonly host: string;
    readonly port?: number | undefined;
  };
  /** Its metrics. */
  readonly metrics: Metrics;
  /** What its page shows before the metrics; nothing by default. */
  readonly sections?: () => readonly status.StatusSection[];
  /** Whether it works. */
  readonly health: () => status.Checks;
  /** Whether it takes work. */
  readonly ready: () => status.Checks;
}

/** Serves `/health`, `/ready`, `/metrics` and the live page, if a port is configured. */
export function startStatus(
  role: RoleStatus,
  { log, note }: Context,
): HttpServer | undefined {
  const { port, host } = role.listen;
  if (port === undefined) return undefined;
  const app = status.statusApp({
    ...role,
    log,
    snapshot: async () => [
      ...role.sections?.() ?? [],
      ...await metricRows(role.metrics),
    ],
  });
  const server = status.serveStatus(app, { hostname: host, port });
  note(`status at ${server.address}/`);
  return server;
}

async function metricRows(
  metrics: Metrics,
): Promise<status.StatusSection[]> {
  const cell = (value: number) => Math.round(value * 1e6) / 1e6;
  const rows = (await metrics.snapshot()).flatMap(({ name, series }) =>
    series.map(({ labels, value, distribution }) => {
      const of = Object.values(labels).join(" ");
      const title = of === "" ? name : `${name} ${of}`;
      return distribution
        ? [
          title,
          `${distribution.count}: p50 ${cell(distribution.p50)}, p95 ${
            cell(distribution.p95)
          }`,
        ]
        : [title, cell(value)];
    })
  );
  return [{ title: "Counts", columns: ["metric", "value"], rows }];
}
