import type { Submission } from '../model/change.ts'

/** An id of the registry's form; whatever else stands in its place is symbolic (ITI TF-3: 4.2.1.4). */
const uuid = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/**
 * The submission with an id of the registry's form in the place of every symbolic one, also where associations refer to
 * it. Every object is current from now on (ihe.md §1.9, ITI-42).
 */
export function withOwnIds(submission: Submission, newId: () => string): Submission {
  const { submissionSet, entries, folders, associations } = submission
  const given = new Map<string, string>()
  for (const { entryUuid } of [submissionSet, ...entries, ...folders, ...associations]) {
    if (!uuid.test(entryUuid) && !given.has(entryUuid)) given.set(entryUuid, newId())
  }
  const idOf = (id: string) => given.get(id) ?? id
  const current = <T extends { readonly entryUuid: string }>(object: T) =>
    ({ ...object, entryUuid: idOf(object.entryUuid), status: 'approved' }) as const
  return {
    submissionSet: current(submissionSet),
    entries: entries.map(current),
    folders: folders.map(current),
    associations: associations.map((link) => ({
      ...current(link),
      source: idOf(link.source),
      target: idOf(link.target),
    })),
  }
}
