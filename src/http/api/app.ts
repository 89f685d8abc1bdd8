import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { type Context, Hono } from 'hono'
import { GatewayError } from '../../core/errors.ts'
import { correlationOf, exchangeHeaders } from './correlation.ts'
import { type ApiParts, type ApiRoute, apiEndpoint } from './endpoint.ts'
import { methodNotAllowed, pathUnknown, problem, problemOf } from './problem.ts'
import { type ApiReply, sendReply, type WholeReply } from './reply.ts'

type Bindings = { Bindings: HttpBindings }

/**
 * The REST face: its routes, and problems for every other path under `/api` and every other method. It answers nothing
 * outside `/api` and is mounted beside what does.
 */
export function apiApp(routes: readonly ApiRoute[], parts: ApiParts): Hono<Bindings> {
  const app = new Hono<Bindings>()
  for (const path of new Set(routes.map((route) => route.path))) {
    const endpoints = new Map(
      routes.filter((route) => route.path === path).map((route) => [route.method as string, apiEndpoint(route, parts)]),
    )
    const allow = [...endpoints.keys()].join(', ')
    app.all(path, async (context) => {
      // The method of the line that was sent: a HEAD comes here as a GET.
      const serve = endpoints.get(context.env.incoming.method ?? '')
      return serve === undefined ? elsewhere(context, methodNotAllowed, { allow }) : await answer(context, serve)
    })
  }
  app.all('/api/*', (context) => elsewhere(context, pathUnknown))
  app.onError(async (error, context) => {
    const correlationId = correlationOf(context.env.incoming)
    const failed = new GatewayError('internal', 'The gateway failed', { cause: error })
    const { problem } = problemOf(failed, correlationId)
    return await sent(context, { ...problemReply(problem.status, correlationId), body: problem })
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
  told: typeof pathUnknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const correlationId = correlationOf(context.env.incoming)
  const reply = problemReply(told.status, correlationId)
  return await sent(context, {
    ...reply,
    headers: { ...reply.headers, ...headers },
    body: problem(told, correlationId),
  })
}

function problemReply(status: number, correlationId: ReturnType<typeof correlationOf>): Omit<WholeReply, 'body'> {
  return { status, contentType: 'application/problem+json', headers: exchangeHeaders(correlationId) }
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
  const length: [string, string][] = 'content' in reply ? [['content-length', String(reply.content.length)]] : []
  return new Headers([['content-type', reply.contentType], ...length, ...pairs])
}
