import { createHash } from 'node:crypto'
import { type Context, Hono } from 'hono'
import { html, raw } from 'hono/html'
import type { WaitingDelivery } from '../../core/ports.ts'
import type { OperatorActions } from './actions.ts'
import type { OperatorParts } from './parts.ts'
import { OperatorRefusal, operatorProblem } from './problems.ts'
import { operatorOf, parametersOf } from './request.ts'
import { type Inspected, inspected, listedDelivery } from './views.ts'

type Html = ReturnType<typeof html>

const mostShown = 100

const style = `
:root { color-scheme: light dark; font: 100%/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 75rem; padding: 1rem; }
table { border-collapse: collapse; width: 100%; }
caption { font-weight: bold; padding: .5rem 0; text-align: left; }
th, td { border-bottom: 1px solid #8888; padding: .25rem .75rem .25rem 0; text-align: left; vertical-align: top; }
td, dd { overflow-wrap: anywhere; }
dt { font-weight: bold; }
pre { overflow-wrap: anywhere; white-space: pre-wrap; }
`

/** Nothing is loaded, no script runs, and forms lead nowhere but here. */
const contentPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ')

/**
 * Pages for a browser: what waits and what is dead, and one of them with its reason, once the reader has said who they are.
 * They show; acting is left to the command line, where a name and a reason are typed and no page can press a button.
 */
export function consolePages(parts: OperatorParts, actions: OperatorActions): Hono {
  const pages = new Hono()
  pages.get('/', async (context) => {
    parametersOf(context, [])
    const { outbox, clock } = parts
    const [dead, waiting] = await Promise.all(
      (['dead', 'waiting'] as const).map((state) => outbox.list({ state, limit: mostShown })),
    )
    const now = clock.now()
    return await page(
      context,
      'Deliveries',
      html`${table('Dead: nobody tries these again by itself, and they hold back what is behind them', dead ?? [], now)}
        ${table('Waiting: to be delivered, or to be tried again', waiting ?? [], now)}
        <p>At most ${mostShown} of each are shown, in the order in which they were put.</p>`,
    )
  })
  pages.get('/deliveries/:id', async (context) => {
    const id = context.req.param('id')
    const { operator } = parametersOf(context, ['operator'])
    if (operator === undefined || operator === '' || comesFromElsewhere(context))
      return await page(context, 'A delivery', whoLooks(id))
    const one = await actions.inspect('deliveries', id, operatorOf(operator))
    return await page(context, 'A delivery', detailsOf(inspected(one, false)))
  })
  pages.onError(async (thrown, context) => {
    const { status, title, detail } = operatorProblem(thrown)
    const told = thrown instanceof OperatorRefusal ? detail : 'The log says more.'
    return await page(context, title, html`<p>${told}</p>`, status)
  })
  return pages
}

/** A link of another site must not write a name of its choice into the audit trail. */
function comesFromElsewhere({ req }: Context): boolean {
  return ['cross-site', 'same-site'].includes(req.header('sec-fetch-site') ?? '')
}

function table(caption: string, deliveries: readonly WaitingDelivery[], now: number): Html {
  if (deliveries.length === 0) return html`<p><strong>${caption}</strong>: none.</p>`
  return html`<table>
    <caption>${caption}</caption>
    <thead>
      <tr><th scope="col">Delivery</th><th scope="col">Kind</th><th scope="col">Age</th><th scope="col">Attempts</th><th scope="col">Next attempt</th></tr>
    </thead>
    <tbody>${deliveries.map((delivery) => row(delivery, now))}</tbody>
  </table>`
}

function row(delivery: WaitingDelivery, now: number): Html {
  const { id, kind, putAt, attempts, nextAttemptAt } = listedDelivery(delivery)
  return html`<tr>
    <th scope="row"><a href="/console/deliveries/${encodeURIComponent(id)}">${id}</a></th>
    <td>${kind}</td>
    <td><time datetime="${putAt}">${ageOf(now - delivery.putAt)}</time></td>
    <td>${attempts}</td>
    <td>${nextAttemptAt === undefined ? 'none' : html`<time datetime="${nextAttemptAt}">${nextAttemptAt}</time>`}</td>
  </tr>`
}

/** Whoever looks at one sees personal data, so that they say who they are. */
function whoLooks(id: string): Html {
  return html`<p>What is shown of one delivery may name a person. Who looks at it is written into the audit trail.</p>
    <form method="get" action="/console/deliveries/${encodeURIComponent(id)}">
      <label for="operator">Your name</label>
      <input id="operator" name="operator" required maxlength="64" autocomplete="username">
      <button>Show</button>
    </form>`
}

function detailsOf(one: Inspected): Html {
  const { id, documents, explanations = [], removes = [], reason } = one
  const known = {
    Id: id,
    Kind: one.kind,
    Transaction: one.transaction,
    State: one.state,
    Received: one.receivedAt,
    Put: one.putAt,
    Attempts: one.attempts,
    'Next attempt': one.nextAttemptAt,
    'Done with': one.settledAt,
    'Correlation id': one.correlationId,
  }
  const told = Object.entries(known).filter(([, value]) => value !== undefined)
  const where = one.transaction === undefined ? 'deliveries' : 'journal'
  return html`<dl>${told.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
    <h2>Reason</h2>
    ${reason === undefined ? html`<p>None: it has not failed.</p>` : html`<pre>${reason}</pre>`}
    ${explanations.map(
      ({ code, meaning, next }) => html`<p><strong>${code}</strong>: ${meaning} <em>What to do:</em> ${next}</p>`,
    )}
    <h2>Documents</h2>
    <ul>${documents.map(({ document, repository }) => html`<li>${document}${repository === undefined ? '' : ` in ${repository}`}</li>`)}
      ${removes.map((removed) => html`<li>${removed} (to be removed)</li>`)}</ul>
    <h2>To act</h2>
    <p>Retry it once the cause is mended, or give it up for good:</p>
    <pre>crocevia ${where} retry ${id} --config FILE --operator NAME
crocevia ${where} discard ${id} --config FILE --operator NAME --reason TEXT</pre>`
}

function ageOf(milliseconds: number): string {
  const minutes = Math.max(0, Math.floor(milliseconds / 60_000))
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`
}

async function page(context: Context, title: string, body: Html, status = 200): Promise<Response> {
  const text = html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title} – Crocevia</title><style>${raw(style)}</style></head>
<body>
<header><nav><a href="/console">All deliveries</a></nav></header>
<main><h1>${title}</h1>${body}</main>
</body>
</html>`
  return new Response(`${await text}`, {
    status,
    headers: {
      ...Object.fromEntries(context.res.headers),
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': contentPolicy,
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    },
  })
}
