import type { Issue } from '../../src/core/errors.ts'
import { nothingFound, type QueryAnswer } from '../../src/core/model/answers.ts'
import type { Assertion, AuthenticatedCall, AuthorizedCall } from '../../src/core/model/call.ts'
import { correlationId, type HomeCommunityId, homeCommunityId } from '../../src/core/model/identifiers.ts'
import type { Association, DocumentEntry, Folder, SubmissionSet } from '../../src/core/model/metadata.ts'
import { authorities, onlyIdentifier, type PatientId, patientId } from '../../src/core/model/patient.ts'
import type { FindDocuments, StoredQuery } from '../../src/core/model/stored-query.ts'
import { timestamp } from '../../src/core/model/timestamp.ts'
import type { Clock, Community, DocumentRegistry, KnownPatient } from '../../src/core/ports.ts'
import { parseCx } from '../../src/wire/hl7/cx.ts'

/** Homes as the Italian affinity domain assigns them. */
export const homes = {
  tuscany: homeCommunityId('urn:oid:2.16.840.1.113883.2.9.2.90'),
  ini: homeCommunityId('urn:oid:2.16.840.1.113883.2.9.2.0'),
  veneto: homeCommunityId('urn:oid:2.16.840.1.113883.2.9.2.50'),
  lazio: homeCommunityId('urn:oid:2.16.840.1.113883.2.9.2.120'),
  campania: homeCommunityId('urn:oid:2.16.840.1.113883.2.9.2.150'),
} as const

/** Synthetic citizens: the letters of the surnames belong to nobody's name. */
export const citizen: PatientId = patientId('PROVAX80A01H501M', authorities.codiceFiscale)
export const otherCitizen: PatientId = patientId('ESMPLO70B41D612T', authorities.codiceFiscale)

export const clinician = 'CLNCXX75C03F839M^^^&2.16.840.1.113883.2.9.4.3.2&ISO'

export const loinc = '2.16.840.1.113883.6.1'

export function known(more: Partial<KnownPatient> = {}): KnownPatient {
  return { patient: onlyIdentifier(citizen), ...more }
}

export function assertion(more: Partial<Assertion> = {}): Assertion {
  const subjectId = parseCx(more.subject ?? clinician)
  return {
    ...(subjectId === undefined ? {} : { subjectId }),
    id: '_a1',
    issuer: '090',
    community: homes.tuscany,
    subject: clinician,
    role: 'AAS',
    purposeOfUse: 'TREATMENT',
    action: 'READ',
    organization: '090',
    patientId: citizen,
    validUntil: 4_102_444_800_000,
    signer: 'S1#090#090PORTALE-DEV',
    evidence: { kind: 'saml', digest: '00' },
    ...more,
  }
}

/** The clock that the calls of these builders are timed by; it does not move. */
export const stoppedClock: Clock = { now: () => 1_000_000 }

export function authenticated(
  claims: Partial<Assertion> = {},
  more: Partial<Omit<AuthenticatedCall, 'assertion'>> = {},
): AuthenticatedCall {
  return {
    correlationId: correlationId('c-1'),
    signal: new AbortController().signal,
    deadline: stoppedClock.now() + 10_000,
    peer: { name: 'portal', home: homes.tuscany, subject: 'CN=portal', fingerprint: '00' },
    assertion: assertion(claims),
    ...more,
  }
}

export function authorized(more: Partial<Omit<AuthenticatedCall, 'assertion'>> = {}): AuthorizedCall {
  const call = authenticated({}, more)
  const { role, purposeOfUse, subject } = call.assertion
  return { ...call, permit: { partition: 'p', viewer: { role, purposeOfUse, subject } } }
}

export function findDocuments(more: Partial<FindDocuments> = {}): FindDocuments {
  return { type: 'FindDocuments', patientId: citizen, status: ['approved'], filter: {}, extra: [], ...more }
}

export function entry(name: string, more: Partial<DocumentEntry> = {}): DocumentEntry {
  return {
    kind: 'stable',
    entryUuid: `urn:uuid:${name}`,
    uniqueId: `2.16.840.1.113883.2.9.2.90.4.4^${name}`,
    patientId: citizen,
    status: 'approved',
    title: [],
    comments: [],
    mimeType: 'text/x-cda-r2+xml',
    creationTime: timestamp('20240101'),
    sourcePatientInfo: [],
    authors: [],
    typeCode: { code: '11502-2', scheme: loinc },
    confidentialityCodes: [{ code: 'N', scheme: '2.16.840.1.113883.5.25' }],
    eventCodes: [],
    referenceIds: [],
    ...more,
  }
}

/** An entry with the access policy code `P99`. */
export function obscured(name: string, more: Partial<DocumentEntry> = {}): DocumentEntry {
  return entry(name, { eventCodes: [{ code: 'P99', scheme: '2.16.840.1.113883.2.9.3.3.6.1.3' }], ...more })
}

export function submissionSet(name: string, more: Partial<SubmissionSet> = {}): SubmissionSet {
  return {
    entryUuid: `urn:uuid:${name}`,
    uniqueId: `2.16.840.1.113883.2.9.2.90.4.3.${name}`,
    patientId: citizen,
    title: [],
    comments: [],
    authors: [],
    intendedRecipients: [],
    ...more,
  }
}

export function folder(name: string, more: Partial<Folder> = {}): Folder {
  return {
    entryUuid: `urn:uuid:${name}`,
    uniqueId: `1.2.${name}`,
    patientId: citizen,
    title: [],
    comments: [],
    codes: [],
    ...more,
  }
}

export function link(source: string, type: Association['type'], target: string): Association {
  return {
    entryUuid: `urn:uuid:${source}-${type}-${target}`,
    type,
    source: `urn:uuid:${source}`,
    target: `urn:uuid:${target}`,
  }
}

export function issue(code: string, more: Partial<Issue> = {}): Issue {
  return { severity: 'error', code, text: 'told by the community', ...more }
}

export function answer(more: Partial<QueryAnswer> = {}): QueryAnswer {
  return { ...nothingFound, ...more }
}

export interface CommunityOptions extends Partial<Omit<Community, 'registry' | 'home'>> {
  readonly home?: HomeCommunityId
  readonly query?: DocumentRegistry['query']
}

/** A community that answers nothing unless told otherwise. */
export function community(options: CommunityOptions = {}): Community {
  const { query = async () => nothingFound, ...more } = options
  return {
    home: homes.tuscany,
    name: 'tuscany',
    relation: 'own',
    identifiers: 'each',
    reaches: [],
    registry: { query },
    [Symbol.asyncDispose]: async () => undefined,
    ...more,
  }
}

/** The four kinds of neighbour: our own record, INI, and two regions. */
export const neighbours = {
  tuscany: community(),
  ini: community({
    home: homes.ini,
    name: 'ini',
    relation: 'national',
    identifiers: 'active',
    reaches: [homes.campania],
  }),
  veneto: community({ home: homes.veneto, name: 'region-050', relation: 'partner' }),
  lazio: community({ home: homes.lazio, name: 'region-120', relation: 'partner' }),
} as const

/** A registry that keeps what it was asked. */
export function recording(reply: (query: StoredQuery) => QueryAnswer): {
  readonly asked: StoredQuery[]
  readonly query: DocumentRegistry['query']
} {
  const asked: StoredQuery[] = []
  return {
    asked,
    query: async (query) => {
      asked.push(query)
      return reply(query)
    },
  }
}
