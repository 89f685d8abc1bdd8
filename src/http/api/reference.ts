import { createHash } from 'node:crypto'
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { type Context, Hono } from 'hono'
import { correlationOf, exchangeHeaders } from './correlation.ts'
import { shareWith } from './cross-origin.ts'
import type { ProblemPage } from './problem-pages.ts'
import { problemPages } from './problem-pages.ts'
import { type Contract, contractPage, problemPage, problemsPage, script, style } from './reference-pages.ts'

type Bindings = { Bindings: HttpBindings }

/** What the pages about the REST face are made of. */
export interface ReferenceParts {
  /** The contract (OpenAPI 3.1) as it is served. */
  readonly contract: string
  /** Whether exchanges can be answered and accounted for. */
  readonly ready: () => Promise<boolean>
  /** Whose pages may read the contract and whether it is up; default nobody's. */
  readonly origins?: readonly string[]
}

const digest = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
const contentSecurityPolicy = [
  "default-src 'none'",
  `style-src ${digest(style)}`,
  `script-src ${digest(script)}`,
  "connect-src 'self'",
  ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
].join('; ')

/**
 * The contract of the REST face, pages that explain it and each of its problems, and whether it is up: `/openapi.json`,
 * `/docs`, `/problems/{type}`, `/status`. They tell nothing of anybody and ask nobody who they are.
 */
export function referenceApp({ contract, origins = [], ready }: ReferenceParts): Hono<Bindings> {
  const app = new Hono<Bindings>()
  const page = contractPage(JSON.parse(contract) as Contract, problemPages)
  const pages = new Map<string, ProblemPage>(problemPages.map((one) => [one.word, one]))
  for (const path of ['/openapi.json', '/status']) {
    app.use(path, async ({ env: { incoming, outgoing } }, next) => {
      if (shareWith(origins, incoming, outgoing, 'GET, HEAD')) return RESPONSE_ALREADY_SENT
      return await next()
    })
  }
  app.get('/openapi.json', (context) => context.body(contract, 200, headersOf(context, 'application/json')))
  app.get('/docs', (context) => html(context, page))
  app.get('/problems', (context) => html(context, problemsPage(problemPages)))
  app.get('/problems/:word', (context) => {
    const found = pages.get(context.req.param('word'))
    if (found === undefined) return status(context, 404, 'No such problem', 'There is no problem of this type')
    return html(context, problemPage(found))
  })
  app.get('/status', async (context) => {
    const isUp = await ready().catch(() => false)
    if (isUp) return status(context, 200, 'OK', 'The gateway answers')
    context.header('retry-after', '10')
    return status(context, 503, 'Service Unavailable', 'The gateway cannot account for requests now')
  })
  return app
}

function html(context: Context<Bindings>, page: string): Response {
  return context.body(page, 200, {
    ...headersOf(context, 'text/html; charset=utf-8'),
    'content-security-policy': contentSecurityPolicy,
    'referrer-policy': 'no-referrer',
  })
}

/** RFC 7807, also when all is well (Linee guida modello interoperabilità, NAME_011). */
function status(context: Context<Bindings>, code: 200 | 404 | 503, title: string, detail: string): Response {
  const headers = headersOf(context, 'application/problem+json')
  return context.body(JSON.stringify({ type: 'about:blank', title, status: code, detail }), code, headers)
}

function headersOf({ env }: Context<Bindings>, contentType: string): Readonly<Record<string, string>> {
  return {
    ...exchangeHeaders(correlationOf(env.incoming)),
    'content-type': contentType,
    'x-content-type-options': 'nosniff',
  }
}
