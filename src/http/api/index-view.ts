import { createHash } from 'node:crypto'
import type { Consequence } from '../../../contracts/explanations/explanation.ts'
import { explanationOf } from '../../../contracts/explanations/explanation-of.ts'
import { asGatewayError, type GatewayError } from '../../core/errors.ts'
import { successorsOf } from '../../core/federation/merge.ts'
import type { IndexSoFar } from '../../core/federation/progressive.ts'
import {
  type CommunityIssue,
  type FederatedAnswer,
  type Leg,
  type MergedEntry,
  statusOf,
} from '../../core/model/answers.ts'
import type { Code } from '../../core/model/code.ts'
import type { HomeCommunityId } from '../../core/model/identifiers.ts'
import type { Author } from '../../core/model/metadata.ts'
import { startOf, type Timestamp } from '../../core/model/timestamp.ts'
import { parseXcn, parseXon } from '../../wire/hl7/cx.ts'
import { consequenceOf, problemTypeOf } from './problem.ts'

/** Names of communities, by their home. */
export type NameOf = (home: HomeCommunityId) => string | undefined

/** Tells of one exchange's index as JSON; the same document has the same id and the same handle throughout. */
export interface IndexView {
  /** The entries of a state of the index, by the documents they are of. */
  entries(index: IndexSoFar): ReadonlyMap<MergedEntry, EntryView>
  answer(answer: FederatedAnswer): AnswerView
}

export type EntryView = Readonly<Record<string, unknown>> & { readonly id: string }
export type AnswerView = ReturnType<typeof answerView>

export interface IndexViewParts {
  readonly nameOf: NameOf
  /** The handle of a document that can be asked for. */
  readonly handleOf: (entry: MergedEntry) => string | undefined
  /** Milliseconds since the epoch at which a community's leg ended. */
  readonly heardAt: (home: HomeCommunityId) => number | undefined
}

export function indexView(parts: IndexViewParts): IndexView {
  const handles = new Map<string, string | undefined>()
  const handleOf = (entry: MergedEntry) => {
    const id = idOf(entry)
    if (!handles.has(id)) handles.set(id, parts.handleOf(entry))
    return handles.get(id)
  }
  const entries: IndexView['entries'] = (index) => {
    const successors = successorsOf(index.entries, index.associations)
    const predecessors = Map.groupBy(successors.keys(), (older) => successors.get(older))
    return new Map(
      index.entries.map((entry) => {
        const newer = successors.get(entry)
        const relations = {
          replacedBy: newer === undefined ? undefined : idOf(newer),
          replaces: predecessors.get(entry)?.map(idOf),
        }
        return [entry, entryView(entry, { ...parts, handle: handleOf(entry), ...relations })]
      }),
    )
  }
  return { entries, answer: (answer) => answerView(answer, [...entries(answer).values()], parts) }
}

/** The same for the same document of the same teller; of a person it says nothing. */
export function idOf({ sources: [first], uniqueId }: MergedEntry): string {
  const text = [first?.home ?? '', first?.entryUuid ?? '', first?.version ?? '', uniqueId].join('\n')
  return createHash('sha256').update(text).digest('base64url').slice(0, 22)
}

interface EntryParts extends IndexViewParts {
  readonly handle: string | undefined
  readonly replacedBy: string | undefined
  readonly replaces: readonly string[] | undefined
}

function entryView(entry: MergedEntry, { handle, heardAt, nameOf, replacedBy, replaces }: EntryParts): EntryView {
  return given({
    id: idOf(entry),
    handle,
    uniqueId: entry.uniqueId,
    kind: entry.kind,
    status: entry.status,
    version: entry.version,
    title: entry.title[0]?.value,
    type: entry.typeCode && codeView(entry.typeCode),
    class: entry.classCode && codeView(entry.classCode),
    format: entry.formatCode && codeView(entry.formatCode),
    practiceSetting: entry.practiceSettingCode && codeView(entry.practiceSettingCode),
    facilityType: entry.healthcareFacilityTypeCode && codeView(entry.healthcareFacilityTypeCode),
    confidentiality: entry.confidentialityCodes.map(codeView),
    events: entry.eventCodes.map(codeView),
    createdAt: moment(entry.creationTime),
    serviceStart: moment(entry.serviceStartTime),
    serviceStop: moment(entry.serviceStopTime),
    language: entry.languageCode,
    mediaType: entry.mimeType,
    size: entry.size,
    hash: entry.hash,
    authors: entry.authors.map(authorView),
    referenceIds: entry.referenceIds,
    community: entry.home,
    sources: entry.sources.map(({ home, version }) => {
      return given({ community: home, name: nameOf(home), version, heardAt: instant(heardAt(home)) })
    }),
    replacedBy,
    replaces,
  }) as EntryView
}

