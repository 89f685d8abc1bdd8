import { describe, expect, it, onTestFinished } from 'vitest'
import { workerChannel } from '../../../src/store/worker-channel.ts'

function channelTo(body: string, workerData: () => unknown = () => undefined) {
  const script = `import { parentPort, workerData } from 'node:worker_threads'
    parentPort.on('message', ({ call, request }) => { ${body} })`
  const channel = workerChannel<unknown>(new URL(`data:text/javascript,${encodeURIComponent(script)}`), workerData)
  onTestFinished(() => channel.terminate())
  return channel
}

describe('workerChannel', () => {
  it('gives each call its own answer', async () => {
    const channel = channelTo('parentPort.postMessage({ call, reply: request * 2 })')
    expect(await Promise.all([1, 2, 3].map((number) => channel.ask(number)))).toEqual([2, 4, 6])
  })

  it('tells the operator why the thread failed, and the caller only that it did', async () => {
    const channel = channelTo(`parentPort.postMessage({ call, failure: { reason: 'full' }, cause: new Error('x') })`)
    const failure = await channel.ask('anything').catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'internal', message: 'The store failed', details: { reason: 'full' } })
    expect(failure).toHaveProperty('cause.message', 'x')
  })

  it('gives up a call that takes too long, and keeps the thread', async () => {
    const channel = channelTo(`if (request !== 'hang') parentPort.postMessage({ call, reply: request })`)
    await expect(channel.ask('hang', 10)).rejects.toMatchObject({ code: 'internal' })
    expect(await channel.ask('speak', 20_000)).toBe('speak')
  })

  it('fails every call of a thread that died, and starts another for the next', async () => {
    let started = 0
    const channel = channelTo(
      `if (request === 'throw') throw new Error('x')
       if (request === 'exit') process.exit(3)
       if (request !== 'hang') parentPort.postMessage({ call, reply: workerData })`,
      () => ++started,
    )
    for (const [order, last] of [
      ['throw', 2],
      ['exit', 3],
    ] as const) {
      const outcomes = await Promise.allSettled(['hang', order].map((request) => channel.ask(request)))
      for (const outcome of outcomes) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: { details: { reason: 'thread-ended' } } })
      }
      expect(await channel.ask('speak')).toBe(last)
    }
  })

  it('rejects what waits when it is terminated', async () => {
    const channel = channelTo('')
    const waiting = channel.ask('hang')
    channel.terminate()
    await expect(waiting).rejects.toMatchObject({ code: 'internal' })
  })
})
