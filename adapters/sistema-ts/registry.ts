import { GatewayError, type Issue } from '../../src/core/errors.ts'
import { nothingFound, type QueryAnswer } from '../../src/core/model/answers.ts'
import type { AuthorizedCall } from '../../src/core/model/call.ts'
import { matchesFilter, matchesReferenceIds } from '../../src/core/model/document-filter.ts'
import type { DocumentEntry } from '../../src/core/model/metadata.ts'
import { type PatientId, samePatientId } from '../../src/core/model/patient.ts'
import type {
  AnyOf,
  DocumentFilter,
  FindDocuments,
  FindDocumentsByReferenceId,
  GetAll,
  ObjectKey,
} from '../../src/core/model/stored-query.ts'
import type { CitizenRegistry, DocumentRegistry } from '../../src/core/ports.ts'
import type { Made } from './cda.ts'
import { entryUuidOf } from './digest.ts'
import { type DocumentKind, documentNamed, madeIdOf, orderIn, type TsDocument } from './documents.ts'
import { type EntryOptions, entryOf, type Filed, kindsOf } from './entries.ts'
import type { Found, PrescriptionSource } from './source.ts'

export interface RegistryParts {
  readonly source: PrescriptionSource
  readonly entries: EntryOptions
  /** Tells which other codes a citizen has, where an id alone does not say under which a prescription is filed. */
  readonly citizens?: CitizenRegistry
  readonly make: (filed: Filed, kind: DocumentKind) => Promise<Made>
}

/** How many prescriptions one question may name. */
const mostNumbers = 100

/**
 * Answers stored queries from what Sistema TS tells of prescriptions: documents that are made when they are retrieved, so
 * that it is asked only by those who want such. There is nothing else here: no submission sets, folders or associations.
 */
export function prescriptionRegistry(parts: RegistryParts): DocumentRegistry {
  return {
    async query(query, call) {
      switch (query.type) {
        case 'FindDocuments':
          return await found(query, query.status, query.filter, call, parts)
        case 'GetAll':
          return await found(query, query.documentStatus, query.filter, call, parts)
        case 'FindDocumentsByReferenceId':
          return await foundByOrder(query, call, parts)
        case 'GetDocuments':
        case 'GetDocumentsAndAssociations':
          return await got(query.documents, call, parts)
        default:
          return nothingFound
      }
    },
  }
}

async function found(
  { patientId }: FindDocuments | GetAll,
  status: AnyOf<string>,
  filter: DocumentFilter,
  call: AuthorizedCall,
  parts: RegistryParts,
): Promise<QueryAnswer> {
  if (!wanted(filter)) return nothingFound
  const told = await entriesIn(await parts.source.ofCitizen(patientId, call), parts)
  return answerOf(told, (entry) => status.includes(entry.status ?? '') && matchesFilter(entry, filter))
}

/** IHE: whoever does not name on-demand documents wants none (ITI TF-2: 3.18.4.1.2.3.6.2). */
function wanted({ kinds }: Pick<DocumentFilter, 'kinds'>): boolean {
  return kinds?.includes('on-demand') === true
}

async function foundByOrder(
  { patientId, referenceIds, status, filter }: FindDocumentsByReferenceId,
  call: AuthorizedCall,
  parts: RegistryParts,
): Promise<QueryAnswer> {
  if (!wanted(filter)) return nothingFound
  const numbers = numbersOf(referenceIds.flat().map((reference) => orderIn(reference)))
  const answers: Told[] = []
  for (const nre of numbers) answers.push(await entriesIn(await parts.source.ofCitizen(patientId, call, nre), parts))
  return answerOf(together(answers), (entry) => {
    return (
      status.includes(entry.status ?? '') && matchesFilter(entry, filter) && matchesReferenceIds(entry, referenceIds)
    )
  })
}

/** Documents by their ids, of the person the assertion is about: nobody else's are looked for. */
async function got(documents: ObjectKey, call: AuthorizedCall, parts: RegistryParts): Promise<QueryAnswer> {
  if (documents.by === 'logical-id') return nothingFound
  const ids = new Set(documents.ids)
  if (documents.by === 'entry-uuid') {
    const answers = await Promise.all((await peopleOf(call, parts)).map((id) => parts.source.ofCitizen(id, call)))
    const told = together(await Promise.all(answers.map((answer) => entriesIn(answer, parts))))
    return answerOf(told, ({ entryUuid }) => ids.has(entryUuid))
  }
  const { home } = parts.entries
  const named = [...ids].flatMap((id) => documentNamed(id, home) ?? [])
  const answers: Told[] = []
  for (const nre of numbersOf(named.map((one) => one.nre))) {
    const filed = await filedUnder(nre, call, parts)
    answers.push(await entriesIn(filed, parts), { entries: await madeBefore(filed, named, parts), issues: [] })
  }
  return answerOf(together(answers), ({ uniqueId }) => ids.has(uniqueId))
}

