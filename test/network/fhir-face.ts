import { randomUUID, type X509Certificate } from 'node:crypto'
import type { Asked } from './asked.ts'
import type { Behaviour } from './behaviour.ts'
import { citizenOf, citizens, samePerson, stranger } from './citizens.ts'
import { documentReference, isServed, type Json, oidUrn, patientResourceId } from './document-reference.ts'
import { cx, type Entry, type Holdings, type Identifier } from './entry.ts'
import { checkNames, FhirProblem, matches, once, type Parameters, patientToken, readParameters } from './fhir-search.ts'
import { organizationsRoot } from './organizations.ts'
import { gatewayChannel, gatewaySigner } from './registry-face.ts'
import type { Clock, Face, PeerReply, PeerRequest } from './server.ts'
import { mediaType } from './soap.ts'
import { type Bearer, isAbout, tokenGuard } from './token.ts'

export const fhirJson = 'application/fhir+json'
export const path = '/fhir'
const defaultPage = 50
const largestPage = 200
const mostKept = 1000

export interface FhirFaceParts {
  readonly origin: string
  readonly holdings: Holdings
  readonly root: X509Certificate
  readonly clock: Clock
}

/** What one search found, kept for its further pages. */
interface Kept {
  readonly resources: readonly Json[]
  readonly asked: Identifier
  readonly size: number
}

/** The record's FHIR R4 face: documents (MHD, ITI-67) and people (PDQm, ITI-78). */
export function fhirFace({ origin, holdings, root, clock }: FhirFaceParts): Face {
  const base = origin + path
  const guard = tokenGuard({ root, now: () => clock.now(), signer: gatewaySigner, audience: base })
  const kept = new Map<string, Kept>()

  async function answer(
    { method, url, headers, body }: PeerRequest,
    behaviour: Behaviour,
    asked: Asked,
  ): Promise<Json> {
    const bearer = await guard(headers.authorization)
    Object.assign(asked, {
      issuer: bearer.issuer,
      role: bearer.role,
      purpose: bearer.purpose,
      assertionIds: [bearer.id],
    })
    if (behaviour === 'fault') throw new FhirProblem(500, 'exception', 'The record failed')
    if (behaviour === 'refuse') throw new FhirProblem(403, 'forbidden', 'The record does not tell')
    if (bearer.action !== 'READ') throw new FhirProblem(403, 'forbidden', 'A search is an action of reading')
    const form = formOf(method, url, headers['content-type'], body)
    const page = form.get('_page')
    if (page !== null) return nextPage(page, bearer)
    const parameters = readParameters(form)
    asked.query = url.pathname.includes('/Patient') ? 'Patient' : 'DocumentReference'
    const found = asked.query === 'Patient' ? people(parameters, bearer) : documents(parameters, bearer)
    const size = Math.min(largestPage, Number(once(parameters, '_count')?.[0] ?? defaultPage))
    if (!Number.isInteger(size) || size < 1) throw new FhirProblem(400, 'value', '_count is not a number of resources')
    return bundle({ resources: spoil(found.resources, behaviour), asked: found.asked, size }, 0, behaviour)
  }

  function documents(parameters: Parameters, bearer: Bearer): Omit<Kept, 'size'> {
    checkNames(parameters, ['patient.identifier'])
    const named = once(parameters, 'patient.identifier')
    const byId = parameters.some(({ name }) => name === 'identifier' || name === '_id')
    if (named === undefined && !byId) throw new FhirProblem(400, 'required', 'patient.identifier is missing')
    if (once(parameters, 'status') === undefined && !byId) throw new FhirProblem(400, 'required', 'status is missing')
    const asked = named === undefined ? bearer.person : patientToken(named.join(','))
    if (!isAbout(bearer, asked)) throw new FhirProblem(403, 'forbidden', 'The token is about another patient')
    // Filed under the very identifier asked for; by id, anything of the same person.
    const isTheirs = ({ patient }: Entry): boolean =>
      named === undefined ? samePerson(patient, asked) : cx(patient) === cx(asked)
    const found = holdings.entries.filter((entry) => isServed(entry) && isTheirs(entry) && matches(entry, parameters))
    return { resources: found.map((entry) => documentReference(entry, base, holdings)), asked }
  }

  function people(parameters: Parameters, bearer: Bearer): Omit<Kept, 'size'> {
    for (const { name } of parameters) {
      if (!['identifier', '_id', '_count', '_format'].includes(name)) {
        throw new FhirProblem(400, 'not-supported', `The parameter ${name} is not supported`)
      }
    }
    const ids = once(parameters, '_id')
    const named = once(parameters, 'identifier')
    if (named === undefined && ids === undefined) throw new FhirProblem(400, 'required', 'identifier is missing')
    const asked = named === undefined ? bearer.person : patientToken(named.join(','))
    if (!isAbout(bearer, asked)) throw new FhirProblem(403, 'forbidden', 'The token is about another patient')
    const citizen = citizenOf(asked)
    const wanted = citizen !== undefined && (ids?.includes(patientResourceId(asked)) ?? true)
    return { resources: wanted ? [patientResource(asked)] : [], asked }
  }

  function nextPage(id: string, bearer: Bearer): Json {
    const [key = '', from] = id.split('.')
    const found = kept.get(key)
    if (found === undefined || !/^\d+$/.test(from ?? ''))
      throw new FhirProblem(404, 'not-found', 'There is no such page')
    if (!isAbout(bearer, found.asked)) throw new FhirProblem(403, 'forbidden', 'The token is about another patient')
    return bundle(found, Number(from), 'normal', key)
  }

  function keep(key: string, found: Kept): void {
    kept.set(key, found)
    const [oldest] = kept.keys()
    if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest)
  }

  /** The address of the next page names nobody: what was asked stays here. */
  function bundle(found: Kept, from: number, behaviour: Behaviour, known?: string): Json {
    const { resources, size } = found
    const more = from + size < resources.length
    const key = known ?? randomUUID()
    if (more) keep(key, found)
    return {
      resourceType: 'Bundle',
      type: 'searchset',
      total: resources.length,
      link: [
        { relation: 'self', url: `${base}/${String(resources[0]?.resourceType ?? 'DocumentReference')}/_search` },
        ...(more ? [{ relation: 'next', url: `${base}/DocumentReference?_page=${key}.${from + size}` }] : []),
      ],
      entry: [
        ...resources.slice(from, from + size).map((resource) => ({
          fullUrl: `${base}/${String(resource.resourceType)}/${String(resource.id)}`,
          resource,
          search: { mode: 'match' },
        })),
        ...(behaviour === 'partial' ? [{ resource: incomplete, search: { mode: 'outcome' } }] : []),
      ],
    }
  }

  return {
    name: 'fhir',
    contentType: fhirJson,
    serves: (served, { method }) => served.startsWith(`${path}/`) && !isWrite(method, served),
    admits: (name) => name === gatewayChannel,
    async respond(request, behaviour, asked): Promise<PeerReply> {
      try {
        return { status: 200, contentType: fhirJson, body: JSON.stringify(await answer(request, behaviour, asked)) }
      } catch (error) {
        if (!(error instanceof FhirProblem)) throw error
        asked.outcome = error.status >= 500 ? 'broken' : 'refused'
        return { status: error.status, contentType: fhirJson, body: JSON.stringify(outcome(error.code, error.message)) }
      }
    },
  }
}

