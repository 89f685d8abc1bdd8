import { logicalIdOf } from '../../src/core/federation/overlay.ts'
import type { Assertion } from '../../src/core/model/call.ts'
import type { Submission } from '../../src/core/model/change.ts'
import type { Slot } from '../../src/core/model/code.ts'
import type { Association, DocumentEntry } from '../../src/core/model/metadata.ts'
import { asNewVersion } from '../../src/wire/ebrim/new-version.ts'

const applicationSlot = 'urn:ihe:iti:xds:2024:SubjectApplication'

/**
 * The submission as INI has it: the hash in small hexadecimal digits, however it was told to us, and the application that
 * the national gateway takes from the token (ini.md §3.1). Everything else is told on as it is.
 */
export function inNationalForm(submission: Submission, { application }: Pick<Assertion, 'application'>): Submission {
  return {
    ...submission,
    entries: submission.entries.map((entry) => {
      const told = entry.extra?.slots ?? []
      const slots = told.filter(({ name }) => name !== 'hash' || entry.hash === undefined)
      const named = slots.some(({ name }) => name === applicationSlot)
      const own = named || application === undefined ? [] : [slotOf(application)]
      if (own.length === 0 && slots.length === told.length) return entry
      return { ...entry, extra: { ...entry.extra, slots: [...slots, ...own] } }
    }),
  }
}

function slotOf({ id, vendor, version }: NonNullable<Assertion['application']>): Slot {
  return { name: applicationSlot, values: [`${id}^${vendor}^${version}`] }
}

/** The submission with other ids in the place of those that its associations lead to. */
export function withTargets(submission: Submission, ids: ReadonlyMap<string, string>): Submission {
  return {
    ...submission,
    associations: submission.associations.map((link) => ({ ...link, target: ids.get(link.target) ?? link.target })),
  }
}

/**
 * An update of what a registry has: each entry bears the logical id and the version of the one it is made from, which its
 * membership names too (ini.md §3.3).
 */
export function madeFrom(submission: Submission, former: ReadonlyMap<string, DocumentEntry>): Submission {
  return {
    ...submission,
    entries: submission.entries.map((entry) => {
      const found = former.get(entry.entryUuid)
      if (found === undefined) return entry
      return { ...entry, logicalId: logicalIdOf(found), version: found.version ?? '1' }
    }),
    associations: submission.associations.map((link) => {
      const found = link.type === 'has-member' ? former.get(link.target) : undefined
      return found === undefined ? link : { ...link, previousVersion: found.version ?? '1' }
    }),
  }
}

/** The old form of an update: each document replaces itself under the id the registry has for it (#761 in ini.md §3.3). */
export function onItself(
  submission: Submission,
  former: ReadonlyMap<string, DocumentEntry>,
  newId: () => string,
): Submission {
  const idOf = (id: string) => former.get(id)?.entryUuid ?? id
  const entries = submission.entries.map((entry): DocumentEntry => {
    const found = former.get(entry.entryUuid)
    if (found === undefined) return entry
    return { ...asNewVersion(entry, found.entryUuid), logicalId: logicalIdOf(found), version: found.version ?? '1' }
  })
  const links = submission.associations.map(({ previousVersion: _, ...link }): Association => {
    return { ...link, source: idOf(link.source), target: idOf(link.target) }
  })
  const onThemselves = [...former.values()].map(({ entryUuid }): Association => {
    return { entryUuid: newId(), type: 'replaces', status: 'approved', source: entryUuid, target: entryUuid }
  })
  return { ...submission, entries, associations: [...links, ...onThemselves] }
}
