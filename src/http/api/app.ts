import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { type Context, Hono } from 'hono'
import { GatewayError } from '../../core/errors.ts'
import { correlationOf, exchangeHeaders } from './correlation.ts'
import { shareWith } from './cross-origin.ts'
import { type ApiParts, type ApiRoute, apiEndpoint } from './endpoint.ts'
import { type FailureDialect, problems } from './failure.ts'
import { type ApiReply, sendReply } from './reply.ts'

/** What may be tried where nothing is: a page is to read that nothing is there. */
const everyMethod = 'GET, HEAD, POST, PUT, PATCH, DELETE'

type Bindings = { Bindings: HttpBindings }

/**
 * A REST face: its routes, and failures for every other path under `root` and every other method. It answers nothing
 * outside `root` and is mounted beside what does.
 */
export function apiApp(routes: readonly ApiRoute[], parts: ApiParts, root = '/api'): Hono<Bindings> {
  const app = new Hono<Bindings>()
  const failures = parts.failures ?? problems
  for (const path of new Set(routes.map((route) => route.path))) {
    const endpoints = new Map(
      routes.filter((route) => route.path === path).map((route) => [route.method as string, apiEndpoint(route, parts)]),
    )
    const allow = [...endpoints.keys()].join(', ')
    app.all(path, async (context) => {
      // The method of the line that was sent: a HEAD comes here as a GET.
      const { incoming, outgoing } = context.env
      if (shareWith(parts.origins ?? [], incoming, outgoing, allow)) return RESPONSE_ALREADY_SENT
      const serve = endpoints.get(incoming.method ?? '')
      if (serve !== undefined) return await answer(context, serve)
      return await elsewhere(context, failures, 'method-not-allowed', { allow })
    })
  }
  app.all(`${root}/*`, async (context) => {
    const { incoming, outgoing } = context.env
    if (shareWith(parts.origins ?? [], incoming, outgoing, everyMethod)) return RESPONSE_ALREADY_SENT
    return await elsewhere(context, failures, 'path-unknown')
  })
  app.onError(async (error, context) => {
    const correlationId = correlationOf(context.env.incoming)
    const failed = new GatewayError('internal', 'The gateway failed', { cause: error })
    const { retryAfter: _later, ...told } = failures.failed(failed, correlationId)
    return await sent(context, { ...told, headers: exchangeHeaders(correlationId) })
  })
  return app
}

async function answer(context: Context<Bindings>, serve: ReturnType<typeof apiEndpoint>): Promise<Response> {
  const { incoming, outgoing } = context.env
  const left = new AbortController()
  const leave = () => {
    if (!outgoing.writableFinished) left.abort(new GatewayError('caller-gone', 'The caller left'))
  }
  outgoing.once('close', leave)
  try {
    return await sent(context, await serve(incoming, left.signal, context.req.param()))
  } finally {
    outgoing.off('close', leave)
  }
}

/** What is no exchange: nobody is asked who they are. */
async function elsewhere(
  context: Context<Bindings>,
  failures: FailureDialect,
  what: Parameters<FailureDialect['unserved']>[0],
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const correlationId = correlationOf(context.env.incoming)
  const told = failures.unserved(what, correlationId)
  return await sent(context, { ...told, headers: { ...exchangeHeaders(correlationId), ...headers } })
}

async function sent(context: Context<Bindings>, reply: ApiReply): Promise<Response> {
  const { incoming, outgoing } = context.env
  // Hono takes the answer to a HEAD apart and would send it again.
  if (incoming.method === 'HEAD') {
    if ('content' in reply) await reply.content.release?.()
    return new Response(null, { status: reply.status, headers: headersOf(reply) })
  }
  if (!outgoing.headersSent) await sendReply(incoming, outgoing, reply)
  return RESPONSE_ALREADY_SENT
}

function headersOf(reply: ApiReply): Headers {
  const pairs = Object.entries(reply.headers).flatMap(([name, value]) =>
    [value].flat().map((one): [string, string] => [name, one]),
  )
  const { length: bytes = undefined } = 'content' in reply ? reply.content : {}
  const length: [string, string][] = bytes === undefined ? [] : [['content-length', String(bytes)]]
  return new Headers([['content-type', reply.contentType], ...length, ...pairs])
}
