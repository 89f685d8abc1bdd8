import { describe, expect, it } from 'vitest'
import { recording } from '../../../src/cli/recording.ts'
import type { ArrivingAnswer } from '../../../src/client/answer.ts'
import type { CommunityClient, OutboundRequest } from '../../../src/client/send.ts'
import { GatewayError } from '../../../src/core/errors.ts'

const headers = { 'content-type': 'text/xml' }

/** A client that answers what was sent to it, and fails the first time where it is told to. */
function echo({ fails = false } = {}): CommunityClient {
  const send = async ({ body = '' }: OutboundRequest) => ({ status: 200, headers, body: Buffer.from(body) })
  return {
    send,
    async receive(request, take) {
      const { body } = await send(request)
      const chunks = [body.subarray(0, 2), body.subarray(2)]
      const answer: ArrivingAnswer = {
        ...{ status: 200, headers },
        body: (async function* () {
          yield* chunks
        })(),
        async each(taker) {
          for (const chunk of chunks) {
            await taker(chunk)
            // The memory is the client's again.
            chunk.fill(0)
          }
        },
      }
      return await take(answer)
    },
    async sendFresh(build) {
      const first = await build()
      return await send(fails ? await build() : first)
    },
    renew: () => undefined,
    async [Symbol.asyncDispose]() {},
  }
}

const requestOf = (body: string): OutboundRequest => {
  return {
    url: 'https://ini.example/a',
    method: 'POST',
    headers,
    body,
    signal: new AbortController().signal,
    idempotent: true,
  }
}

describe('a client that is recorded', () => {
  it('answers as it would, and what went by is kept', async () => {
    const { client, recorded } = recording(echo())
    expect((await client.send(requestOf('one'))).body.toString()).toBe('one')
    expect((await client.sendFresh(() => requestOf('two'))).body.toString()).toBe('two')
    expect(recorded).toMatchObject([
      { url: 'https://ini.example/a', request: Buffer.from('one'), answer: { status: 200, body: Buffer.from('one') } },
      { request: Buffer.from('two'), answer: { headers, body: Buffer.from('two'), size: 3 } },
    ])
  })

  it('keeps what is taken as it arrives, either way', async () => {
    const { client, recorded } = recording(echo())
    await client.receive(requestOf('three'), ({ each }) => each(() => undefined))
    await client.receive(requestOf('four'), async ({ body }) => {
      for await (const chunk of body) expect(chunk.length).toBeGreaterThan(0)
    })
    expect(recorded.map(({ answer }) => answer?.body.toString())).toEqual(['three', 'four'])
  })

  it('keeps both messages where the second is sent because the first failed', async () => {
    const { client, recorded } = recording(echo({ fails: true }))
    let built = 0
    await client.sendFresh(() => requestOf(String(++built)))
    expect(recorded.map(({ request, answer }) => [request.toString(), answer?.body.toString()])).toEqual([
      ['1', undefined],
      ['2', '2'],
    ])
  })

  it('keeps what was sent though nothing came, and the beginning of what is too long', async () => {
    const gone = new GatewayError('community-unavailable', 'Gone')
    const { client, recorded } = recording({ ...echo(), send: () => Promise.reject(gone) })
    await expect(client.send(requestOf('one'))).rejects.toBe(gone)
    expect(recorded).toHaveLength(1)
    expect(recorded[0]?.answer).toBeUndefined()

    const long = recording(echo())
    await long.client.send(requestOf('x'.repeat(5_000_000)))
    const { answer } = long.recorded[0] ?? {}
    expect([answer?.size, answer?.body.length]).toEqual([5_000_000, 4 * 1024 * 1024])
  })
})
