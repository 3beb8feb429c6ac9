import type { Bytes } from "../../core/bytes/mod.ts";
import type { BeaconSource } from "./beacon_source.ts";
import { hexOf, malformed, objectOf } from "./json_fields.ts";

const MAX_EPOCHS = 65_536;
const EPOCH = /^(0|[1-9][0-9]{0,15})$/;
const NAME = /^[a-z0-9_]{1,32}$/;

/**
 * Sources of a network that has no beacon to ask, one for each component that `text` names: JSON, an object of epochs, each an
 * object of components of 32 bytes in hexadecimal.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseBeaconFile } from "./beacon_file.ts";
 *
 * const [dice] = parseBeaconFile(`{"487548": {"dice": "${"5a".repeat(32)}"}}`);
 * const { signal } = new AbortController();
 * assertEquals((await dice!.value(487_548, signal))?.[0], 0x5a);
 * assertEquals(await dice!.value(487_549, signal), undefined);
 * ```
 *
 * @throws {BeaconError} `malformed`; also for more than 65,536 epochs.
 */
export function parseBeaconFile(text: string): BeaconSource[] {
  const byName = new Map<string, Map<number, Bytes>>();
  const epochs = Object.entries(objectOf(parse(text)));
  if (epochs.length > MAX_EPOCHS) malformed(`More than ${MAX_EPOCHS} epochs`);
  for (const [epoch, components] of epochs) {
    if (!EPOCH.test(epoch)) malformed("Want the number of an epoch");
    for (const [name, value] of Object.entries(objectOf(components))) {
      if (!NAME.test(name)) malformed("Want the name of a component");
      const values = byName.get(name) ?? new Map<number, Bytes>();
      byName.set(name, values.set(Number(epoch), hexOf(value, 32)));
    }
  }
  return [...byName].map(([name, values]) => ({
    name,
    value: (epoch) => Promise.resolve(values.get(epoch)?.slice()),
  }));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return malformed("The beacon file is no JSON");
  }
}
