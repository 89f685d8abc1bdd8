import { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { operatorActions, type Where } from './actions.ts'
import { consolePages } from './console.ts'
import { deliveryPage, pushPage } from './lists.ts'
import type { OperatorParts } from './parts.ts'
import { operatorProblem } from './problems.ts'
import { bodyOf, operatorOf, parametersOf, reasonIn, requireEmpty, requireOwnName, wordOf } from './request.ts'
import { transferActions } from './transfers.ts'
import { followed, inspected } from './views.ts'

/**
 * What operators see of pushes and deliveries, and do to them: lists without personal data, one of them whole, retry and
 * discard as JSON, and pages for a browser. Looking at one and acting are audited under the name that is given in the header
 * `operator`; nothing of it is authenticated here.
 */
export function operatorApp(parts: OperatorParts): Hono {
  const app = new Hono()
  const actions = operatorActions(parts)
  for (const path of ['/journal/*', '/deliveries/*', '/workflows/*', '/transfers/*', '/communities/*', '/console/*']) {
    app.use(path, async (context, next) => {
      requireOwnName(context.req.url, parts.names)
      context.header('cache-control', 'no-store')
      context.header('x-content-type-options', 'nosniff')
      await next()
    })
  }
  app.get('/journal', async (context) => context.json(await pushPage(context, parts)))
  app.get('/deliveries', async (context) => context.json(await deliveryPage(context, parts)))
  for (const where of ['journal', 'deliveries'] as const satisfies readonly Where[]) {
    app.get(`/${where}/:id`, async (context) => {
      const { content = 'no' } = parametersOf(context, ['content'])
      const withContent = wordOf('content', content, ['yes', 'no']) === 'yes'
      const operator = operatorOf(context.req.header('operator'))
      return context.json(inspected(await actions.inspect(where, context.req.param('id'), operator), withContent))
    })
    app.post(`/${where}/:id/retry`, async (context) => {
      const operator = operatorOf(context.req.header('operator'))
      requireEmpty(await bodyOf(context))
      await actions.retry(where, context.req.param('id'), operator)
      return context.json({ retried: context.req.param('id') })
    })
    app.post(`/${where}/:id/discard`, async (context) => {
      const operator = operatorOf(context.req.header('operator'))
      const reason = reasonIn(await bodyOf(context))
      await actions.discard(where, context.req.param('id'), operator, reason)
      return context.json({ discarded: context.req.param('id') })
    })
  }
  app.get('/workflows/:id', async (context) => {
    parametersOf(context, [])
    const operator = operatorOf(context.req.header('operator'))
    const id = context.req.param('id')
    return context.json(followed(id, await actions.follow(id, operator)))
  })
  app.post('/communities/:name/credentials/reset', async (context) => {
    const operator = operatorOf(context.req.header('operator'))
    requireEmpty(await bodyOf(context))
    await actions.reset(context.req.param('name'), operator)
    return context.json({ reset: context.req.param('name') })
  })
  const transfers = transferActions(parts)
  app.post('/transfers', async (context) => {
    const operator = operatorOf(context.req.header('operator'))
    const { patient, ...more } = await bodyOf(context)
    requireEmpty(more)
    const id = await transfers.start(patient, operator)
    return context.json({ id }, 201)
  })
  app.get('/transfers/:id', async (context) => {
    parametersOf(context, [])
    const operator = operatorOf(context.req.header('operator'))
    return context.json(await transfers.show(context.req.param('id'), operator))
  })
  app.route('/console', consolePages(parts, actions))
  app.onError((thrown) => {
    if (thrown instanceof HTTPException) return thrown.getResponse()
    const problem = operatorProblem(thrown)
    return Response.json(problem, {
      status: problem.status,
      headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
    })
  })
  return app
}
