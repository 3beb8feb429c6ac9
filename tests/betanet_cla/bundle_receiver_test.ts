import { assertEquals } from "@std/assert";
import { VirtualClock } from "../../src/core/async/mod.ts";
import { BundleReceiver } from "../../src/betanet_cla/bundle_receiver.ts";
import { StallWatch } from "../../src/betanet_cla/stall_watch.ts";
import { cla } from "../../src/dtn/mod.ts";

Deno.test("a BundleReceiver says nothing more while 1,024 datagrams wait for a carrier that takes none", async () => {
  const carrier = Promise.withResolvers<void>();
  let said = 0;
  const receiver = new BundleReceiver({
    receiving: { maxCount: 8, maxBytes: 1_000 },
    maxBundleBytes: 1_000,
    budget: new cla.ByteBudget(1_000),
    stalls: new StallWatch({
      clock: new VirtualClock(),
      timeoutMs: 1_000,
      progress: () => 0,
      onStall() {},
    }),
    counts: cla.noContactCounts(),
    datagrams: {
      send() {
        said++;
        return carrier.promise;
      },
    },
    onViolation() {},
  });
  const again = (times: number) => {
    for (let i = 0; i < times; i++) {
      receiver.takeDatagram(0, Uint8Array.of(1));
    }
  };
  again(3_000);
  assertEquals(said, 1_024);
  carrier.resolve();
  for (let i = 0; i < 10; i++) await Promise.resolve();
  again(10);
  assertEquals(said, 1_034);
  receiver.close();
});
