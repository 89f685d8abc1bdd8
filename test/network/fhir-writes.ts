import { randomUUID, type X509Certificate } from 'node:crypto'
import type { Asked } from './asked.ts'
import type { Setting } from './behaviour.ts'
import { samePerson } from './citizens.ts'
import {
  documentReference,
  entryUuidsOf,
  isServed,
  type Json,
  resourceIdOf,
  uniqueIdentifier,
  uriSystem,
} from './document-reference.ts'
import { type PutDocument, readDocumentReference } from './document-reference-read.ts'
import type { Entry, SubmissionSet } from './entry.ts'
import { fhirJson, isWrite, outcome, path } from './fhir-face.ts'
import {
  checkRight,
  checkVersion,
  etagOf,
  idNamed,
  isList,
  isTransaction,
  locationOf,
  type Operation,
  operationsIn,
} from './fhir-operations.ts'
import { FhirProblem, readParameters, token } from './fhir-search.ts'
import { organization } from './organizations.ts'
import { gatewayChannel, gatewaySigner } from './registry-face.ts'
import type { Clock, Face, PeerReply, PeerRequest } from './server.ts'
import { RegistryProblem } from './stored-query.ts'
import { type Bearer, isAbout, tokenGuard } from './token.ts'
import { contentType } from './value-sets.ts'
import { submissionOfOne, type WritableRegistry } from './writable-registry.ts'

export interface FhirWriteParts {
  readonly origin: string
  readonly registry: WritableRegistry
  readonly root: X509Certificate
  readonly clock: Clock
}

interface Done {
  readonly status: number
  readonly entry?: Entry
}

