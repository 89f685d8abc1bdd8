import { describe, expect, it, vi } from 'vitest'
import { reloadable } from '../../../src/keys/reloadable.ts'
import { folder } from './fixtures.ts'

const onFailed = (error: unknown) => {
  throw error
}

describe('a value that can be replaced', () => {
  it('is the one loaded last', async () => {
    let version = 0
    const replaced: [number, number][] = []
    const value = await reloadable(() => ++version, {
      onReloaded: (now, before) => replaced.push([now, before]),
      onFailed,
    })
    expect(value.current()).toBe(1)
    expect(await value.reload()).toBe(true)
    expect(value.current()).toBe(2)
    expect(replaced).toEqual([[2, 1]])
  })

  it('cannot begin without a value', async () => {
    const failing = () => Promise.reject(new Error('no key'))
    await expect(reloadable(failing, { onFailed })).rejects.toThrow('no key')
  })

  it('stays when its successor cannot be loaded, at once or later, and the failure is reported', async () => {
    const failures: unknown[] = []
    const loads: (() => string | Promise<string>)[] = [
      () => 'good',
      () => {
        throw new Error('half a file')
      },
      () => Promise.reject(new Error('no file')),
      () => 'better',
    ]
    const value = await reloadable(() => loads.shift()?.() ?? 'none', { onFailed: (error) => failures.push(error) })
    expect(await value.reload()).toBe(false)
    expect(await value.reload()).toBe(false)
    expect(value.current()).toBe('good')
    expect(failures).toEqual([new Error('half a file'), new Error('no file')])
    expect(await value.reload()).toBe(true)
    expect(value.current()).toBe('better')
  })

  it('stays when its successor cannot be put to use', async () => {
    let version = 0
    const failed = vi.fn()
    const value = await reloadable(() => ++version, {
      onReloaded() {
        throw new Error('the server does not take it')
      },
      onFailed: failed,
    })
    expect(await value.reload()).toBe(false)
    expect(value.current()).toBe(1)
    expect(failed).toHaveBeenCalledOnce()
  })

  it('is never loaded twice at one time: whoever asks meanwhile shares the load after', async () => {
    const began = [0, 1, 2].map(() => Promise.withResolvers<void>())
    const may = [0, 1, 2].map(() => Promise.withResolvers<void>())
    let loading = 0
    let most = 0
    let loads = 0
    may[0]?.resolve()
    const value = await reloadable(
      async () => {
        const mine = loads++
        most = Math.max(most, ++loading)
        began[mine]?.resolve()
        await may[mine]?.promise
        loading--
        return mine
      },
      { onFailed },
    )
    const first = value.reload()
    await began[1]?.promise
    const during = [value.reload(), value.reload(), value.reload()]
    expect(value.current()).toBe(0)
    may[1]?.resolve()
    expect(await first).toBe(true)
    expect(value.current()).toBe(1)
    await began[2]?.promise
    may[2]?.resolve()
    expect(await Promise.all(during)).toEqual([true, true, true])
    expect(value.current()).toBe(2)
    expect([loads, most]).toEqual([3, 1])
  })

  it('follows the files it is told to watch, also when they change during the first load', async () => {
    const { write } = folder()
    const path = write('key', 'one')
    const ending = new AbortController()
    let loads = 0
    const replaced = Promise.withResolvers<number>()
    const value = await reloadable(
      async () => {
        loads++
        if (loads === 1) write('key', 'two')
        return loads
      },
      { onReloaded: replaced.resolve, onFailed, watch: { paths: [path], everyMs: 2, signal: ending.signal } },
    )
    expect(await replaced.promise).toBe(2)
    expect(value.current()).toBe(2)
    ending.abort()
  })
})
