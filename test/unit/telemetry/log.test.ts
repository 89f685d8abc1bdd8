import { describe, expect, it } from 'vitest'
import { createLog } from '../../../src/telemetry/log.ts'

describe('createLog', () => {
  it('writes a JSON line with the level in words and the time in UTC, and nothing about the machine', () => {
    const lines: string[] = []
    createLog({ destination: { write: (line) => void lines.push(line) } }).info({ event: 'x' })
    expect(JSON.parse(lines.join(''))).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      event: 'x',
    })
    expect(lines.join('')).toMatch(/\n$/)
  })

  it('leaves out what is below its level', () => {
    const lines: string[] = []
    const log = createLog({ level: 'warn', destination: { write: (line) => void lines.push(line) } })
    log.info({ event: 'x' })
    log.warn({ event: 'y' })
    expect(lines).toHaveLength(1)
  })
})
