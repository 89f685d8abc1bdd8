import { describe, expect, it } from 'vitest'
import { genesis } from '../../../src/store/chain.ts'
import type { FileOptions } from '../../../src/store/sqlite-file.ts'
import { type Journal, journalIn } from '../../../src/store/sqlite-journal.ts'
import { newPath, opened } from './files.ts'

function open(path: string, changes: Partial<FileOptions> = {}): Journal {
  return journalIn(opened(path, changes))
}

describe('Journal', () => {
  it('appends all records of a batch or none', async () => {
    const journal = open(await newPath(), { maxPages: 26 })
    const large = JSON.stringify('x'.repeat(20_000))
    expect(() => journal.append(['{}', large, large, large])).toThrow(/full/)
    expect(journal.latest()).toEqual(genesis)
    expect(journal.append(['{}', '{}'])).toBe(1)
    expect(journal.append(['{}'])).toBe(3)
  })

  it('chains on from what another connection appended', async () => {
    const path = await newPath()
    const [one, other] = [open(path), open(path)]
    one.append(['1'])
    other.append(['2'])
    one.append(['3'])
    expect(one.walk(genesis, 10)).toEqual({ head: other.latest(), broken: false, end: true })
  })

  it('walks in pages and says where it stands', async () => {
    const journal = open(await newPath())
    journal.append(['1', '2', '3'])
    const first = journal.walk(genesis, 2)
    expect(first).toMatchObject({ head: { sequence: 2 }, broken: false, end: false })
    expect(journal.walk(first.head, 2)).toEqual({ head: journal.latest(), broken: false, end: true })
    expect(journal.walk({ ...first.head, hash: genesis.hash }, 2)).toMatchObject({
      broken: true,
      head: { sequence: 2 },
    })
  })
})
