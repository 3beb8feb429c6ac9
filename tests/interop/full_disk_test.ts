import { assertEquals } from "@std/assert";

/** Runs `script` as root of its own user and mount namespaces, where it may mount what nobody else sees. */
function unshare(script: string, ...args: string[]) {
  return new Deno.Command("unshare", {
    args: [
      "--user",
      "--map-root-user",
      "--mount",
      "sh",
      "-ec",
      script,
      ...args,
    ],
    stderr: "piped",
  }).outputSync();
}

function canMount(): boolean {
  try {
    return unshare("mount -t tmpfs tmpfs /mnt").success;
  } catch {
    return false;
  }
}

const available = canMount();
if (!available) {
  // deno-lint-ignore no-console -- says why the test is skipped
  console.warn("full_disk_test: skipped, cannot mount a tmpfs with unshare(1)");
}

Deno.test({
  name: "storage refuses to write to a full disk and loses nothing",
  ignore: !available,
  fn() {
    const { success, stderr } = unshare(
      `mount -t tmpfs -o size=512k tmpfs /mnt; exec "$0" run -A "$1" /mnt`,
      Deno.execPath(),
      new URL(import.meta.resolve("../storage/_full_disk.ts")).pathname,
    );
    assertEquals(success, true, new TextDecoder().decode(stderr));
  },
});
