import { makeFolder } from "../cli/_htx_process.ts";

/** An nginx of its own on loopback. */
export interface Nginx extends AsyncDisposable {
  /** Its `127.0.0.1:port`. */
  readonly at: string;
  /** Its document root; what is PUT below `/upload/` lies in `upload`. */
  readonly root: string;
}

/** Starts nginx on an empty document root and waits until it answers; with `http2` it speaks nothing else. */
export async function startNginx({ http2 = false } = {}): Promise<Nginx> {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(await makeFolder());
  // Its workers are somebody else if we are root.
  await Deno.mkdir(`${path}/site/upload`, { recursive: true });
  for (const each of ["", "/site", "/site/upload"]) {
    await Deno.chmod(path + each, 0o777);
  }
  const port = freePort();
  await Deno.writeTextFile(
    `${path}/nginx.conf`,
    configuration(path, port, http2),
  );
  const nginx = new Deno.Command("nginx", {
    args: ["-p", path, "-e", `${path}/error.log`, "-c", `${path}/nginx.conf`],
    stdout: "null",
    stderr: "null",
  }).spawn();
  stack.use(nginx);
  await answering(port);
  const owned = stack.move();
  return {
    at: `127.0.0.1:${port}`,
    root: `${path}/site`,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function configuration(path: string, port: number, http2: boolean): string {
  return `
daemon off;
worker_processes 1;
pid ${path}/nginx.pid;
events {}
http {
  access_log off;
  client_body_temp_path ${path}/body;
  proxy_temp_path ${path}/proxy;
  fastcgi_temp_path ${path}/fastcgi;
  uwsgi_temp_path ${path}/uwsgi;
  scgi_temp_path ${path}/scgi;
  types { text/html html; text/css css; image/png png; }
  gzip on;
  gzip_types text/css;
  client_max_body_size 0;
  server {
    listen 127.0.0.1:${port}${http2 ? " http2" : ""};
    root ${path}/site;
    location /upload/ { dav_methods PUT DELETE; }
  }
}
`;
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

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
