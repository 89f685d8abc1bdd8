import type { SubmitChange } from '../../src/core/model/change.ts'
import type { Code } from '../../src/core/model/code.ts'
import type { Association, DocumentEntry, SubmissionSet } from '../../src/core/model/metadata.ts'
import { validEntry } from './submissions.ts'

export type Mutation = (change: SubmitChange) => SubmitChange

export function onEntry(change: (entry: DocumentEntry) => DocumentEntry): Mutation {
  return ({ submission, ...more }) => ({
    ...more,
    submission: { ...submission, entries: submission.entries.map(change) },
  })
}

export function onSet(change: (set: SubmissionSet) => SubmissionSet): Mutation {
  return ({ submission, ...more }) => ({
    ...more,
    submission: { ...submission, submissionSet: change(submission.submissionSet) },
  })
}

export const has = (more: Partial<DocumentEntry>): Mutation => onEntry((entry) => ({ ...entry, ...more }))
export const setHas = (more: Partial<SubmissionSet>): Mutation => onSet((set) => ({ ...set, ...more }))

export function lacks(...fields: (keyof DocumentEntry)[]): Mutation {
  return onEntry((entry) => without(entry, fields))
}

export function without<T extends object>(object: T, fields: readonly (keyof T)[]): T {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !fields.includes(name as keyof T))) as T
}

type CodeField = 'typeCode' | 'classCode' | 'formatCode' | 'healthcareFacilityTypeCode' | 'practiceSettingCode'

const valid = validEntry()
export const coded = (field: CodeField, more: Partial<Code>): Mutation =>
  onEntry((entry) => ({ ...entry, [field]: { ...entry[field], ...more } }))
export const confidential = (more: Partial<Code>): Mutation =>
  has({ confidentialityCodes: [{ code: 'N', scheme: '2.16.840.1.113883.5.25', display: 'Normal', ...more }] })
export const veryConfidential = confidential({ code: 'V', display: 'Very Restricted' })
export const content = (more: Partial<Code>): Mutation =>
  onSet((set) => ({ ...set, contentTypeCode: { code: 'CON', scheme: '', ...set.contentTypeCode, ...more } }))

const captions: Readonly<Record<string, string>> = {
  P99: 'Oscuramento del documento',
  P00: 'De-Oscuramento in alimentazione',
  P97: 'Oscuramento al genitore',
  P98: "Oscuramento all'assistito",
  P81: 'Versioni precedenti Profilo Sanitario Sintetico',
  PUBLICPOL: 'Prescrizione farmaceutica SSN',
}
export const event = (code: string, more: Partial<Code> = {}): Code => ({
  code,
  scheme: '2.16.840.1.113883.2.9.3.3.6.1.3',
  display: captions[code] ?? 'in words',
  ...more,
})
export const events = (...codes: readonly (string | Code)[]): Mutation =>
  has({ eventCodes: codes.map((code) => (typeof code === 'string' ? event(code) : code)) })

/** One slot without a field of its own, in the place of what the valid entry says there. */
export function slotted(name: string, ...values: string[]): Mutation {
  return onEntry((entry) => ({
    ...entry,
    extra: { slots: [...(entry.extra?.slots ?? []).filter((slot) => slot.name !== name), { name, values }] },
  }))
}

export type Authors = Partial<DocumentEntry['authors'][number]>
const [author] = valid.authors
if (author === undefined) throw new Error('The valid entry has an author')
export const wrote = (more: Authors): Mutation => has({ authors: [author, { ...author, ...more }] })
export const sent = (more: Authors): Mutation => setHas({ authors: [{ ...author, ...more }] })

export const associated = (change: (associations: readonly Association[]) => readonly Association[]): Mutation => {
  return ({ submission, ...more }) => ({
    ...more,
    submission: { ...submission, associations: change(submission.associations) },
  })
}
export const related = (type: Association['type'], source: string, target: string): Mutation =>
  associated((before) => [...before, { entryUuid: 'Relation1', type, source, target }])

export const inOrder =
  (...mutations: readonly Mutation[]): Mutation =>
  (change) =>
    mutations.reduce((made, mutation) => mutation(made), change)
