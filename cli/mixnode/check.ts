import { equal } from "../../src/core/bytes/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import { readTextFile } from "../../src/core/storage/mod.ts";
import { beacon } from "../../src/mixnet/mod.ts";
import { printConfig } from "../_config_file.ts";
import { CliError } from "../_error.ts";
import { type Command, command, type Context } from "../_main.ts";
import { beaconFault, isNistUnpinned } from "./beacon_of.ts";
import { type MixnodeConfig, SCHEMA } from "./config.ts";
import { error, type Finding, trial, warning } from "./finding.ts";
import { htxFindings } from "./htx_findings.ts";
import { readKeys } from "./keys.ts";
import { mixStrategyOf } from "./mix_strategy_of.ts";
import {
  mixnodeState,
  parametersOf,
  readMixnodeConfig,
  trustOf,
} from "./settings.ts";

const USAGE = `
Usage: betanet-mixnode check [--config <file>] [--authority]
       betanet-mixnode check --print-config

Reads a configuration and the keys that it leads to, and prints what is wrong, or will not do what it seems to.

  --config <file>    mixnode.toml by default
  --authority        check what an authority needs, not a node
  --print-config     print every key with its default and meaning

Exit code 1 if the node or authority cannot run so, 2 if the file is not of the form.

Examples:
  betanet-mixnode check --print-config > mixnode.toml
  betanet-mixnode check --config mixnode.toml
`;

/** Checks a configuration. */
export const check: Command = command({
  usage: USAGE,
  flags: { config: "string", authority: "boolean", "print-config": "boolean" },
  run(flags, context) {
    if (flags["print-config"]) {
      printConfig(SCHEMA, context);
      return Promise.resolve();
    }
    const config = readMixnodeConfig(flags.config);
    const findings = [
      ...networkFindings(config),
      ...(flags.authority
        ? authorityFindings(config, context)
        : nodeFindings(config, context)),
    ];
    for (const finding of findings) {
      context.print(finding, `${finding.level}: ${finding.what}`);
    }
    const errors = findings.filter(({ level }) => level === "error").length;
    if (errors > 0) {
      const what = errors === 1 ? "1 error" : `${errors} errors`;
      throw new CliError("failed", `The configuration has ${what}`);
    }
    context.note("The configuration has no errors");
    return Promise.resolve();
  },
});

function networkFindings(config: MixnodeConfig): Finding[] {
  const { authorities, max_delay, mean_delay, epoch } = config.network;
  const { threshold } = trustOf(config);
  const found: Finding[] = [];
  if (authorities.length === 0) {
    found.push(error("network.authorities names none: there is no network"));
  } else if (
    threshold > authorities.length || threshold <= authorities.length / 2
  ) {
    found.push(
      error("network.threshold is not more than half of the authorities"),
    );
  }
  const distinct = authorities.filter(({ key }, i) =>
    !authorities.slice(0, i).some((other) => equal(other.key, key))
  );
  if (distinct.length < authorities.length) {
    found.push(error("network.authorities names a key twice"));
  }
  if (epoch % 1_000 !== 0) {
    found.push(error("network.epoch is not a number of whole seconds"));
  }
  if (max_delay < mean_delay) {
    found.push(error("network.max_delay is shorter than network.mean_delay"));
  } else if (max_delay < 5 * mean_delay) {
    found.push(
      warning("network.max_delay cuts off a part of all delays: draw again"),
    );
  }
  if (config.network.client_loops_per_second === 0) {
    found.push(warning("Clients send no loops: they do not see what is lost"));
  }
  return found;
}

function nodeFindings(config: MixnodeConfig, context: Context): Finding[] {
  const { addresses, listen, asn, state } = config.node;
  const found: Finding[] = [];
  if (listen.length === 0) found.push(error("node.listen is empty"));
  const published = addresses.length > 0 ? addresses : listen;
  if (published.some((each) => /:0$/.test(each))) {
    found.push(error("An address to publish has port 0"));
  }
  if (published.every((each) => /:\/\/(127\.|\[::1\]|localhost)/.test(each))) {
    found.push(warning("Only this machine reaches what would be published"));
  }
  if (published.some((each) => /:\/\/(0\.0\.0\.0|\[::\]):/.test(each))) {
    found.push(error("Nobody reaches 0.0.0.0: give node.addresses"));
  }
  if (asn === 0) {
    found.push(warning("node.asn is unknown: the AS rule takes 0 for one AS"));
  }
  const keys = trial(() => {
    readKeys(mixnodeState(state, context), "node");
  });
  const htx = trial(() => {
    const folder = mixnodeState(state, context);
    found.push(...htxFindings(config.node, folder));
  });
  const mixing = trial(() => {
    const parts = { ...parametersOf(config), random: () => 0 };
    if (parts.meanDelayMs <= parts.maxDelayMs) {
      mixStrategyOf(config.node, parts);
    }
  });
  return [...found, ...keys, ...htx, ...mixing];
}

function authorityFindings(
  config: MixnodeConfig,
  context: Context,
): Finding[] {
  const { state, beacon: sources } = config.authority;
  const crypto = defaultProvider();
  const keys = trial(() => {
    const folder = mixnodeState(state ?? config.node.state, context);
    const { identitySeed } = readKeys(folder, "authority");
    const key = crypto.ed25519.publicKey(identitySeed.expose());
    if (!config.network.authorities.some((each) => equal(each.key, key))) {
      throw new CliError("failed", "network.authorities lacks our key");
    }
  });
  const { file } = sources;
  const components = file === undefined
    ? []
    : trial(() => void beacon.parseBeaconFile(readTextFile(file)));
  const hasSource = Object.values(sources).some((each) => each !== undefined);
  const fault = beaconFault(config);
  return [
    ...keys,
    ...components,
    ...(fault === undefined ? [] : [error(fault)]),
    ...(file === undefined
      ? []
      : [warning("Who has authority.beacon.file knows the layers ahead")]),
    ...(isNistUnpinned(sources)
      ? [warning(
        "authority.beacon.nist names no certificate: signatures are not verified; append /certificate/<id>",
      )]
      : []),
    ...(hasSource
      ? []
      : [error("authority.beacon names no source: no document can be made")]),
  ];
}