/** The parameters of `GET [base]/<type>?…` and `POST [base]/<type>/_search`, for the two types that are searched. */
function formOf(method: string, url: URL, contentType: string | undefined, body: string): URLSearchParams {
  const [, type, search] = /^\/fhir\/(DocumentReference|Patient)(\/_search)?$/.exec(url.pathname) ?? []
  if (type === undefined) throw new FhirProblem(404, 'not-found', 'Nothing is served here')
  if (method === 'GET' && search === undefined) return url.searchParams
  if (method !== 'POST' || search === undefined)
    throw new FhirProblem(405, 'not-supported', 'Only searches are answered')
  if (mediaType(contentType) !== 'application/x-www-form-urlencoded') {
    throw new FhirProblem(415, 'not-supported', 'A search is posted as a form')
  }
  return new URLSearchParams(body)
}

/** A person with everything they are known under. Who assists them is the managing organization: a sandbox's convention. */
function patientResource(id: Identifier): Json {
  const citizen = citizenOf(id) ?? citizens.unknown
  const { identifiers, family, given, gender, birthDate, assistedBy } = citizen
  return {
    resourceType: 'Patient',
    id: patientResourceId(id),
    active: true,
    identifier: identifiers.map(({ authority, value }, index) => ({
      use: index === 0 ? 'official' : 'old',
      system: oidUrn(authority),
      value,
    })),
    name: [{ family, given: [given] }],
    gender,
    birthDate,
    ...(assistedBy !== 'none' && {
      managingOrganization: { identifier: { system: oidUrn(organizationsRoot), value: assistedBy } },
    }),
  }
}

function spoil(resources: readonly Json[], behaviour: Behaviour): readonly Json[] {
  const [first] = resources
  switch (behaviour) {
    case 'empty':
      return []
    case 'wrong-patient':
      return resources.map((resource) => {
        const identifier = { system: oidUrn(stranger.authority), value: stranger.value }
        return resource.resourceType === 'Patient'
          ? { ...resource, identifier: [identifier] }
          : { ...resource, subject: { type: 'Patient', identifier } }
      })
    case 'odd-entry': {
      if (first === undefined || first.resourceType !== 'DocumentReference') return resources
      const { masterIdentifier: _gone, ...nameless } = first
      return [{ ...nameless, id: `${String(first.id).slice(0, -4)}0000`, identifier: [] }, ...resources]
    }
    default:
      return resources
  }
}

/** What the face that takes changes answers. */
export function isWrite(method: string, served: string): boolean {
  if (method === 'POST') return /^\/fhir(\/|\/DocumentReference)?$/.test(served)
  if (method === 'GET') return /^\/fhir\/DocumentReference\/[^/_]+$/.test(served)
  return ['PUT', 'DELETE'].includes(method) && /^\/fhir\/DocumentReference(\/[^/]+)?$/.test(served)
}

/** An OperationOutcome of one issue. */
export function outcome(code: string, text: string, severity = 'error'): Json {
  return { resourceType: 'OperationOutcome', issue: [{ severity, code, diagnostics: text }] }
}

const incomplete = outcome('transient', 'One of the repositories behind could not be asked')
