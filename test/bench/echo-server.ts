import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { certificates } from '../support/gateway-config.ts'

/** A process of its own that answers with what it was sent, through the server the gateway uses, over mutual TLS. */
const file = (name: string) => readFileSync(join(certificates, name))
const app = new Hono()
app.post('*', async (context) => {
  const type = context.req.header('content-type') ?? 'application/soap+xml'
  return context.body(await context.req.arrayBuffer(), 200, { 'content-type': type })
})
const server = createServer(
  {
    cert: file('gateway/tls.crt.pem'),
    key: file('gateway/tls.key.pem'),
    ca: file('ca.pem'),
    requestCert: true,
    rejectUnauthorized: true,
  },
  getRequestListener(app.fetch),
)
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit(0))
