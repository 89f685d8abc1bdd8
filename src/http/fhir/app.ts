import { createHash } from 'node:crypto'
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { type Context, Hono } from 'hono'
import { capabilityStatement, pixOperationDefinition, pixOperationId } from '../../wire/fhir/capability.ts'
import type { Json } from '../../wire/fhir/types.ts'
import { apiApp } from '../api/app.ts'
import { correlationOf, exchangeHeaders } from '../api/correlation.ts'
import { shareWith } from '../api/cross-origin.ts'
import type { DocumentRouteParts } from '../api/documents.ts'
import type { ApiParts, ApiRoute } from '../api/endpoint.ts'
import { binaryRoutes } from './binaries.ts'
import { documentReferenceRoutes } from './document-references.ts'
import { outcomes } from './failures.ts'
import { listRoutes } from './lists.ts'
import type { FhirParts } from './parts.ts'
import { patientRoutes } from './patients.ts'
import { FhirRefusal } from './refusal.ts'
import { baseOf, fhirType, hasState, requireJson } from './request.ts'

type Bindings = { Bindings: HttpBindings }

/** The routes of the FHIR face. */
export function fhirRoutes(parts: FhirParts, documents: DocumentRouteParts): readonly ApiRoute[] {
  return [...documentReferenceRoutes(parts), ...listRoutes(parts), ...patientRoutes(parts), ...binaryRoutes(documents)]
}

/**
 * The FHIR R4 face under `/fhir`: MHD (ITI-66 to 68), PDQm (ITI-78) and PIXm (ITI-83), with the guards, the audit and the
 * limits of the JSON API. What it can is told to anybody who is connected; nothing of it is about a person.
 */
export function fhirApp(parts: FhirParts, documents: DocumentRouteParts, api: ApiParts): Hono<Bindings> {
  const failures = outcomes(parts.nameOf)
  const app = new Hono<Bindings>()
  const { discover, identifiersInUrls, software } = parts
  const { origins = [] } = api
  const since = new Date(parts.clock.now()).toISOString()
  const capabilities = (context: Context<Bindings>) => ({
    base: baseOf({ request: requestOf(context) }, parts.base),
    ...{ software, since, identifiersInUrls, patients: discover !== undefined, isShared: origins.length > 0 },
  })
  const statics: readonly (readonly [path: string, make: (context: Context<Bindings>) => Json])[] = [
    ['/fhir/metadata', (context) => capabilityStatement(capabilities(context))],
    ...(discover === undefined
      ? []
      : ([
          [
            `/fhir/OperationDefinition/${pixOperationId}`,
            (context: Context<Bindings>) => pixOperationDefinition(capabilities(context)),
          ],
        ] as const)),
  ]
  for (const [path, make] of statics) {
    app.use(path, async ({ env: { incoming, outgoing } }, next) => {
      if (shareWith(origins, incoming, outgoing, 'GET, HEAD')) return RESPONSE_ALREADY_SENT
      return await next()
    })
    app.get(path, (context) => served(context, make, failures))
    app.all(path, (context) => unserved(context, failures))
  }
  const routes = fhirRoutes(parts, documents)
  app.route('/', apiApp(routes, { ...api, failures }, '/fhir'))
  return app
}

function unserved(context: Context<Bindings>, failures: ReturnType<typeof outcomes>): Response {
  const correlationId = correlationOf(context.env.incoming)
  const { body, status } = failures.unserved('method-not-allowed', correlationId)
  const headers = { ...exchangeHeaders(correlationId), 'content-type': fhirType, allow: 'GET, HEAD' }
  return new Response(JSON.stringify(body), { status, headers })
}

function served(
  context: Context<Bindings>,
  make: (context: Context<Bindings>) => Json,
  failures: ReturnType<typeof outcomes>,
): Response {
  const correlationId = correlationOf(context.env.incoming)
  const headers = new Headers({ ...exchangeHeaders(correlationId), 'content-type': fhirType })
  const request = requestOf(context)
  try {
    requireJson({ request }, [...new URLSearchParams(context.req.url.split('?')[1] ?? '')])
  } catch (refused) {
    if (!(refused instanceof FhirRefusal)) throw refused
    const { body, status } = failures.failed(refused, correlationId)
    return new Response(JSON.stringify(body), { status, headers })
  }
  const text = `${JSON.stringify(make(context))}\n`
  const etag = `W/"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`
  headers.set('etag', etag)
  if (hasState({ request }, etag)) return new Response(null, { status: 304, headers })
  return new Response(text, { status: 200, headers })
}

/** As far as it is looked at before anybody is known. */
function requestOf({ env, req }: Context<Bindings>) {
  const { rawHeaders } = env.incoming
  const names = rawHeaders.filter((_, index) => index % 2 === 0)
  const headers = names.map((name, index) => [name, rawHeaders[index * 2 + 1] ?? ''] as const)
  const empty = new Uint8Array()
  return { method: req.method, target: req.path, headers, body: empty, certificate: empty, matter: {} }
}
