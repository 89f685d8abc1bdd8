import { randomBytes } from 'node:crypto'
import { contentTypeCodes, contentTypeScheme } from '../../contracts/affinity-domain/content-types.ts'
import type { Submission } from '../core/model/change.ts'
import type { HomeCommunityId } from '../core/model/identifiers.ts'
import type { Association, Author, DocumentEntry, SubmissionSet } from '../core/model/metadata.ts'
import { CliError } from './exit.ts'
import { arcOf, isOfSistemaTs, momentOf } from './new-document.ts'

/** Why documents are submitted. */
export type Purpose =
  | { readonly kind: 'create' }
  /** It takes the place of the one with this entryUUID (RPLC). */
  | { readonly kind: 'replace'; readonly target: string }
  /** A new version of what is known of it, made from this one: ITI-57. */
  | { readonly kind: 'update'; readonly version: string }
  /** The same the way it was done before ITI-57: the document replaces itself (#761 in ini.md §3.3). */
  | { readonly kind: 'replace-itself' }

export interface SubmissionWishes {
  readonly purpose: Purpose
  readonly home: HomeCommunityId
  readonly author: Author
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** A submission of one document under the symbolic ids of the national gateway (ini.md §3.2, §3.3). */
export function submissionOf(entry: DocumentEntry, { purpose, home, author, now }: SubmissionWishes): Submission {
  const type = entry.typeCode?.code ?? ''
  const content = isOfSistemaTs(type) ? 'Sistema TS' : ['34105-7', '18842-5'].includes(type) ? 'DIS' : 'CON'
  const submissionSet: SubmissionSet = {
    entryUuid: 'SubmissionSet1',
    uniqueId: `${arcOf(home)}.4.3.${randomBytes(8).readBigUInt64BE()}`,
    sourceId: arcOf(home),
    patientId: entry.patientId,
    submissionTime: momentOf(now),
    contentTypeCode: { code: content, scheme: contentTypeScheme, display: contentTypeCodes[content] ?? content },
    authors: [author],
    intendedRecipients: [],
    status: 'approved',
    title: [{ value: `Comunicazione: ${entry.title[0]?.value ?? entry.uniqueId}` }],
    comments: [],
  }
  return { submissionSet, entries: [entry], folders: [], associations: associationsOf(entry.entryUuid, purpose) }
}

function associationsOf(document: string, purpose: Purpose): readonly Association[] {
  const target = purpose.kind === 'replace' ? purpose.target : document
  const replaces = purpose.kind === 'replace' || purpose.kind === 'replace-itself'
  return [
    {
      entryUuid: 'SubmissionSet1_Association_0',
      type: 'has-member',
      source: 'SubmissionSet1',
      target: document,
      submissionSetStatus: 'Original',
      ...(purpose.kind === 'update' ? { previousVersion: purpose.version } : {}),
    },
    ...(replaces ? [{ entryUuid: 'SubmissionSet1_Association_1', type: 'replaces', source: document, target }] : []),
  ]
}

type Given = Readonly<Record<string, unknown>>

/**
 * The submission with what a file says in its place, in the core's words (`Submission`): of the set and of each document
 * the fields that are told, `null` for one that is to be left out; folders and associations as a whole. A document more
 * than there was is made after the first, and becomes a member too. Throws CliError for what has another shape.
 */
export function withMetadata(submission: Submission, file: unknown): Submission {
  const { submissionSet, entries, folders, associations, ...others } = objectOf(file, 'the file')
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) throw new CliError('usage', `--metadata: a submission has no ${unknown}`)
  const told = entries === undefined ? [] : listOf(entries, 'entries')
  const [first] = submission.entries
  const documents = told.map((one, index) => {
    const usual = { ...(submission.entries[index] ?? first), entryUuid: `Document${index + 1}` }
    const own = index === 0 ? { ...usual, entryUuid: first?.entryUuid ?? usual.entryUuid } : usual
    return overlaid(own, one, 'entries') as unknown as DocumentEntry
  })
  const more = documents.slice(1).map(({ entryUuid }, index): Association => {
    const [membership] = submission.associations
    return { ...(membership as Association), entryUuid: `SubmissionSet1_Association_${index + 2}`, target: entryUuid }
  })
  return {
    submissionSet: overlaid(
      submission.submissionSet,
      submissionSet === undefined ? {} : objectOf(submissionSet, 'submissionSet'),
      'submissionSet',
    ) as unknown as SubmissionSet,
    entries: documents.length === 0 ? submission.entries : documents,
    folders:
      folders === undefined ? submission.folders : (listOf(folders, 'folders') as unknown as Submission['folders']),
    associations:
      associations === undefined
        ? [...submission.associations, ...more]
        : (listOf(associations, 'associations') as unknown as Submission['associations']),
  }
}

function overlaid(object: object, changes: Given, name: string): Given {
  for (const [field, before] of Object.entries(object)) {
    const after = changes[field]
    if (after === undefined || after === null || before === undefined) continue
    if (typeof after === typeof before && Array.isArray(after) === Array.isArray(before)) continue
    throw new CliError(
      'usage',
      `--metadata: ${field} in ${name} must be ${Array.isArray(before) ? 'a list' : `a ${typeof before}`}`,
    )
  }
  return Object.fromEntries(Object.entries({ ...object, ...changes }).filter(([, value]) => value !== null))
}

function objectOf(given: unknown, name: string): Given {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given as Given
  throw new CliError('usage', `--metadata: ${name} must be an object`)
}

function listOf(given: unknown, name: string): readonly Given[] {
  if (!Array.isArray(given)) throw new CliError('usage', `--metadata: ${name} must be a list`)
  return given.map((one) => objectOf(one, `each of ${name}`))
}
