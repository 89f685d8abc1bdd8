import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { changeDetector, watchFiles } from '../../../src/keys/watch.ts'
import { folder } from './fixtures.ts'

const clock = { now: Date.now }
/** To whom every file is old: metadata alone must tell. */
const inAnHour = { now: () => Date.now() + 3_600_000 }

/** Looks so many times and says at which of them there was a change. */
async function looks(detector: { poll(): Promise<boolean> }, times: number): Promise<number[]> {
  const changes: number[] = []
  for (let look = 1; look <= times; look++) if (await detector.poll()) changes.push(look)
  return changes
}

describe.each([
  ['fresh', clock],
  ['old', inAnHour],
])('the change of %s files', (_age, clock) => {
  it('is told once, when two looks in a row see the same', async () => {
    const { write } = folder()
    const path = write('key', 'one')
    const detector = await changeDetector([path], clock)
    expect(await looks(detector, 3)).toEqual([])
    write('key', 'another')
    expect(await looks(detector, 5)).toEqual([2])
    write('key', 'a third')
    expect(await looks(detector, 5)).toEqual([2])
  })

  it('is one change of several files, told when the last has settled', async () => {
    const { write } = folder()
    const detector = await changeDetector([write('key', 'k1'), write('certificate', 'c1')], clock)
    write('certificate', 'c2')
    expect(await looks(detector, 1)).toEqual([])
    write('key', 'k2')
    expect(await looks(detector, 1)).toEqual([])
    expect(await looks(detector, 3)).toEqual([1])
  })

  it('waits for a file that grows at every look', async () => {
    const { write } = folder()
    const detector = await changeDetector([write('key', 'one')], clock)
    for (let length = 1; length < 8; length++) {
      write('key', 'k'.repeat(length))
      expect(await looks(detector, 1)).toEqual([])
    }
    expect(await looks(detector, 2)).toEqual([1])
  })

  it('is seen when another file takes the name, with the same size and times', async () => {
    const { write, at } = folder()
    const path = write('key', 'one')
    const then = new Date(1_700_000_000_000)
    utimesSync(path, then, then)
    const detector = await changeDetector([path], clock)
    utimesSync(write('next', 'two'), then, then)
    renameSync(at('next'), path)
    expect(await looks(detector, 3)).toEqual([2])
  })

  it('is seen when a symbolic link is turned, as mounted secrets are', async () => {
    const { write, at } = folder()
    for (const version of ['v1', 'v2']) {
      mkdirSync(at(version))
      write(`${version}/tls.key`, `key ${version}`)
      write(`${version}/tls.crt`, `crt ${version}`)
    }
    symlinkSync('v1', at('..data'))
    symlinkSync('..data/tls.key', at('tls.key'))
    symlinkSync('..data/tls.crt', at('tls.crt'))
    const detector = await changeDetector([at('tls.key'), at('tls.crt')], clock)
    symlinkSync('v2', at('..data_tmp'))
    renameSync(at('..data_tmp'), at('..data'))
    rmSync(at('v1'), { recursive: true })
    expect(await looks(detector, 4)).toEqual([2])
  })

  it('is no change when the content is as before', async () => {
    const { write } = folder()
    const path = write('key', 'one')
    const detector = await changeDetector([path], clock)
    utimesSync(path, new Date(), new Date())
    expect(await looks(detector, 3)).toEqual([])
    unlinkSync(path)
    write('key', 'one')
    expect(await looks(detector, 3)).toEqual([])
  })

  it('is told again when the content goes back to what it was', async () => {
    const { write } = folder()
    const detector = await changeDetector([write('key', 'one')], clock)
    write('key', 'half')
    expect(await looks(detector, 3)).toEqual([2])
    write('key', 'one')
    expect(await looks(detector, 3)).toEqual([2])
  })

  it('is none while a file is away for a moment', async () => {
    const { write, at } = folder()
    const detector = await changeDetector([write('key', 'one')], clock)
    unlinkSync(at('key'))
    expect(await looks(detector, 4)).toEqual([])
    write('key', 'one')
    expect(await looks(detector, 4)).toEqual([])
    unlinkSync(at('key'))
    expect(await looks(detector, 4)).toEqual([])
    write('key', 'two')
    expect(await looks(detector, 4)).toEqual([2])
  })

  it('is told once when a file is gone for good, and when it comes back after that', async () => {
    const { write, at } = folder()
    const detector = await changeDetector([write('key', 'one')], clock)
    unlinkSync(at('key'))
    expect(await looks(detector, 20)).toEqual([6])
    write('key', 'one')
    expect(await looks(detector, 4)).toEqual([2])
  })

  it('is seen at a path where there was nothing, or no file', async () => {
    const { at } = folder()
    mkdirSync(at('key'))
    const detector = await changeDetector([at('key')], clock)
    expect(await looks(detector, 8)).toEqual([])
    rmSync(at('key'), { recursive: true })
    writeFileSync(at('key'), 'one')
    expect(await looks(detector, 3)).toEqual([2])
  })
})

describe('a watch', () => {
  it('calls back for each change until it is ended', async () => {
    const { write } = folder()
    const path = write('key', 'one')
    const ending = new AbortController()
    let calls = 0
    let called = Promise.withResolvers<void>()
    const onChange = () => {
      calls++
      called.resolve()
    }
    await watchFiles([path], { everyMs: 2, onChange, signal: ending.signal })
    write('key', 'two')
    await called.promise
    called = Promise.withResolvers()
    write('key', 'three')
    await called.promise
    ending.abort()
    expect(calls).toBe(2)
    write('key', 'four')
    // Another watch over the same file sees the change: this one, had it gone on, would have too.
    const witness = new AbortController()
    const seen = Promise.withResolvers<void>()
    await watchFiles([path], { everyMs: 2, onChange: seen.resolve, signal: witness.signal })
    write('key', 'five')
    await seen.promise
    witness.abort()
    expect(calls).toBe(2)
  })

  it('does not begin when it is ended already', async () => {
    const { write } = folder()
    const onChange = () => expect.fail('called')
    await watchFiles([write('key', 'one')], { everyMs: 1, onChange, signal: AbortSignal.abort() })
  })
})
