import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ReplayMemory, Use } from '../../src/core/ports.ts'
import { use } from '../unit/store/child/uses.ts'

/** A replay memory that can be closed. */
export type Memory = ReplayMemory & AsyncDisposable

/** A replay memory under test, and what only its engine can do to it. */
export interface StartedMemory {
  readonly memory: Memory
  /** The clock of every memory that is opened here, but not of other processes. */
  readonly clock: { time: number }
  /** The same memory, opened once more. */
  readonly reopen: () => Promise<Memory>
  readonly directory: string
  /** A module whose `openStore(directory)` opens the same memory in another process. */
  readonly engine: URL
  /** How many uses it holds. */
  readonly kept: () => Promise<number>
  /** Another memory, for which only as many calls as given may wait. */
  readonly narrow: (capacity: number) => Promise<Memory>
  /** Another memory, whose disk has room for some hundreds of uses. */
  readonly full: () => Promise<Memory>
}

const rememberer = fileURLToPath(new URL('../unit/store/child/rememberer.ts', import.meta.url))
const hourMs = 3_600_000

/** What every replay memory must do, whatever engine keeps it. */
export function replayMemoryBehaves(name: string, start: () => Promise<StartedMemory>): void {
  describe(`${name} as a replay memory`, () => {
    it('lets a thing be used once, and tells which use was taken', async () => {
      const { memory } = await start()
      expect(await memory.remember([use('a'), use('b')])).toBeUndefined()
      const again = use('b')
      expect(await memory.remember([use('c'), again, use('a')])).toBe(again)
      expect(await memory.remember([use('d')])).toBeUndefined()
    })

    it('remembers nothing of a call of which one use was taken', async () => {
      const { memory, kept } = await start()
      await memory.remember([use('a')])
      expect(await memory.remember([use('b'), use('c', { presenter: 'INI' }), use('a')])).toEqual(use('a'))
      expect(await kept()).toBe(1)
      expect(await memory.remember([use('b'), use('c', { presenter: 'somebody' })])).toBeUndefined()
    })

    it('has nothing against a call without uses', async () => {
      const { memory, kept } = await start()
      expect(await memory.remember([])).toBeUndefined()
      expect(await kept()).toBe(0)
    })

    it('does not let one call use a thing twice', async () => {
      const { memory, kept } = await start()
      expect(await memory.remember([use('a'), use('a')])).toEqual(use('a'))
      expect(await kept()).toBe(0)
      const bound = use('b', { presenter: 'INI' })
      expect(await memory.remember([bound, bound])).toBeUndefined()
    })

    it('lets the same presenter use a thing again, and nobody else', async () => {
      const { memory } = await start()
      const bound = use('a', { presenter: 'INI' })
      for (const _ of [1, 2, 3]) expect(await memory.remember([bound])).toBeUndefined()
      for (const other of [use('a', { presenter: 'ini' }), use('a', { presenter: 'INI ' }), use('a')]) {
        expect(await memory.remember([other])).toBe(other)
      }
      expect(await memory.remember([bound])).toBeUndefined()
    })

    it('binds nothing to a presenter that was used without one', async () => {
      const { memory } = await start()
      await memory.remember([use('a')])
      expect(await memory.remember([use('a', { presenter: 'INI' })])).toEqual(use('a', { presenter: 'INI' }))
    })

    it('keeps a use to the very end of its time, and then may have it again', async () => {
      const { memory, clock } = await start()
      const until = clock.time + 1000
      await memory.remember([use('a', { until }), use('b', { until, presenter: 'INI' })])
      clock.time = until
      const later = until + hourMs
      expect(await memory.remember([use('a', { until: later })])).toBeDefined()
      expect(await memory.remember([use('b', { until: later, presenter: 'somebody' })])).toBeDefined()
      clock.time = until + 1
      expect(await memory.remember([use('a', { until: later })])).toBeUndefined()
      expect(await memory.remember([use('b', { until: later, presenter: 'somebody' })])).toBeUndefined()
      expect(await memory.remember([use('a', { until: later })])).toBeDefined()
      expect(await memory.remember([use('b', { until: later, presenter: 'INI' })])).toBeDefined()
    })

    it('keeps what one presenter uses again until the latest of its times', async () => {
      const { memory, clock } = await start()
      const [early, late] = [clock.time + 1000, clock.time + 2000]
      for (const until of [early, late, early]) {
        expect(await memory.remember([use('a', { presenter: 'INI', until })])).toBeUndefined()
      }
      clock.time = late
      const other = use('a', { presenter: 'somebody', until: late })
      expect(await memory.remember([other])).toBe(other)
    })

    it('takes for used what is past its time already: it may have been forgotten', async () => {
      const { memory, clock, kept } = await start()
      const late = use('a', { until: clock.time - 1 })
      expect(await memory.remember([late])).toBe(late)
      expect(await kept()).toBe(0)
      expect(await memory.remember([use('a', { until: clock.time + 0.5 })])).toBeUndefined()
    })

    it('forgets what nobody can present any more, as new uses come', async () => {
      const { memory, clock, kept } = await start()
      await remembered(memory, numbers(500), (number) => use(`old-${number}`, { until: clock.time + number }))
      expect(await kept()).toBe(500)
      clock.time += hourMs
      await remembered(memory, numbers(500), (number) => use(`new-${number}`))
      expect(await kept()).toBe(500)
      expect(await takenAmong(memory, numbers(500), (number) => use(`new-${number}`))).toBe(500)
    })

    it('forgets nothing in its time, however much else there is to forget', async () => {
      const { memory, clock } = await start()
      await remembered(memory, numbers(200), (number) =>
        use(`${number}`, { until: clock.time + (number % 2 === 0 ? 1 : 2 * hourMs) }),
      )
      clock.time += hourMs
      await remembered(memory, numbers(200), (number) => use(`new-${number}`))
      const odd = numbers(100).map((number) => 2 * number - 1)
      expect(await takenAmong(memory, odd, (number) => use(`${number}`))).toBe(100)
    })

    it.each([
      ['a key that is no digest', use('a', { key: 'A1#090000' })],
      ['a key in upper case', use('a', { key: 'AB'.repeat(32) })],
      ['a key with more behind it', use('a', { key: `${'ab'.repeat(32)}\n` })],
      ['a presenter without a name', use('a', { presenter: '' })],
      ['a presenter without measure', use('a', { presenter: 'x'.repeat(5000) })],
      ['no end', use('a', { until: Number.POSITIVE_INFINITY })],
      ['an end that is no number', use('a', { until: Number.NaN })],
    ])('refuses %s, and remembers nothing of that call', async (_what, unfit) => {
      const { memory, kept } = await start()
      await expect(memory.remember([use('good'), unfit])).rejects.toMatchObject({ code: 'internal' })
      expect(await kept()).toBe(0)
    })

    it('refuses a call with uses without measure', async () => {
      const { memory } = await start()
      const uses = numbers(100).map((number) => use(`${number}`))
      await expect(memory.remember(uses)).rejects.toMatchObject({ code: 'internal' })
    })

    it('grants one of many concurrent calls, and never two', async () => {
      const { memory } = await start()
      const answers = await Promise.all(numbers(500).map((number) => memory.remember([use(`${number % 100}`)])))
      expect(answers.filter((taken) => taken === undefined)).toHaveLength(100)
      const binding = await Promise.all(numbers(20).map((number) => memory.remember([boundBy(`${number % 4}`)])))
      expect(binding.filter((taken) => taken === undefined)).toHaveLength(5)
    })

    it('stores nothing of a concurrent call that lost, so that another may win what it asked beside', async () => {
      const { memory } = await start()
      const [first, second, third] = await Promise.all([
        memory.remember([use('a')]),
        memory.remember([use('b'), use('a')]),
        memory.remember([use('b')]),
      ])
      expect([first, second, third]).toEqual([undefined, use('a'), undefined])
    })

    it('remembers after it was closed and opened again', async () => {
      const { memory, reopen } = await start()
      await memory.remember([use('a'), boundBy('INI')])
      await memory[Symbol.asyncDispose]()
      const again = await reopen()
      expect(await again.remember([use('a')])).toEqual(use('a'))
      expect(await again.remember([boundBy('somebody')])).toEqual(boundBy('somebody'))
      expect(await again.remember([boundBy('INI')])).toBeUndefined()
    })

    it('drains on closing: what was accepted is kept, what comes later is refused', async () => {
      const { memory, reopen } = await start()
      const accepted = numbers(50).map((number) => memory.remember([use(`${number}`)]))
      const closed = memory[Symbol.asyncDispose]()
      await expect(memory.remember([use('late')])).rejects.toMatchObject({ code: 'internal' })
      await expect(memory.remember([])).rejects.toMatchObject({ code: 'internal' })
      await closed
      expect(await Promise.all(accepted)).toEqual(numbers(50).map(() => undefined))
      const again = await reopen()
      expect(await takenAmong(again, numbers(50), (number) => use(`${number}`))).toBe(50)
      expect(await again.remember([use('late')])).toBeUndefined()
    })

    it('is one memory to two that have it open, and one of them wins', async () => {
      const { memory, reopen } = await start()
      const memories = [memory, await reopen()]
      const wins = await Promise.all(
        numbers(100).map(async (number) => {
          const answers = await Promise.all(memories.map((one) => one.remember([use(`${number}`)])))
          return answers.filter((taken) => taken === undefined).length
        }),
      )
      expect(wins).toEqual(numbers(100).map(() => 1))
    })

    it('lets one of two processes win each of 200 keys they race for', async () => {
      const started = await start()
      const children = ['left', 'right'].map(() => rememberIn(started, 'contested', 200))
      const told = children.map((child) => lines(child))
      for (const lines of told) expect((await lines.next()).value).toBe('open')
      for (const child of children) child.stdin?.write('go\n')
      const answers = (await Promise.all(told.map((lines) => rest(lines)))).flat()
      const winners = answers.filter((line) => line.endsWith(' free')).map((line) => Number.parseInt(line, 10))
      expect(answers).toHaveLength(400)
      expect(winners.sort((a, b) => a - b)).toEqual(numbers(200).map((number) => number - 1))
    })

    it('holds every use that was acknowledged when its process is killed at once after', async () => {
      const started = await start()
      const child = rememberIn(started, 'killed', 0)
      const acknowledged: number[] = []
      for await (const line of lines(child)) {
        if (line === 'open') child.stdin?.write('go\n')
        else acknowledged.push(Number.parseInt(line, 10))
        if (acknowledged.length === 100) child.kill('SIGKILL')
      }
      expect(acknowledged.length).toBeGreaterThanOrEqual(100)
      const memory = await started.reopen()
      expect(await takenAmong(memory, acknowledged, (number) => use(`killed-${number}`))).toBe(acknowledged.length)
    })

    it('refuses at once what exceeds its queue, and serves again when the queue has emptied', async () => {
      const { narrow } = await start()
      const memory = await narrow(3)
      const settled = await Promise.allSettled(numbers(5).map((number) => memory.remember([use(`${number}`)])))
      expect(settled.slice(0, 3)).toEqual(numbers(3).map(() => ({ status: 'fulfilled', value: undefined })))
      expect(settled.slice(3)).toMatchObject(numbers(2).map(() => ({ reason: { code: 'overloaded' } })))
      expect(await memory.remember([use('4')])).toBeUndefined()
    })

    it('rejects when the disk is full, and says of nothing it could not keep that it was free', async () => {
      const { full, clock } = await start()
      const memory = await full()
      const granted: number[] = []
      const failures: unknown[] = []
      for (let number = 0; failures.length === 0 && number < 10_000; number++) {
        await memory.remember([use(`${number}`, { until: clock.time + 1000 })]).then(
          () => granted.push(number),
          (error: unknown) => failures.push(error),
        )
      }
      expect(failures).toMatchObject([{ code: 'internal' }])
      expect(granted.length).toBeGreaterThan(10)
      const refused = granted.length
      expect(await takenAmong(memory, granted, (number) => use(`${number}`, { until: clock.time }))).toBe(refused)
      await expect(memory.remember([use(`${refused}`)])).rejects.toMatchObject({ code: 'internal' })
      clock.time += hourMs
      expect(await memory.remember([use(`${refused}`)])).toBeUndefined()
    })

    it('remembers ten thousand uses, each of them once', async () => {
      const { memory, kept } = await start()
      await remembered(memory, numbers(10_000), (number) => use(`${number}`))
      expect(await kept()).toBe(10_000)
      expect(await takenAmong(memory, numbers(10_000), (number) => use(`${number}`))).toBe(10_000)
    })
  })
}

