import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { type Context, Hono } from 'hono'
import { GatewayError } from '../../core/errors.ts'
import { forgetRest } from '../linger.ts'
import { sendStreamed } from '../stream.ts'
import type { SoapReply } from './endpoint.ts'

/** A service at a path: how to answer a message, and the contract it serves. */
export interface Door {
  readonly path: string
  readonly serve: (incoming: HttpBindings['incoming'], hangUp: AbortSignal) => Promise<SoapReply>
  /** The WSDL with `{{location}}` where the address stands. */
  readonly wsdl: string
  /** Schemas the WSDL imports, by file name. */
  readonly schemas: ReadonlyMap<string, string>
}

/** The SOAP face: one path per service, its contract by GET. */
export function soapApp(doors: readonly Door[]): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>()
  for (const door of doors) {
    app.post(door.path, (context) => answer(context, door))
    app.get(door.path, (context) => contract(context, door))
    app.all(door.path, (context) => context.text('Method not allowed', 405, { allow: 'GET, POST' }))
  }
  app.notFound((context) => context.text('Nothing is served at this address', 404))
  app.onError((_error, context) => context.text('The gateway failed', 500))
  return app
}

async function answer(context: Context<{ Bindings: HttpBindings }>, { serve }: Door): Promise<Response> {
  const { incoming, outgoing } = context.env
  const left = new AbortController()
  const leave = () => {
    if (!outgoing.writableFinished) left.abort(new GatewayError('caller-gone', 'The caller left'))
  }
  outgoing.once('close', leave)
  try {
    const { status, body, contentType, headers } = await serve(incoming, left.signal)
    if (typeof body !== 'string') {
      await sendStreamed(incoming, outgoing, { status, body, contentType, headers })
      return RESPONSE_ALREADY_SENT
    }
    const bytes = Buffer.from(body, 'utf8')
    // An unread rest of a refused body must not be taken for the next request.
    const unread = incoming.complete ? {} : { connection: 'close' }
    outgoing.writeHead(status, { ...headers, ...unread, 'content-type': contentType, 'content-length': bytes.length })
    if (incoming.complete) outgoing.end(bytes)
    else {
      outgoing.write(bytes)
      forgetRest(incoming, () => outgoing.end())
    }
    return RESPONSE_ALREADY_SENT
  } finally {
    outgoing.off('close', leave)
  }
}

function contract(context: Context<{ Bindings: HttpBindings }>, { path, wsdl, schemas }: Door): Response {
  const url = new URL(context.req.url)
  const xml = { 'content-type': 'text/xml; charset=utf-8' }
  if (url.searchParams.has('wsdl')) {
    const location = `https://${context.req.header('host') ?? url.host}${path}`
    return context.body(
      wsdl.replaceAll('{{location}}', location.replaceAll('&', '&amp;').replaceAll('"', '&quot;')),
      200,
      xml,
    )
  }
  const schema = schemas.get(url.searchParams.get('xsd') ?? '')
  if (schema !== undefined) return context.body(schema, 200, xml)
  return context.text('This is a SOAP service; its contract is at ?wsdl', 404)
}