/** The part of the record's FHIR R4 face that takes changes: create, update, delete and read by id, transactions. */
export function fhirWrites({ origin, registry, root, clock }: FhirWriteParts): Face {
  const base = origin + path
  const guard = tokenGuard({ root, now: () => clock.now(), signer: gatewaySigner, audience: base })

  async function answer(given: PeerRequest, setting: Setting, asked: Asked): Promise<PeerReply> {
    const bearer = await guard(given.headers.authorization)
    const { issuer, role, purpose, id } = bearer
    Object.assign(asked, { issuer, role, purpose, assertionIds: [id], query: 'DocumentReference' })
    const operations = operationsIn(given)
    if (operations.length > 1 || given.method === 'POST') Object.assign(asked, { documents: operations.length })
    for (const operation of operations) checkRight(operation, bearer)
    if (setting.behave === 'fault') throw new FhirProblem(500, 'exception', 'The record failed')
    if (setting.behave === 'busy') throw new FhirProblem(503, 'throttled', 'Try again later')
    if (setting.behave === 'refuse') return refusal(asked, setting)
    const done = registry.together(() => perform(operations, bearer), setting.behave === 'forgetful')
    const [only] = done
    return isTransaction(given) ? transactionResponse(done) : single(only, base, registry)
  }

  function perform(operations: readonly Operation[], bearer: Bearer): Done[] {
    // Deletions first, then creations, then updates (FHIR R4 §3.1.0.11.2); answers stand as the requests did.
    const order = ['DELETE', 'POST', 'PUT', 'GET']
    const inOrder = operations.toSorted((one, other) => order.indexOf(one.method) - order.indexOf(other.method))
    const ids = new Map<string, string>()
    const done = new Map(inOrder.map((operation) => [operation, one(operation, bearer, ids)]))
    return operations.map((operation) => done.get(operation) ?? { status: 500 })
  }

  function one(operation: Operation, bearer: Bearer, ids: Map<string, string>): Done {
    if (isList(operation)) return { status: 201 }
    if (operation.method === 'DELETE') return remove(operation, bearer)
    if (operation.method === 'GET') return { status: 200, entry: found(operation) ?? absent() }
    const document = readDocumentReference(operation.resource)
    if (!isAbout(bearer, document.entry.patient))
      throw new FhirProblem(403, 'forbidden', 'The token is about another patient')
    const entry = operation.method === 'POST' ? create(operation, document, ids) : put(operation, document, ids)
    if (operation.fullUrl !== undefined) ids.set(operation.fullUrl, resourceIdOf(entry.entry))
    return entry
  }

  function create(operation: Operation, document: PutDocument, ids: ReadonlyMap<string, string>) {
    const same = operation.ifNoneExist === undefined ? undefined : matching(operation.ifNoneExist)
    if (same !== undefined) return { status: 200, entry: same }
    const { entry, replaces, superseded } = document
    const [older, ...more] = replaces.map((name) => known(ids.get(name) ?? name))
    if (more.length > 0) throw new FhirProblem(422, 'not-supported', 'A document replaces one other')
    const named = isUuidUrn(entry.entryUuid) ? entry.entryUuid : `urn:uuid:${randomUUID()}`
    const submission = submissionOfOne({ ...entry, entryUuid: named }, setOf(entry, clock), older?.entryUuid)
    const [created] = registry.register(submission, 'FHIR')
    if (created === undefined || superseded) throw new FhirProblem(422, 'invariant', 'A new document is current')
    return { status: 201, entry: created }
  }

  function put(
    operation: Operation,
    { entry, id, formerIds, superseded, replaces }: PutDocument,
    ids: ReadonlyMap<string, string>,
  ) {
    const former = found(operation)
    const named = idNamed(operation)
    if (named !== undefined && id !== named)
      throw new FhirProblem(400, 'value', 'The id of the resource is not that of the address')
    if (named !== undefined && !isUuidUrn(`urn:uuid:${named}`))
      throw new FhirProblem(422, 'value', 'An id is a UUID here')
    checkVersion(operation, former)
    const status = superseded ? 'Deprecated' : 'Approved'
    const entryUuid = entry.entryUuid || (former?.entryUuid ?? `urn:uuid:${named ?? randomUUID()}`)
    const others = registry.holdings.entries.filter((other) => other.logicalId !== former?.logicalId)
    if (
      others.some((other) => entryUuidsOf(other).includes(entryUuid)) ||
      (former === undefined && named && entryUuid !== `urn:uuid:${named}`)
    ) {
      throw new FhirProblem(422, 'invariant', 'The entryUUID among the identifiers is another document’s')
    }
    if (former === undefined && replaces.length > 0)
      return create(operation, { entry: { ...entry, entryUuid }, id, formerIds, superseded, replaces }, ids)
    const known = former && { of: former.entryUuid, resource: { id: resourceIdOf(former), formerIds } }
    const now = registry.put({ ...entry, entryUuid, status }, setOf(entry, clock), known)
    return { status: former === undefined ? 201 : 200, entry: now }
  }

  function remove(operation: Operation, bearer: Bearer): Done {
    const entry = found(operation)
    checkVersion(operation, entry)
    // What is not there need not be removed (FHIR R4 §3.1.0.7).
    if (entry === undefined) return { status: 204 }
    if (!samePerson(entry.patient, bearer.person))
      throw new FhirProblem(403, 'forbidden', 'The token is about another patient')
    // What it was before is history, which nobody finds without it.
    const { logicalId } = entry
    const versions = registry.holdings.entries.filter((one) => one === entry || one.logicalId === logicalId)
    registry.remove(
      versions.map(({ entryUuid }) => entryUuid),
      'FHIR',
    )
    return { status: 204 }
  }

  function served(): readonly Entry[] {
    return registry.holdings.entries.filter(isServed)
  }

  /** The document an address names, by id or by a condition. */
  function found(operation: Operation): Entry | undefined {
    const id = idNamed(operation)
    if (id !== undefined) return served().find((entry) => resourceIdOf(entry) === id)
    const [, condition] = operation.url.split('?')
    if (condition === undefined) throw new FhirProblem(400, 'required', 'The address names no document')
    return matching(condition)
  }

  function matching(condition: string): Entry | undefined {
    const parameters = readParameters(new URLSearchParams(condition.replace(/^.*\?/, '')))
    if (parameters.length !== 1 || parameters[0]?.name !== 'identifier') {
      throw new FhirProblem(400, 'not-supported', 'A condition names one identifier')
    }
    const { system, value } = token(parameters[0].values.join(','))
    const all = served().filter((entry) => {
      const unique = uniqueIdentifier(entry.uniqueId)
      const names = [unique, ...entryUuidsOf(entry).map((id) => ({ system: uriSystem, value: id }))]
      return names.some((name) => name.value === value && (system === undefined || system === name.system))
    })
    // Former versions bear the same identifier.
    const current = all.filter(({ status }) => status === 'Approved')
    const [only, ...more] = current.length > 0 ? current : all
    if (more.length > 0) throw new FhirProblem(412, 'multiple-matches', 'More than one document is meant')
    return only
  }

  function known(name: string): Entry {
    const id = name.replace(/^.*DocumentReference\//, '').replace('urn:uuid:', '')
    const entry =
      served().find((other) => entryUuidsOf(other).includes(name)) ??
      served().find((other) => resourceIdOf(other) === id)
    if (entry === undefined) throw new FhirProblem(422, 'not-found', 'What is to be replaced is not known here')
    return entry
  }

  function transactionResponse(done: readonly Done[]): PeerReply {
    const entry = done.map(({ status, entry: document }) => ({
      response: {
        status: String(status),
        ...(document && { location: locationOf(document), etag: etagOf(document) }),
      },
    }))
    return reply(200, { resourceType: 'Bundle', type: 'transaction-response', entry })
  }

  return {
    name: 'fhir-write',
    contentType: fhirJson,
    serves: (served, { method }) => isWrite(method, served),
    admits: (name) => name === gatewayChannel,
    async respond(given, behaviour, asked, setting = { behave: behaviour }): Promise<PeerReply> {
      try {
        return await answer(given, setting, asked)
      } catch (error) {
        const problem = error instanceof RegistryProblem ? asFhir(error) : error
        if (!(problem instanceof FhirProblem)) throw error
        asked.outcome = problem.status >= 500 && problem.status !== 503 ? 'broken' : 'refused'
        const told = reply(problem.status, outcome(problem.code, problem.message))
        return problem.status === 503 ? { ...told, headers: { 'retry-after': '1' } } : told
      }
    },
  }
}

function absent(): never {
  throw new FhirProblem(404, 'not-found', 'No such document is known')
}

function isUuidUrn(text: string): boolean {
  return /^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)
}

