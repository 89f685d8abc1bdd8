import { Hono } from 'hono'

/** What the operator port tells by itself. No personal data: names from the configuration, states and numbers. */
export interface OpsParts {
  /** Throws or resolves false when the gateway must not be sent traffic. */
  readonly ready: () => Promise<boolean>
  readonly status: () => unknown
  readonly metrics: () => Promise<{ readonly text: string; readonly contentType: string }>
  /** What operators see of pushes and deliveries, and do to them. */
  readonly operating: Hono
}

/** The operator face, on a port of its own: liveness, readiness, status, metrics, and what is done by hand. */
export function opsApp({ ready, status, metrics, operating }: OpsParts): Hono {
  const app = new Hono()
  app.get('/live', (context) => context.json({ status: 'live' }))
  app.get('/ready', async (context) => {
    const well = await ready().catch(() => false)
    return context.json({ status: well ? 'ready' : 'not-ready' }, well ? 200 : 503)
  })
  app.get('/status', (context) => context.json(status() as Record<string, unknown>))
  app.get('/metrics', async (context) => {
    const { text, contentType } = await metrics()
    return context.body(text, 200, { 'content-type': contentType })
  })
  app.route('/', operating)
  app.notFound((context) => context.json({ status: 'unknown address' }, 404))
  return app
}
