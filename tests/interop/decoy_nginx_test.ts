import { compareWithOrigin } from "../htx/_prober.ts";

const available = await new Deno.Command("nginx", { args: ["-v"] }).output()
  .then((out) => out.success, () => false);
// deno-lint-ignore no-console -- a skipped interop test prints why
if (!available) console.warn("skipped: nginx is not installed");

Deno.test({
  name: "Decoy shows a prober byte for byte what nginx shows",
  ignore: !available,
  async fn(t) {
    const dir = await Deno.makeTempDir();
    try {
      await Deno.chmod(dir, 0o755);
      await Deno.writeTextFile(`${dir}/index.html`, "<p>home</p>");
      const port = freePort();
      await Deno.writeTextFile(`${dir}/nginx.conf`, configuration(dir, port));
      const nginx = new Deno.Command("nginx", {
        args: ["-p", dir, "-e", `${dir}/error.log`, "-c", `${dir}/nginx.conf`],
        stdout: "null",
        stderr: "null",
      }).spawn();
      try {
        await answering(port);
        await compareWithOrigin(t, `tcp://127.0.0.1:${port}`);
      } finally {
        nginx.kill("SIGTERM");
        await nginx.status;
      }
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});

function configuration(dir: string, port: number): string {
  return `
daemon off;
master_process off;
pid ${dir}/nginx.pid;
events {}
http {
  access_log off;
  client_body_temp_path ${dir};
  proxy_temp_path ${dir};
  fastcgi_temp_path ${dir};
  uwsgi_temp_path ${dir};
  scgi_temp_path ${dir};
  server {
    listen 127.0.0.1:${port};
    root ${dir};
  }
}
`;
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Waits until nginx accepts connections. */
async function answering(port: number): Promise<void> {
  for (let attempt = 0;; attempt++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      if (attempt === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