/** A prescription of the person, under whichever of their codes it is filed. */
export async function filedUnder(
  nre: string,
  call: AuthorizedCall,
  parts: Pick<RegistryParts, 'source' | 'citizens'>,
): Promise<Found> {
  const asked: PatientId[] = []
  const issues: Issue[] = []
  for (const people of [claimed, peopleOf]) {
    for (const id of await people(call, parts)) {
      if (asked.some((other) => samePatientId(other, id))) continue
      asked.push(id)
      const answer = await parts.source.ofCitizen(id, call, nre)
      if (answer.prescriptions.length > 0) return { ...answer, issues: [...issues, ...answer.issues] }
      issues.push(...answer.issues)
    }
  }
  return { prescriptions: [], issues }
}

/** The person as the assertion names them, and as a national registry does that came along. */
function claimed({ assertion }: AuthorizedCall): readonly PatientId[] {
  const { patientId, patientKnownAs } = assertion
  if (patientId === undefined) throw new GatewayError('access-denied', 'The assertion names no patient')
  return [patientId, ...(patientKnownAs?.identifiers ?? [])]
}

/** And under every code the registry of citizens tells, where there is one. Rejects when that cannot tell: then not all is known. */
async function peopleOf(
  call: AuthorizedCall,
  { citizens }: Pick<RegistryParts, 'citizens'>,
): Promise<readonly PatientId[]> {
  const ids = claimed(call)
  const [first] = ids
  if (citizens === undefined || first === undefined) return ids
  const facts = await citizens.look(first, call)
  const more = facts?.asked.valid === true ? facts.identifiers.map(({ id }) => id) : []
  return [...ids, ...more.filter((id) => !ids.some((other) => samePatientId(other, id)))]
}

interface Told {
  readonly entries: readonly DocumentEntry[]
  readonly issues: readonly Issue[]
}

async function entriesIn({ prescriptions, issues }: Found, parts: RegistryParts): Promise<Told> {
  const odd = prescriptions.filter(({ prescription }) => kindsOf(prescription) === undefined).length
  const documents = prescriptions.flatMap((filed) =>
    (kindsOf(filed.prescription) ?? []).map((kind) => entryOf(filed, kind, parts.entries)),
  )
  return { entries: await Promise.all(documents), issues: [...issues, ...unnamed(odd)] }
}

function unnamed(count: number): readonly Issue[] {
  if (count === 0) return []
  const text = `Left out ${count} prescriptions: they do not tell what kind they are of`
  return [{ severity: 'warning', code: 'XDSRegistryMetadataError', text }]
}

/** What was handed out before is told again as the document it became, as long as it would become the same. */
async function madeBefore(
  { prescriptions }: Found,
  named: readonly TsDocument[],
  { entries: options, make }: RegistryParts,
): Promise<readonly DocumentEntry[]> {
  const entries: DocumentEntry[] = []
  for (const { nre, kind, madeAs } of named) {
    const filed = prescriptions.find(({ prescription }) => prescription.nre === nre)
    if (madeAs === undefined || filed === undefined || kindsOf(filed.prescription)?.includes(kind) !== true) continue
    const { sha1, bytes } = await make(filed, kind)
    if (sha1 !== madeAs) continue
    const uniqueId = madeIdOf({ nre, kind }, sha1, options.home)
    const entry = await entryOf(filed, kind, options)
    const entryUuid = await entryUuidOf(uniqueId)
    entries.push({ ...entry, kind: 'stable', uniqueId, entryUuid, hash: sha1, size: bytes.length })
  }
  return entries
}

/** Throws `too-many-results`. */
function numbersOf(numbers: readonly (string | undefined)[]): readonly string[] {
  const distinct = [...new Set(numbers.flatMap((number) => number ?? []))]
  if (distinct.length <= mostNumbers) return distinct
  throw new GatewayError('too-many-results', `Sistema TS is asked for at most ${mostNumbers} prescriptions at once`)
}

function together(answers: readonly Told[]): Told {
  return { entries: answers.flatMap(({ entries }) => entries), issues: answers.flatMap(({ issues }) => issues) }
}

function answerOf({ entries, issues }: Told, tells: (entry: DocumentEntry) => boolean): QueryAnswer {
  return { ...nothingFound, entries: entries.filter(tells), issues }
}