function boundBy(presenter: string): Use {
  return use('bound', { presenter })
}

/** Remembers a use for each number, and insists that all were free. */
async function remembered(memory: ReplayMemory, of: readonly number[], made: (number: number) => Use): Promise<void> {
  expect(await takenAmong(memory, of, made)).toBe(0)
}

/** How many of the uses were taken; asks in waves that fit a queue. */
async function takenAmong(memory: ReplayMemory, of: readonly number[], made: (n: number) => Use): Promise<number> {
  let taken = 0
  for (let from = 0; from < of.length; from += 1000) {
    const answers = await Promise.all(of.slice(from, from + 1000).map((number) => memory.remember([made(number)])))
    taken += answers.filter((answer) => answer !== undefined).length
  }
  return taken
}

function rememberIn({ engine, directory }: StartedMemory, name: string, count: number): ChildProcess {
  const child = spawn(process.execPath, [rememberer, engine.href, directory, name, String(count)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

function lines(child: ChildProcess): NodeJS.AsyncIterator<string> & AsyncIterable<string> {
  if (child.stdout === null) throw new Error('The child has no output')
  return createInterface({ input: child.stdout })[Symbol.asyncIterator]()
}

async function rest(lines: AsyncIterable<string>): Promise<string[]> {
  const read: string[] = []
  for await (const line of lines) read.push(line)
  return read
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1)
}
