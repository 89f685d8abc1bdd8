import { writeFileSync } from 'node:fs'
import { describe, expect, it, vi } from 'vitest'
import { changeDetector } from '../../../src/keys/watch.ts'
import { folder } from './fixtures.ts'

const written = vi.hoisted(() => 1_700_000_000_000)

// A file system whose times are too coarse to tell two writes apart.
vi.mock('node:fs/promises', async (original) => {
  const at = BigInt(written)
  const file = { isFile: () => true, dev: 1n, ino: 1n, size: 3n, mtimeMs: at, mtimeNs: at * 1_000_000n, ctimeNs: at }
  return { ...(await original<typeof import('node:fs/promises')>()), stat: () => Promise.resolve(file) }
})

describe('a file whose metadata do not tell that it was written again', () => {
  it('is read at every look while it is fresh', async () => {
    const { write } = folder()
    const path = write('key', 'one')
    const detector = await changeDetector([path], { now: () => written + 1_999 })
    writeFileSync(path, 'two')
    expect([await detector.poll(), await detector.poll()]).toEqual([false, true])
  })

  it('is not read again when it has been at rest', async () => {
    const { write } = folder()
    const path = write('key', 'one')
    const detector = await changeDetector([path], { now: () => written + 2_001 })
    writeFileSync(path, 'two')
    expect([await detector.poll(), await detector.poll()]).toEqual([false, false])
  })
})