/** The submission that FHIR does not name. */
function setOf(entry: Entry, clock: Clock): SubmissionSet {
  const { arc } = organization('090')
  const time = new Date(clock.now()).toISOString().replace(/\D/g, '').slice(0, 14)
  return {
    entryUuid: `urn:uuid:${randomUUID()}`,
    uniqueId: `${arc}.4.3.${BigInt(`0x${randomUUID().replaceAll('-', '').slice(0, 16)}`)}`,
    sourceId: arc,
    patient: entry.patient,
    submissionTime: time,
    contentType: contentType('CON'),
    author: entry.author,
    status: 'Approved',
    title: entry.title,
  }
}

function single(done: Done | undefined, base: string, { holdings }: WritableRegistry): PeerReply {
  const { status = 500, entry } = done ?? {}
  if (entry === undefined) return { status, contentType: fhirJson, body: '' }
  const headers = { etag: etagOf(entry), ...(status === 201 && { location: `${base}/${locationOf(entry)}` }) }
  return { ...reply(status, documentReference(entry, base, holdings)), headers }
}

function reply(status: number, body: Json): PeerReply {
  return { status, contentType: fhirJson, body: JSON.stringify(body) }
}

const statuses: Readonly<Record<string, readonly [number, string]>> = {
  XDSDuplicateUniqueIdInRegistry: [409, 'duplicate'],
  R224: [409, 'duplicate'],
  XDSNonIdenticalHash: [409, 'conflict'],
  XDSNonIdenticalSize: [409, 'conflict'],
  XDSRegistryDeprecatedDocumentError: [422, 'business-rule'],
  XDSPatientIdDoesNotMatch: [422, 'invariant'],
  XDSUnknownPatientId: [422, 'not-found'],
}

function asFhir({ code, message }: RegistryProblem): FhirProblem {
  const [status, kind] = statuses[code] ?? [422, 'processing']
  return new FhirProblem(status, kind, message)
}

function refusal(
  asked: Asked,
  { issues = [{ code: 'XDSRegistryError', text: 'The record does not take this' }] }: Setting,
): PeerReply {
  asked.outcome = 'refused'
  return reply(422, {
    resourceType: 'OperationOutcome',
    issue: issues.map(({ code, text, severity = 'Error' }) => ({
      severity: severity.toLowerCase(),
      code: 'business-rule',
      details: { coding: [{ code }], text },
      diagnostics: text,
    })),
  })
}
