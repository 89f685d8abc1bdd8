import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { certificates } from '../support/gateway-config.ts'

export interface Proxy extends AsyncDisposable {
  readonly port: number
}

/**
 * An nginx of one worker in front of an upstream port of this machine, mutual TLS on both sides with the gateway's certificate,
 * connections to the upstream kept open; otherwise as it is by default. Undefined where nginx is not installed.
 */
export async function nginxBefore(upstream: number): Promise<Proxy | undefined> {
  // Where Debian puts it, which is not on everybody's path.
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` }
  if (spawnSync('nginx', ['-v'], { env }).error !== undefined) return undefined
  const folder = await mkdtemp(join(tmpdir(), 'crocevia-nginx-'))
  const port = await freePort()
  const configuration = join(folder, 'nginx.conf')
  await writeFile(configuration, configurationOf(folder, port, upstream))
  const nginx = spawn('nginx', ['-p', folder, '-c', configuration, '-e', join(folder, 'error.log')], {
    env,
    stdio: 'inherit',
  })
  const exited = once(nginx, 'exit')
  const proxy = {
    port,
    async [Symbol.asyncDispose]() {
      nginx.kill('SIGTERM')
      await exited
      await rm(folder, { recursive: true, force: true })
    },
  }
  try {
    await answering(port, exited)
  } catch (error) {
    await proxy[Symbol.asyncDispose]()
    throw error
  }
  return proxy
}

/** Its one process is the worker: with a master, the worker would be another user, who may not enter the folder. */
function configurationOf(folder: string, port: number, upstream: number): string {
  const path = (name: string) => join(certificates, name)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((use) => `${use}_temp_path ${join(folder, use)};`)
    .join('\n  ')
  return `daemon off;
master_process off;
pid ${join(folder, 'nginx.pid')};
error_log ${join(folder, 'error.log')};
events {}
http {
  access_log off;
  ${temporary}
  upstream holder {
    server 127.0.0.1:${upstream};
    keepalive 8;
  }
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate ${path('gateway/tls.crt.pem')};
    ssl_certificate_key ${path('gateway/tls.key.pem')};
    ssl_client_certificate ${path('ca.pem')};
    ssl_verify_client on;
    location / {
      proxy_pass https://holder;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_ssl_protocols TLSv1.2 TLSv1.3;
      proxy_ssl_certificate ${path('gateway/tls.crt.pem')};
      proxy_ssl_certificate_key ${path('gateway/tls.key.pem')};
      proxy_ssl_trusted_certificate ${path('ca.pem')};
      proxy_ssl_verify on;
      proxy_ssl_name localhost;
    }
  }
}
`
}

/** A port that is free now: nginx cannot choose one itself. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function answering(port: number, exited: Promise<unknown>): Promise<void> {
  let isGone = false
  const gone = () => {
    isGone = true
  }
  exited.then(gone, gone)
  for (let tries = 0; tries < 100 && !isGone; tries++) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (isOpen) return
    await wait(50)
  }
  throw new Error('nginx did not start')
}
