import type { ArrivingAnswer, OutboundResponse } from '../client/answer.ts'
import type { CommunityClient, OutboundRequest } from '../client/send.ts'

/** One message that was sent, and what came back, as they went over the wire. */
export interface Recorded {
  readonly url: string
  /** Of the request, with the names as they were set. */
  readonly headers: Readonly<Record<string, string>>
  readonly request: Buffer
  /** Absent when none came. */
  readonly answer?: RecordedAnswer
  /** Until the answer had come, or nobody waited for it any more. */
  readonly durationMs: number
}

export interface RecordedAnswer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** How many bytes came; `body` has no more than the first 4 MiB. */
  readonly size: number
}

const mostBytes = 4 * 1024 * 1024

/** A client that does what the given one does, and what went by in the order of sending: copies, whatever became of it. */
export function recording(client: CommunityClient): {
  readonly client: CommunityClient
  readonly recorded: readonly Recorded[]
} {
  const recorded: Recorded[] = []
  const begin = (request: OutboundRequest): Tape => {
    const place = recorded.length
    return new Tape(request, (record) => {
      recorded[place] = record
    })
  }
  const whole = async (tape: () => Tape | undefined, answer: Promise<OutboundResponse>) => {
    try {
      const { status, headers, body } = await answer
      tape()?.answered(status, headers)
      tape()?.take(body)
      return { status, headers, body }
    } finally {
      tape()?.end()
    }
  }
  return {
    recorded,
    client: {
      send(request) {
        const tape = begin(request)
        return whole(() => tape, client.send(request))
      },
      async receive(request, take) {
        const tape = begin(request)
        try {
          return await client.receive(request, (answer) => take(overheard(answer, tape)))
        } finally {
          tape.end()
        }
      },
      sendFresh(build) {
        let tape: Tape | undefined
        const answer = client.sendFresh(async () => {
          // A second attempt is another message.
          tape?.end()
          const request = await build()
          tape = begin(request)
          return request
        })
        return whole(() => tape, answer)
      },
      renew: (tls) => client.renew(tls),
      [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
    },
  }
}

class Tape {
  readonly #request: Pick<Recorded, 'url' | 'headers' | 'request'>
  readonly #keep: (record: Recorded) => void
  readonly #started = performance.now()
  readonly #chunks: Buffer[] = []
  #answer: Pick<RecordedAnswer, 'status' | 'headers'> | undefined
  #kept = 0
  #size = 0

  constructor({ url, headers, body = '' }: OutboundRequest, keep: (record: Recorded) => void) {
    this.#request = { url, headers, request: Buffer.from(body) }
    this.#keep = keep
    this.end()
  }

  answered(status: number, headers: RecordedAnswer['headers']): void {
    this.#answer = { status, headers }
  }

  take(chunk: Uint8Array): void {
    this.#size += chunk.length
    if (this.#kept >= mostBytes) return
    // The bytes may be reused once whoever takes them is done.
    const copy = Buffer.from(chunk.subarray(0, mostBytes - this.#kept))
    this.#kept += copy.length
    this.#chunks.push(copy)
  }

  end(): void {
    const answer = this.#answer && { ...this.#answer, body: Buffer.concat(this.#chunks), size: this.#size }
    const durationMs = performance.now() - this.#started
    this.#keep({ ...this.#request, durationMs, ...(answer === undefined ? {} : { answer }) })
  }
}

function overheard({ status, headers, body, each }: ArrivingAnswer, tape: Tape): ArrivingAnswer {
  tape.answered(status, headers)
  return {
    status,
    headers,
    body: heard(body, tape),
    each: (take) =>
      each((chunk) => {
        tape.take(chunk)
        return take(chunk)
      }),
  }
}

async function* heard(body: AsyncIterable<Buffer>, tape: Tape): AsyncGenerator<Buffer> {
  for await (const chunk of body) {
    tape.take(chunk)
    yield chunk
  }
}
