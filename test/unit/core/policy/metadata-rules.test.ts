import { describe, expect, it } from 'vitest'
import type { SubmitChange } from '../../../../src/core/model/change.ts'
import type { DocumentEntry } from '../../../../src/core/model/metadata.ts'
import {
  both,
  displayedBy,
  either,
  matches,
  messageOf,
  missing,
  not,
  oneOf,
  optional,
  type Predicate,
  sameWords,
  several,
  slot,
  some,
} from '../../../../src/core/policy/metadata-predicates.ts'
import {
  checkMetadata,
  type EntryRule,
  type MetadataContext,
  type MetadataRule,
} from '../../../../src/core/policy/metadata-rules.ts'
import { entry, folder, link, submissionSet } from '../../../support/builders.ts'
import { validEntry, validSubmit } from '../../../support/submissions.ts'

const strict: MetadataContext = { lenient: new Set() }

function rule(name: string, fails: Predicate<DocumentEntry>, more: Partial<EntryRule> = {}): EntryRule {
  return {
    name,
    code: `C-${name}`,
    text: `Wrong ${name} ({id})`,
    severity: 'error',
    source: 'nowhere',
    appliesTo: 'entry',
    fails,
    ...more,
  }
}

const always = rule('always', () => true)
const never = rule('never', () => false)

describe('a check of metadata', () => {
  it('tells code, text and the object of every rule that is broken', () => {
    const change = validSubmit([validEntry('Document1'), validEntry('urn:uuid:2')])
    const second = rule('second', ({ entryUuid }) => entryUuid === 'urn:uuid:2')
    expect(checkMetadata(change, [never, second], strict)).toEqual([
      { severity: 'error', code: 'C-second', text: 'Wrong second (urn:uuid:2)', location: 'urn:uuid:2' },
    ])
    expect(checkMetadata(change, [never], strict)).toEqual([])
  })

  it('reaches the objects of every kind', () => {
    const { submission } = validSubmit()
    const change: SubmitChange = {
      type: 'submit',
      submission: {
        ...submission,
        submissionSet: submissionSet('set'),
        folders: [folder('folder')],
        entries: [entry('entry')],
        associations: [link('set', 'has-member', 'entry')],
      },
    }
    const fact = { code: 'X', text: 'x', severity: 'error', source: 'nowhere' } as const
    const rules: MetadataRule[] = [
      { ...fact, name: 'set', appliesTo: 'submission-set', fails: ({ uniqueId }) => uniqueId.endsWith('.set') },
      { ...fact, name: 'folder', appliesTo: 'folder', fails: ({ uniqueId }) => uniqueId === '1.2.folder' },
      { ...fact, name: 'link', appliesTo: 'association', fails: ({ type }) => type === 'has-member' },
      { ...fact, name: 'all', appliesTo: 'submission', fails: ({ memberships }) => memberships.has('urn:uuid:entry') },
    ]
    expect(checkMetadata(change, rules, strict).map(({ location }) => location)).toEqual([
      'urn:uuid:set',
      'urn:uuid:folder',
      'urn:uuid:set-has-member-entry',
      'urn:uuid:set',
    ])
  })

  it('tells errors before warnings', () => {
    const mild = rule('mild', () => true, { severity: 'warning' })
    expect(checkMetadata(validSubmit(), [mild, always], strict).map(({ code }) => code)).toEqual(['C-always', 'C-mild'])
  })

  it.each([
    ['its code', 'C-always'],
    ['its name', 'always'],
  ])('tells an error as a warning where leniency knows %s', (_what, known) => {
    const issues = checkMetadata(validSubmit(), [always, rule('other', () => true)], { lenient: new Set([known]) })
    expect(issues.map(({ severity, code }) => [severity, code])).toEqual([
      ['error', 'C-other'],
      ['warning', 'C-always'],
    ])
  })

  it('names an object as it is spelt, whatever is in the name', () => {
    const [issue] = checkMetadata(validSubmit([validEntry('$& {id}')]), [always], strict)
    expect(issue).toMatchObject({ text: 'Wrong always ($& {id})', location: '$& {id}' })
  })

  it('tells no more than 200 issues, and no warning in the place of an error', () => {
    const change = validSubmit(Array.from({ length: 150 }, (_, index) => validEntry(`Document${index}`)))
    const mild = rule('mild', () => true, { severity: 'warning' })
    const some = checkMetadata(change, [mild, mild, always], strict)
    expect(some).toHaveLength(200)
    expect(some.filter(({ severity }) => severity === 'error')).toHaveLength(150)
    const all = checkMetadata(change, [mild, always, always], strict)
    expect(all.filter(({ severity }) => severity === 'error')).toHaveLength(200)
  })
})

