import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type StreamedBody, sendStreamed } from '../../../../src/http/stream.ts'

const opened: { close(): void; closeAllConnections(): void }[] = []
afterEach(() => {
  for (const server of opened.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

/** Sends a body to whoever asks; `released` counts how often it was given up. */
async function sender(body: Omit<StreamedBody, 'release'>, patienceMs?: number) {
  const state = { released: 0 }
  const release = async () => void state.released++
  const reply = { status: 200, contentType: 'application/pdf', headers: {}, body: { ...body, release } }
  const server = createServer((incoming, outgoing) => void sendStreamed(incoming, outgoing, reply, patienceMs))
  opened.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, state }
}

async function* pieces(...texts: readonly string[]) {
  for (const text of texts) yield Buffer.from(text)
}

/** Everything that comes until the connection ends, or until `enough` of it has. */
async function received(port: number, enough?: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port })
  socket.on('error', () => undefined)
  let text = ''
  await new Promise<void>((resolve) => {
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk
      if (enough !== undefined && text.endsWith(enough)) resolve()
    })
    socket.on('close', () => resolve())
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  })
  socket.destroy()
  return text
}

describe('a streamed answer', () => {
  it('is sent as it comes, with its length, and released once', async () => {
    const { port, state } = await sender({ length: 6, chunks: pieces('one', 'two') })
    expect(await received(port, 'onetwo')).toMatch(/content-length: 6\r\n/i)
    await expect.poll(() => state.released).toBe(1)
  })

  it('of unknown length ends as such answers end', async () => {
    const { port, state } = await sender({ chunks: pieces('one') })
    expect(await received(port, '0\r\n\r\n')).toMatch(/transfer-encoding: chunked/i)
    await expect.poll(() => state.released).toBe(1)
  })

  it.each([
    ['shorter', ['on']],
    ['longer', ['one', 'two']],
  ])('that is %s than it said ends with its connection', async (_what, texts) => {
    const { port, state } = await sender({ length: 3, chunks: pieces(...texts) })
    const text = await received(port)
    expect(text.split('\r\n\r\n')[1]?.length ?? 0).toBeLessThanOrEqual(3)
    expect(state.released).toBe(1)
  })

  it('is released when its caller left before it began, empty or not', async () => {
    for (const texts of [[], ['one']]) {
      const state = { released: 0 }
      const body = { chunks: pieces(...texts), release: async () => void state.released++ }
      const server = createServer((incoming, outgoing) => {
        outgoing.on('error', () => undefined)
        outgoing.once('close', () => {
          void sendStreamed(incoming, outgoing, { status: 200, contentType: 'application/pdf', headers: {}, body })
        })
        incoming.socket.destroy()
      })
      opened.push(server)
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      expect(await received((server.address() as AddressInfo).port)).toBe('')
      await expect.poll(() => state.released).toBe(1)
    }
  })

  it('is not waited with for a caller who takes nothing of it', async () => {
    const endless = async function* () {
      for (;;) yield Buffer.alloc(65_536)
    }
    const { port, state } = await sender({ chunks: endless() }, 100)
    const socket = connect({ host: '127.0.0.1', port })
    socket.on('error', () => undefined)
    socket.pause()
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await expect.poll(() => state.released, { timeout: 10_000 }).toBe(1)
    socket.destroy()
  })
})
