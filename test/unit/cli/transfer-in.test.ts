import { describe, expect, it } from 'vitest'
import { linesOf } from '../../../src/cli/transfer-in.ts'
import type { TransferState } from '../../../src/http/operator/transfers.ts'

const id = 'urn:uuid:1'
const running: TransferState = {
  ...{ id, state: 'running', listed: 3, read: 2, kept: 2, delivered: 1, had: 0, removed: 0 },
  ...{ missing: [], left: [], faults: [] },
}

describe('a transfer on the command line', () => {
  it('is a few numbers while it goes well', () => {
    const lines = linesOf(running).split('\n')
    expect(lines).toContain('State       running')
    expect(lines).toContain('Kept        2, 1 with our record')
    expect(lines.some((line) => line.startsWith('What to do'))).toBe(false)
  })

  it('names what is missing, why, and what to do; nothing of it says anything to a terminal', () => {
    const text = linesOf({
      ...running,
      state: 'stopped',
      missing: [{ id: 'urn:uuid:d', document: '1.2^D', repository: '1.2.3', reason: 'R50 \u001b[2J' }],
      left: [{ id: 'urn:uuid:e', reason: 'replaced' }],
      step: { id: `${id}:check`, kind: 'index-transfer:ini', state: 'dead', putAt: '', attempts: 1 },
      reason: 'document-unknown: missing 1.2^D',
    })
    expect(text).toContain('1.2^D in 1.2.3 (urn:uuid:d): R50 \\u001b[2J')
    expect(text).toContain('of unknown name (urn:uuid:e): replaced')
    expect(text).toContain(`crocevia deliveries retry ${id}:check --operator NAME`)
  })
})