describe('the predicates', () => {
  const message = messageOf(validSubmit().submission)
  const mimeType = optional((one: DocumentEntry) => one.mimeType)
  const codes = (one: DocumentEntry) => one.eventCodes.map(({ code }) => code)
  const holds = (predicate: Predicate<DocumentEntry>, more: Partial<DocumentEntry> = {}) =>
    predicate(entry('1', more), message)
  const event = (code: string) => ({ code, scheme: 's' })

  it('see what is missing, and what there is', () => {
    expect(holds(missing(codes))).toBe(true)
    expect(holds(missing(mimeType))).toBe(false)
    expect(holds(some(mimeType, oneOf(['text/x-cda-r2+xml'])))).toBe(true)
    expect(holds(some(mimeType, oneOf(['constructor'])), { mimeType: 'toString' })).toBe(false)
    expect(holds(some(mimeType, matches(/^application/)))).toBe(false)
  })

  it('count only the values that are meant', () => {
    const twoOfA = several(codes, oneOf(['A']))
    expect(holds(twoOfA, { eventCodes: [event('A'), event('B')] })).toBe(false)
    expect(holds(twoOfA, { eventCodes: [event('A'), event('B'), event('A')] })).toBe(true)
  })

  it('combine', () => {
    const yes = () => true
    const no = not(yes)
    expect([both(yes, no)(), both(yes, yes)(), either(yes, no)(), either(no, no)()]).toEqual([false, true, true, false])
  })

  it('read slots without a field, all of one name, trimmed', () => {
    const slots = [
      { name: 'a', values: [' 1\n', '2'] },
      { name: 'b', values: ['3'] },
      { name: 'a', values: ['4'] },
    ]
    expect(slot('a')({ extra: { slots } })).toEqual(['1', '2', '4'])
    expect(slot('a')({})).toEqual([])
  })

  it('compare displays, asking nothing of codes that are not in the table', () => {
    const test = displayedBy(new Map([['a', ['One', 'Uno']]]))
    const shown = (code: string, display?: string) =>
      test({ code, scheme: 's', ...(display === undefined ? {} : { display }) })
    expect([shown('a', 'One'), shown('a', 'Uno'), shown('b', 'x'), shown('b')]).toEqual([true, true, true, true])
    expect([shown('a', 'one'), shown('a', ''), shown('a')]).toEqual([false, false, false])
  })

  it('take an apostrophe for an apostrophe and an accent for an accent', () => {
    expect(sameWords("all'assistito", 'all’assistito')).toBe(true)
    expect(sameWords('Unità', 'Unita\u0300')).toBe(true)
    expect(sameWords('Unità', 'Unita')).toBe(false)
  })

  it('know members of the submission set only by its own association', () => {
    const { submission } = validSubmit()
    const [member] = submission.associations
    const foreign = submission.associations.map((one) => ({ ...one, source: 'Folder1' }))
    expect(member && messageOf(submission).memberships.get('Document1')).toEqual(member)
    expect(messageOf({ ...submission, associations: foreign }).memberships.size).toBe(0)
  })
})
