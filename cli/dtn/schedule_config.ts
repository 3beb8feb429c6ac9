import {
  type ConfigOf,
  duration,
  list,
  number,
  oneOf,
  section,
} from "../../src/core/config/mod.ts";
import type { Address } from "../../src/core/transport/mod.ts";
import {
  deadlineScheduler,
  fifoScheduler,
  lyapunovScheduler,
  type Scheduler,
  type SendingCost,
} from "../../src/dtn/mod.ts";
import { CliError } from "../_error.ts";
import { LAYERS, schemeOf } from "./addresses.ts";

/** `[schedule]`: which bundle goes next, over which contact. */
export const schedule = section({
  by: oneOf(["fifo", "edf", "lyapunov"], {
    default: "fifo",
    doc:
      "which bundle goes next: first come within classes, earliest deadline, or drift plus penalty, by the costs of [cost] and the keys below",
  }),
  v: number({
    ...{ min: 0, max: 1e9, default: 1 },
    doc: "kB that may wait for a penalty that is less by 1 a kB; lyapunov",
  }),
  energy_weight: weight(0.3, "penalty of a unit of energy"),
  money_weight: weight(0.3, "penalty of a unit of money"),
  privacy_weight: weight(0.2, "penalty of a kB that shows all"),
  utilities: list(number({ min: 0, max: 1e9 }), {
    default: [0.5, 1, 2],
    maxItems: 3,
    doc:
      "what a kB in time is worth: bulk, normal and expedited, all three; lyapunov",
  }),
  aging: number({
    ...{ min: 0, max: 1e9, default: 0.1 },
    doc: "kB that a second without service counts as; lyapunov",
  }),
  energy_per_second: budget("energy"),
  money_per_second: budget("money"),
  silence: duration({
    ...{ min: "1s", max: "1d", default: "60s" },
    doc:
      "how long a contact may say nothing of what is under way, beside the time that takes at 16 kB/s, or at its own speed below that; then it is closed",
  }),
});

/** Layers that do not hear whether a bundle has arrived, so that others are asked before them. */
const RELIABILITY: Readonly<Record<string, number>> = { udp: 0.9, mtcp: 0.99 };

/** Bundles may wait in the mailbox of a peer that is away: that is no silence. */
const LATENCY: Readonly<Record<string, "15m">> = { mix: "15m" };

const costOfLayer = (layer: string) =>
  section({
    bytes_per_second: number({
      ...{ min: 1, max: 1e12 },
      doc: "how fast bytes go; not known if absent",
    }).optional(),
    latency: duration({
      ...{ min: "0s", max: "1d", default: LATENCY[layer] ?? "0s" },
      doc: "how long they are under way",
    }),
    energy_per_byte: number({
      ...{ min: 0, max: 1e9, default: 0 },
      doc: "energy for each byte, in the unit of schedule.energy_per_second",
    }),
    money_per_byte: number({
      ...{ min: 0, max: 1e9, default: 0 },
      doc: "money for each byte, in the unit of schedule.money_per_second",
    }),
    exposure: number({
      ...{ min: 0, max: 1, default: 0 },
      doc: "how much of who speaks with whom it shows: 0 nothing, 1 all",
    }),
    reliability: number({
      ...{ min: 0.001, max: 1, default: RELIABILITY[layer] ?? 1 },
      doc: "share of bundles that arrive",
    }),
  });

/** `[cost.<layer>]`: what sending over a convergence layer costs. */
export const cost = section(
  Object.fromEntries(
    LAYERS.map((layer) => [layer, costOfLayer(layer)]),
  ) as Record<typeof LAYERS[number], ReturnType<typeof costOfLayer>>,
);

/**
 * The scheduler that `[schedule]` describes.
 *
 * @throws {CliError} `usage` if it has not one utility for each class, or a budget of nothing.
 */
export function schedulerOf(config: ConfigOf<typeof schedule>): Scheduler {
  if (config.by === "fifo") return fifoScheduler();
  if (config.by === "edf") return deadlineScheduler();
  const [bulk, normal, expedited] = config.utilities;
  if (expedited === undefined) {
    throw new CliError("usage", "schedule.utilities wants three numbers");
  }
  const { energy_per_second, money_per_second } = config;
  return lyapunovScheduler({
    v: config.v,
    energyWeight: config.energy_weight,
    moneyWeight: config.money_weight,
    privacyWeight: config.privacy_weight,
    utilities: [bulk!, normal!, expedited],
    agingKbPerS: config.aging,
    ...energy_per_second !== undefined && { energyPerS: energy_per_second },
    ...money_per_second !== undefined && { moneyPerS: money_per_second },
  });
}

/** What sending over the layer of `address` costs. */
export function costOf(
  costs: ConfigOf<typeof cost>,
  address: Address,
): SendingCost {
  const scheme = schemeOf(address);
  const layer = LAYERS.find((each) => each === scheme);
  if (!layer) throw new RangeError(`No layer has the scheme ${scheme}`);
  const { bytes_per_second, latency, exposure, reliability, ...each } =
    costs[layer];
  return {
    bytesPerSecond: bytes_per_second ?? Infinity,
    latencyMs: latency,
    energyPerByte: each.energy_per_byte,
    moneyPerByte: each.money_per_byte,
    ...{ exposure, reliability },
  };
}

function weight(standard: number, what: string) {
  return number({
    ...{ min: 0, max: 1e9, default: standard },
    doc: `${what}; lyapunov`,
  });
}

function budget(what: string) {
  return number({
    ...{ min: 1e-9, max: 1e12 },
    doc: `${what} that may be spent in the mean; no bound if absent; lyapunov`,
  }).optional();
}
