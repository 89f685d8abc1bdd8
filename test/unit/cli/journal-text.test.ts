import { describe, expect, it } from 'vitest'
import { deliveryLines, detailLines, pushLines } from '../../../src/cli/journal-text.ts'

const receivedAt = '2026-03-02T12:00:00.000Z'

describe('what an operator reads', () => {
  it('is a table of pushes', () => {
    const push = { sequence: 1, receivedAt, correlationId: 'c', documents: 1 }
    const lines = pushLines([
      { ...push, id: 'urn:uuid:1', transaction: 'ITI-42', state: 'dead' },
      { ...push, id: 'urn:uuid:2', transaction: 'NotifyHiding', state: 'pending' },
    ]).split('\n')
    expect(lines).toEqual([
      'Received          Transaction   State    Documents  Id',
      '────────────────  ────────────  ───────  ─────────  ──────────',
      '2026-03-02 12:00  ITI-42        dead     1          urn:uuid:1',
      '2026-03-02 12:00  NotifyHiding  pending  1          urn:uuid:2',
    ])
    expect(pushLines([])).toBe('No pushes.')
  })

  it('is a table of deliveries, in which a dead one has no next attempt', () => {
    const lines = deliveryLines([
      { id: 'n', kind: 'notify-retrieve:ini', state: 'dead', putAt: receivedAt, attempts: 3 },
    ])
    expect(lines.split('\n').at(-1)).toBe('2026-03-02 12:00  notify-retrieve:ini  dead   3                       n')
    expect(deliveryLines([])).toBe('No deliveries.')
  })

  it('holds others’ words so that they say nothing to a terminal', () => {
    const reason = 'community-rejected: X \u001b[2J\u202efine\r\nsecond line'
    const text = detailLines({ id: 'n', state: 'dead', documents: [], reason })
    expect(text.split('\n').slice(-2)).toEqual([
      '  community-rejected: X \\u001b[2J\\u202efine\\u000d',
      '  second line',
    ])
  })

  it('tells what the codes in a reason mean', () => {
    const explained = { whose: 'region', retry: 'after-mending', source: 'ini.md §6.1' } as const
    const text = detailLines({
      ...{ id: 'n', state: 'dead', documents: [], reason: 'community-rejected: CRF2 x' },
      explanations: [{ ...explained, code: 'CRF2', meaning: 'The region failed.', next: 'Tell the region.' }],
    })
    expect(text).toContain('What it means\n  CRF2: The region failed.\n  What to do: Tell the region.')
  })

  it('names documents, what is to be removed, and content when it is there', () => {
    const text = detailLines({
      ...{ id: 'n', state: 'pending', removes: ['urn:uuid:9'], content: { type: 'remove' } },
      documents: [{ document: 'd', repository: 'r', home: 'h' }, { document: 'e' }],
    })
    for (const part of [
      '  d in r of h\n  e\n  urn:uuid:9 (to be removed)',
      'Content\n  {\n    "type": "remove"\n  }',
    ]) {
      expect(text).toContain(part)
    }
    expect(text).not.toContain('Reason')
  })
})
