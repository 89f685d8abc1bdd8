import type { MetadataChange, Submission } from '../model/change.ts'
import type { DocumentEntry } from '../model/metadata.ts'
import type { Service } from './access-table.ts'

const replacing: ReadonlySet<string> = new Set(['replaces', 'transforms-and-replaces'])

/** Codes by which documents are obscured and shown again (ini.md §4.5). */
const hiding: ReadonlySet<string> = new Set(['P99', 'P00'])

/**
 * Which service a change is of. `before` are the documents it changes, as far as they are known: an update that alters
 * whether a document is obscured is a service of its own (`hide`, ini.md §4.5). A document that replaces itself is
 * updated, the way it was done before ITI-57 (§3.3, #761); what INI registers as its own is an index transfer (§7.1).
 */
export function serviceOfChange(change: MetadataChange, before: readonly DocumentEntry[] = []): Service {
  switch (change.type) {
    case 'hide':
      return 'hide'
    case 'remove':
      return 'delete'
    case 'update':
      return ofUpdate(change.submission, before)
    case 'submit':
      return ofSubmission(change.submission, before)
  }
}

function ofSubmission(submission: Submission, before: readonly DocumentEntry[]): Service {
  if (submission.submissionSet.contentTypeCode?.code === 'INI') return 'index-push'
  const replaced = submission.associations.filter(({ type }) => replacing.has(type))
  if (replaced.length === 0) return 'create'
  return replaced.every(({ source, target }) => source === target) ? ofUpdate(submission, before) : 'replace'
}

function ofUpdate({ entries }: Submission, before: readonly DocumentEntry[]): Service {
  const alters = entries.some((entry) => {
    const ids = new Set([entry.logicalId, entry.entryUuid])
    return before.some((old) => {
      const same = old.uniqueId === entry.uniqueId || ids.has(old.entryUuid) || ids.has(old.logicalId ?? old.entryUuid)
      return same && hidingOf(old) !== hidingOf(entry)
    })
  })
  return alters ? 'hide' : 'update'
}

function hidingOf({ eventCodes }: DocumentEntry): string {
  const codes = eventCodes.map(({ code }) => code).filter((code) => hiding.has(code))
  return [...new Set(codes)].sort().join()
}
