import type { QueryAnswer } from '../model/answers.ts'
import type { Permit } from '../model/call.ts'
import type { DocumentEntry } from '../model/metadata.ts'
import { type IsAuthor, isVisible } from '../policy/visibility.ts'
import type { Context } from './complete.ts'

/** Unique ids that somebody told of in a way the viewer must not know about. Gathered over all communities. */
export function hiddenIds(entries: Iterable<DocumentEntry>, permit: Permit, isAuthor: IsAuthor): ReadonlySet<string> {
  const hidden = new Set<string>()
  for (const entry of entries) if (!isVisible(entry, permit, isAuthor)) hidden.add(entry.uniqueId)
  return hidden
}

/**
 * The answer without a trace of hidden documents: not the entries, not the links to them, not a container that holds
 * nothing else, not an issue that names one. A document hidden by one community is hidden whoever else tells of it:
 * the strictest word counts.
 */
export function withhold(answer: QueryAnswer, context: Context, hidden: ReadonlySet<string>): QueryAnswer {
  const known = [...answer.entries, ...context.entries]
  const shown = new Set(known.filter(({ uniqueId }) => !hidden.has(uniqueId)).map(({ entryUuid }) => entryUuid))
  const concealed = new Set(known.filter(({ uniqueId }) => hidden.has(uniqueId)).map(({ entryUuid }) => entryUuid))
  const holdsSomething = (id: string) => {
    const members = context.members.get(id) ?? []
    return !members.some((member) => concealed.has(member)) || members.some((member) => shown.has(member))
  }
  const submissionSets = answer.submissionSets.filter(({ entryUuid }) => holdsSomething(entryUuid))
  const folders = answer.folders.filter(({ entryUuid }) => holdsSomething(entryUuid))
  const linkable = new Set([...shown, ...[...submissionSets, ...folders].map(({ entryUuid }) => entryUuid)])
  const gone = new Set([
    ...concealed,
    ...answer.submissionSets.filter((set) => !submissionSets.includes(set)).map(({ entryUuid }) => entryUuid),
    ...answer.folders.filter((folder) => !folders.includes(folder)).map(({ entryUuid }) => entryUuid),
  ])
  const named = [...hidden, ...gone]
  const betrays = (text: string) => named.some((id) => text.includes(id))
  return {
    ...answer,
    issues: answer.issues.filter(({ text, location }) => !betrays(text) && !betrays(location ?? '')),
    entries: answer.entries.filter(({ uniqueId }) => !hidden.has(uniqueId)),
    submissionSets,
    folders,
    // A link is shown when nothing it touches is hidden and at least one end is known to be the patient's.
    associations: answer.associations.filter(({ source, target }) => {
      return !gone.has(source) && !gone.has(target) && (linkable.has(source) || linkable.has(target))
    }),
    references: [],
  }
}