function codeView({ code, display, scheme }: Code) {
  return given({ code, scheme, display })
}

/** Names and places; identifiers of persons stay where they are. */
function authorView({ institutions, persons, roles, specialties }: Author) {
  return {
    persons: persons.flatMap((person) => {
      const { family, given } = parseXcn(person)
      const name = [given, family].filter((part) => part !== undefined).join(' ')
      return name === '' ? [] : [name]
    }),
    institutions: institutions.map((institution) => parseXon(institution).name).filter((name) => name !== ''),
    ...{ roles, specialties },
  }
}

/** As fine as it was told: a year, a month, a day, or an instant in UTC (RFC 3339). */
function moment(time: Timestamp | undefined): string | undefined {
  if (time === undefined) return undefined
  const [, year, month, day, hour, minute, second] =
    /^(.{4})(..)(..)(..)(..)(..)$/.exec(time.length > 8 ? startOf(time) : time.padEnd(14, '0')) ?? []
  if (time.length <= 8) return [year, month, day].slice(0, Math.ceil((time.length - 2) / 2)).join('-')
  return `${year}-${month}-${day}T${hour}:${minute}:${second}Z`
}

function answerView(answer: FederatedAnswer, entries: readonly EntryView[], { heardAt, nameOf }: IndexViewParts) {
  const outcome = statusOf(answer)
  return {
    outcome,
    partial: outcome !== 'success',
    entries,
    communities: answer.asked.map((leg) => ({
      ...communityView(leg),
      ...given({ heardAt: instant(heardAt(leg.home)) }),
    })),
    failures: answer.failures.map(({ home, error }) => failureView(home, error, nameOf)),
    warnings: answer.issues.map((issue) => warningView(issue, nameOf)),
    progress: progressView(answer.asked, answer.asked.length),
  }
}

/** How a community's leg went; milliseconds. */
export function communityView({ durationMs, home, name, outcome }: Leg) {
  return { community: home, name, outcome, durationMs: Math.max(0, Math.round(durationMs)) }
}

/** A community that failed, as a problem, and what it means to whoever waits for the answer. */
export function failureView(home: HomeCommunityId, failed: GatewayError, nameOf: NameOf) {
  const error = asGatewayError(failed)
  return given({ community: home, name: nameOf(home), ...problemTypeOf(error), ...consequenceOf(error) })
}

/** Codes that mean something else to whoever reads than to whoever publishes, for whom they are explained. */
const toReaders: ReadonlyMap<string, Consequence> = new Map([
  [
    'XDSRegistryMetadataError',
    {
      consequence: 'what it tells of a document is incomplete, or differs from what others tell.',
      consequenceIt: 'le informazioni su un documento sono incomplete o diverse da quelle di altre fonti.',
    },
  ],
])

const codeForm = /^[A-Za-z][A-Za-z0-9]{0,63}$/

/**
 * What a community's remark on its own answer means to whoever reads it. Its words are the community's own and may name
 * people: they are not told, and its code only where it has the form of one.
 */
export function remarkOf({ code, text }: Pick<CommunityIssue, 'code' | 'text'>) {
  const { consequence = 'its answer came with a remark', consequenceIt = undefined } = {
    ...(toReaders.get(code) ?? explanationOf(code, text)),
  }
  return given({ code: codeForm.test(code) ? code : undefined, consequence, consequenceIt })
}

function warningView(issue: CommunityIssue, nameOf: NameOf) {
  const { home, severity } = issue
  const { code = 'unknown', consequence } = remarkOf(issue)
  return given({ community: home, name: nameOf(home), severity, code, detail: consequence })
}

/** So many communities of so many. */
export function progressView(asked: readonly Leg[], total: number) {
  const failed = asked.filter(({ outcome }) => outcome === 'failed').length
  return { total, answered: asked.length - failed, failed, pending: total - asked.length }
}

function instant(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : new Date(milliseconds).toISOString()
}

/** Without the members that are undefined. */
function given<T extends object>(members: T): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T
}
