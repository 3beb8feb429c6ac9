import { assertEquals, assertRejects } from "@std/assert";
import { Deadline, VirtualClock } from "../../../src/core/async/mod.ts";
import { beacon, beaconSet } from "../../../src/mixnet/mod.ts";

const ONES = new Uint8Array(32).fill(1);
const TWOS = new Uint8Array(32).fill(2);

const from = (
  name: string,
  value: beacon.BeaconSource["value"],
): beacon.BeaconSource => ({ name, value });
const never = () => new Promise<never>(() => {});

Deno.test("gatherBeacon() keeps what came in time, and says why the rest is missing", async () => {
  const clock = new VirtualClock();
  using deadline = new Deadline(clock, 5_000);
  const gathering = beacon.gatherBeacon(9, [
    from("one", (epoch) => Promise.resolve(epoch === 9 ? ONES : TWOS)),
    from("two", () => Promise.resolve(TWOS)),
    from("later", () => Promise.resolve(undefined)),
    from("broken", () => {
      throw new TypeError("no");
    }),
    from(
      "lying",
      () => Promise.reject(new beacon.BeaconError("unverified", "Not signed")),
    ),
    from("long", () => Promise.resolve(new Uint8Array(64))),
    from("hanging", never),
  ], deadline.signal);
  clock.advance(5_000);
  const { components, failures } = await gathering;
  const set = beaconSet(9, components);
  assertEquals(set.value, new Uint8Array(32).fill(3));
  assertEquals(set.missing, ["later", "broken", "lying", "long", "hanging"]);
  const codes = [...failures].map(([name, error]) =>
    [name, (error as beacon.BeaconError).code] as const
  );
  assertEquals(
    new Map(codes),
    new Map([
      ["broken", "unreachable"],
      ["lying", "unverified"],
      ["long", "malformed"],
      ["hanging", "unreachable"],
    ]),
  );
  assertEquals((failures.get("broken")!.cause as Error).message, "no");
});

Deno.test("gatherBeacon() has nothing from anybody when its signal has aborted", async () => {
  const { components, failures } = await beacon.gatherBeacon(
    9,
    [from("one", never)],
    AbortSignal.abort(),
  );
  assertEquals([...components], [["one", undefined]]);
  assertEquals([...failures.keys()], ["one"]);
});

Deno.test("gatherBeacon() wants a name of its own for each source", async () => {
  const one = from("one", () => Promise.resolve(ONES));
  await assertRejects(
    () => beacon.gatherBeacon(9, [one, one], new AbortController().signal),
    RangeError,
    "one name",
  );
});

Deno.test("beaconSeconds() is the middle of the epoch before", () => {
  assertEquals(beacon.beaconSeconds(487_548, 3_600), 487_547.5 * 3_600);
  assertEquals(beacon.beaconSeconds(3, 5), 13);
});
