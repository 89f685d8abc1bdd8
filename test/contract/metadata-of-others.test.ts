import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { metadataRules } from '../../contracts/affinity-domain/metadata-rules.ts'
import type { Submission } from '../../src/core/model/change.ts'
import { checkMetadata } from '../../src/core/policy/metadata-rules.ts'
import { type ObjectList, objectListReader } from '../../src/wire/ebrim/object-list.ts'
import { decodeSubmitObjects } from '../../src/wire/ebrim/submit-objects.ts'
import { readTree, type XmlTree } from '../../src/wire/xml.ts'
import { queryResponse } from '../network/ebrim.ts'
import type { Holder } from '../network/registry-book.ts'
import { holders, sow } from '../network/seed.ts'
import { validSubmit } from '../support/submissions.ts'
import { findAll } from '../unit/wire/ebrim/canonical.ts'

const rules = metadataRules()

/** The names of the rules that what was submitted breaks, each once, errors first. */
function broken(submission: Submission): string[] {
  const names = (severity: string) =>
    rules
      .filter((rule) => rule.severity === severity)
      .filter((rule) => checkMetadata({ type: 'submit', submission }, [rule], { lenient: new Set() }).length > 0)
      .map(({ name }) => name)
  return [...names('error'), ...names('warning')]
}

/** What a holder of the development federation has, as it tells of it. */
function holdingsOf(holder: Holder): ObjectList {
  const found = sow().holdings[holder]
  const tree = readTree(Buffer.from(queryResponse({ status: 'Success', found, returnType: 'LeafClass' })))
  const reader = objectListReader((reason) => {
    throw new Error(reason)
  })
  for (const list of findAll(tree, 'RegistryObjectList')) {
    for (const node of tree.children(list)) reader.take(tree, node)
  }
  return reader.finish()
}

/** Every entry in a list of objects, in a submission that gives no cause for complaint itself. */
function entriesOf(tree: XmlTree): Submission[] {
  const reader = objectListReader()
  for (const list of findAll(tree, 'RegistryObjectList')) {
    for (const node of tree.children(list)) reader.take(tree, node)
  }
  return reader.finish().entries.map((entry) => {
    const { submission } = validSubmit([entry])
    return { ...submission, submissionSet: { ...submission.submissionSet, patientId: entry.patientId } }
  })
}

/** Each submission set with its documents. */
function submissionsOf({ submissionSets, entries, associations }: ObjectList): Submission[] {
  const byId = new Map(entries.map((entry) => [entry.entryUuid, entry]))
  const sets = new Map(submissionSets.map((set) => [set.entryUuid, set]))
  return associations.flatMap((association) => {
    const submissionSet = sets.get(association.source)
    const entry = byId.get(association.target)
    if (association.type !== 'has-member' || submissionSet === undefined || entry === undefined) return []
    return [{ submissionSet, entries: [entry], folders: [], associations: [association] }]
  })
}

describe.each(holders)('the documents of the development federation, told by %s', (holder) => {
  let submissions: readonly Submission[] = []
  beforeAll(() => {
    submissions = submissionsOf(holdingsOf(holder))
  })

  it('would be accepted as pushes, without a warning', () => {
    expect(submissions.length).toBeGreaterThan(10)
    const wrong = submissions.filter((submission) => broken(submission).length > 0)
    const told = wrong.map((submission) => [submission.entries[0]?.uniqueId, ...broken(submission)])
    expect(told).toEqual([])
  })
})

const corpus = join(import.meta.dirname, '../../../shared/corpus')
const present = existsSync(corpus)
const reason = present ? '' : ' (skipped: ../shared/corpus is absent)'

function submissionIn(file: string): Submission {
  const tree = readTree(readFileSync(join(corpus, file)))
  const [request = -1] = findAll(tree, 'SubmitObjectsRequest')
  return decodeSubmitObjects(tree, request)
}

describe.skipIf(!present)(`what the corpus holds${reason}`, () => {
  it('shows a region that sends the wrong class of a summary, and a hash in base64', () => {
    expect(broken(submissionIn('ini/samples/wxdsb/register_req.xml'))).toEqual([
      'class-of-type',
      'mime-type-unusual',
      'hash-form',
    ])
  })

  it('would be accepted where INI tells of a dispensing in words of its own', () => {
    const tree = readTree(readFileSync(join(corpus, 'ini/samples/ini-client/query_response_leafclass.xml')))
    expect(entriesOf(tree).map(broken)).toEqual([[]])
  })

  // Samples of other affinity domains: their codes, schemes and identifiers are none of ours.
  const foreign = present ? globSync('ihe/ITI-42/*Request*.xml', { cwd: corpus }).sort() : []
  it.each(foreign)('is refused where it is of another affinity domain: %s', (file) => {
    expect(broken(submissionIn(file))).toEqual(
      expect.arrayContaining(['unique-id', 'type-code-scheme', 'type-code-value', 'facility-type-code-value']),
    )
  })

  it('holds submissions of another affinity domain', () => {
    expect(foreign).not.toEqual([])
  })
})
