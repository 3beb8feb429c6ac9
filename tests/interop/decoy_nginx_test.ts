import { compareWithOrigin } from "../htx/_prober.ts";
import { startNginx } from "./_nginx.ts";
import { isAvailable } from "./_peers.ts";

Deno.test({
  name: "Decoy shows a prober byte for byte what nginx shows",
  ignore: !isAvailable("nginx", ["-v"], "decoy_nginx_test"),
  async fn(t) {
    await using nginx = await startNginx();
    await Deno.writeTextFile(`${nginx.root}/index.html`, "<p>home</p>");
    await compareWithOrigin(t, `tcp://${nginx.at}`);
  },
});
