import { createHash } from 'node:crypto'
import { type ErrorCode, GatewayError } from '../../core/errors.ts'
import type { RetrieveGateway } from '../../core/federation/retrieve.ts'
import type { AuthenticatedCall } from '../../core/model/call.ts'
import type { DeliveredDocument, DocumentReference } from '../../core/model/retrieval.ts'
import type { Clock } from '../../core/ports.ts'
import { contentHeaders, contentTypeOf } from './content.ts'
import { type DerivedForm, formRefused, type MadeForm, type MakeForm } from './document-forms.ts'
import type { DocumentHandles } from './document-handles.ts'
import { requireEmergencyReason } from './emergency.ts'
import type { ApiAnswer, ApiCall, ApiRoute } from './endpoint.ts'

/** What handing out documents needs. */
export interface DocumentRouteParts {
  readonly gateway: RetrieveGateway
  readonly handles: DocumentHandles
  readonly makeForm: MakeForm
  readonly clock: Clock
  /** For finding, fetching and verifying a document; sending it takes as long as its caller takes. */
  readonly deadlineMs: number
}

/**
 * `GET` and `HEAD /api/v1/documents/{handle}`: a document from wherever it lies, for a user whose tokens name patient,
 * role and purpose (IHE MHD, ITI-68). `form` is `original` (default): the very bytes that were registered; `cda`: the
 * clinical document, also out of a PDF; `readable`: a page made of it; `body`: the file in a CDA that wraps one.
 */
export function documentRoutes(parts: DocumentRouteParts): readonly ApiRoute[] {
  const route: Omit<ApiRoute, 'method'> = {
    path: '/api/v1/documents/:handle',
    transaction: 'ITI-68',
    deadlineMs: parts.deadlineMs,
    matter: () => ({ operation: 'read' }),
    handle: (call) => documentFor(call, parts),
  }
  return [
    { ...route, method: 'GET' },
    { ...route, method: 'HEAD' },
  ]
}

async function documentFor(call: ApiCall, parts: DocumentRouteParts): Promise<ApiAnswer> {
  const { caller, held, note, parameters } = call
  const { assertion } = caller
  const form = formAsked(call.request.target)
  note({ request: form === 'original' ? 'RetrieveDocument' : `RetrieveDocument ${form}` })
  if (assertion === undefined) throw new GatewayError('access-denied', 'The tokens name no user')
  requireEmergencyReason(call)
  const { handle = '' } = parameters
  const reference = parts.handles.open(handle, assertion)
  if (reference === undefined) throw unknown()
  note({ documents: [reference] })
  const document = await delivered(reference, { ...call, assertion }, note, parts)
  const { content, verified: isVerified } = document
  held.use(content)
  if (form === 'original') {
    const contentType = contentTypeOf(document.mimeType)
    note({ results: 1 })
    return {
      contentType,
      headers: contentHeaders({ digest: content.sha1, contentType, handle, isVerified }),
      content: { length: content.size, chunks: content.read(), ownsChunks: true },
    }
  }
  const { bytes, contentSecurityPolicy, mediaType } = await made(form, document, call, parts)
  const contentType = contentTypeOf(mediaType)
  const digest = createHash('sha256').update(bytes).digest('hex')
  note({ results: 1 })
  return {
    contentType,
    headers: contentHeaders({ digest, contentType, handle, isVerified, contentSecurityPolicy }),
    content: { length: bytes.byteLength, chunks: once(bytes) },
  }
}

/** `form` of an address. Throws `parameter-count`, `parameter-invalid`. */
function formAsked(target: string): DerivedForm | 'original' {
  const query = target.indexOf('?')
  const asked = new URLSearchParams(query < 0 ? '' : target.slice(query)).getAll('form')
  if (asked.length > 1) throw new GatewayError('parameter-count', 'The parameter form may come once')
  const [form = 'original'] = asked
  switch (form) {
    case 'original':
    case 'cda':
    case 'readable':
    case 'body':
      return form
    default:
      throw new GatewayError('parameter-invalid', 'The parameter form is original, cda, readable or body')
  }
}

/** The document, whole and verified. Throws `document-unknown` for all that this caller may not know apart. */
async function delivered(
  reference: DocumentReference,
  call: AuthenticatedCall,
  note: ApiCall['note'],
  { gateway }: DocumentRouteParts,
): Promise<DeliveredDocument> {
  const { asked, documents, failures } = await gateway.retrieve([reference], call)
  note({ asked })
  const [document] = documents
  if (document !== undefined) return document
  const error = failures[0]?.error
  throw error === undefined || alike.has(error.code) ? unknown(error) : error
}

/** What a document that is not this caller's to know can fail with, whoever says so. */
const alike: ReadonlySet<ErrorCode> = new Set([
  'document-unknown',
  'repository-unknown',
  'community-unknown',
  'access-denied',
  'patient-mismatch',
])

function unknown(cause?: GatewayError): GatewayError {
  return new GatewayError('document-unknown', 'No such document is known', cause === undefined ? {} : { cause })
}

async function made(
  form: DerivedForm,
  { content }: DeliveredDocument,
  { deadline, signal }: ApiCall,
  { clock, makeForm }: DocumentRouteParts,
): Promise<MadeForm> {
  const late = AbortSignal.timeout(Math.max(0, Math.ceil(deadline - clock.now())))
  const outcome = await makeForm(form, content, AbortSignal.any([signal, late])).catch((error: unknown) => {
    // A reading has its own, much shorter limit: so long one waits for a turn only.
    throw late.aborted && !signal.aborted ? formRefused('busy', error) : error
  })
  if (outcome === 'none') throw formRefused('none')
  if ('refused' in outcome) throw formRefused(outcome.refused)
  return outcome
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
