import { Agent, type IncomingMessage, request } from 'node:http'
import type { Socket } from 'node:net'

/** Where a signer process listens: a Unix domain socket, or a port of this machine. */
export type SignerAddress = { readonly socket: string } | { readonly port: number }

/** What is asked of the signer process. */
export interface SignerRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** JSON. */
  readonly body?: string
}

export interface SignerAnswer {
  readonly status: number
  readonly body: Buffer
  /** The connection it came over: one connection is one life of the process at its other end. */
  readonly connection: Socket
}

/** Why there is no answer. */
export type SignerSilence = 'connection' | 'deadline' | 'closed' | 'answer-too-large'

/** No answer from the signer process. */
export class SignerSilent extends Error {
  override readonly name = 'SignerSilent'
  readonly phase: SignerSilence

  constructor(phase: SignerSilence, cause?: unknown) {
    super('The signer did not answer', cause === undefined ? undefined : { cause })
    this.phase = phase
  }
}

/** Kept connections to a signer process. */
export interface SignerChannel {
  /** Rejects with SignerSilent, after the deadline at the latest. */
  ask(request: SignerRequest): Promise<SignerAnswer>
  /** Requests that have no answer yet. */
  readonly pending: number
  /** Breaks what is under way; nothing is answered any more. */
  close(): void
}

/** A chain of certificates takes a few kilobytes, a signature less than one. */
const largestAnswer = 65_536

/** How long an idle connection is kept. */
const keepIdleMs = 30_000

export function signerChannel(address: SignerAddress, connections: number, deadlineMs: number): SignerChannel {
  const target = 'socket' in address ? { socketPath: address.socket } : { host: '127.0.0.1', port: address.port }
  const agent = new Agent({ keepAlive: true, maxSockets: connections, timeout: keepIdleMs })
  const underWay = new Set<(silent: SignerSilent) => void>()
  let closed = false

  function once(asked: SignerRequest, remainingMs: number): Promise<SignerAnswer | 'stale'> {
    return new Promise((resolve, reject) => {
      const { method, path, body } = asked
      const headers = body === undefined ? {} : { 'content-type': 'application/json' }
      const sent = request({ ...target, agent, method, path, headers })
      const settle = (end: () => void): void => {
        clearTimeout(timer)
        underWay.delete(give)
        end()
      }
      const give = (silent: SignerSilent): void => {
        settle(() => reject(silent))
        sent.destroy()
      }
      const broken = (error: unknown): void => {
        // A kept connection ends with the process at its other end, and that shows when it is used next.
        if (sent.reusedSocket && isReset(error)) settle(() => resolve('stale'))
        else give(new SignerSilent('connection', error))
      }
      const timer = setTimeout(() => give(new SignerSilent('deadline')), Math.max(0, remainingMs))
      underWay.add(give)
      sent.on('error', broken)
      sent.on('response', (response) => {
        const connection = response.socket
        collect(response).then(
          (answer) => settle(() => resolve({ status: response.statusCode ?? 0, body: answer, connection })),
          (error: unknown) => {
            if (error instanceof SignerSilent) give(error)
            else broken(error)
          },
        )
      })
      sent.end(body)
    })
  }

  return {
    get pending() {
      return underWay.size
    },
    async ask(asked) {
      const end = performance.now() + deadlineMs
      for (;;) {
        if (closed) throw new SignerSilent('closed')
        // Each stale connection is gone afterwards, so that there is an end to them.
        const answer = await once(asked, end - performance.now())
        if (answer !== 'stale') return answer
      }
    },
    close() {
      closed = true
      for (const give of [...underWay]) give(new SignerSilent('closed'))
      agent.destroy()
    },
  }
}

function isReset(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
}

async function collect(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > largestAnswer) throw new SignerSilent('answer-too-large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, length)
}
