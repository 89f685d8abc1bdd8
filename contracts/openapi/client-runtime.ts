/** What every generated client has beside its types and operations; the generator copies it as it stands. */
export const clientRuntime = `
/** How a client reaches the gateway. */
export interface ClientOptions {
  /** The gateway's address, without a path. */
  readonly baseUrl: string
  /** Headers of every request: the tokens. */
  readonly headers?: () => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>
  /** Sends requests, with the client's certificate; default the platform's own. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>
}

/** A failure the gateway told. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly problem: Problem
  /** Seconds after which it is worth trying again. */
  readonly retryAfter: number | undefined

  constructor(problem: Problem, retryAfter?: number) {
    super(problem.detail)
    this.problem = problem
    this.retryAfter = retryAfter
  }
}

interface Sent {
  readonly method: string
  readonly path: string
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body?: unknown
  readonly signal?: AbortSignal | undefined
}

async function send(options: ClientOptions, sent: Sent): Promise<Response> {
  const query = new URLSearchParams(present(sent.query ?? {})).toString()
  const url = options.baseUrl.replace(/\\/$/, '') + sent.path + (query === '' ? '' : \`?\${query}\`)
  const body = sent.body === undefined ? {} : { body: JSON.stringify(sent.body) }
  const type = sent.body === undefined ? {} : { 'content-type': 'application/json' }
  const headers = { ...(await options.headers?.()), ...type, ...present(sent.headers) }
  const signal = sent.signal === undefined ? {} : { signal: sent.signal }
  const response = await (options.fetch ?? fetch)(url, { method: sent.method, headers, ...body, ...signal })
  if (response.ok) return response
  const told = (await response.json().catch(() => undefined)) as Problem | undefined
  const { status, statusText } = response
  const unknown = { type: 'about:blank', title: statusText, status, detail: \`Status \${status}\`, instance: '' }
  const retryAfter = response.headers.get('retry-after')
  throw new ProblemError(told ?? unknown, retryAfter === null ? undefined : Number(retryAfter))
}

function present(members: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

/** The events of a stream, as they come. */
async function* eventsOf<Event>(response: Response): AsyncGenerator<Event> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of response.body ?? []) {
    const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\\n\\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const lines = block.split('\\n')
      const event = lines.find((line) => line.startsWith('event: '))?.slice(7)
      const data = lines.find((line) => line.startsWith('data: '))?.slice(6)
      if (event !== undefined && data !== undefined) yield { event, data: JSON.parse(data) } as Event
    }
  }
}

/** Follows a stream: what is known of the index after each event, in no order until it is complete. */
export function indexFollower(): {
  readonly entries: () => readonly Entry[]
  readonly apply: (event: AskFederationEvent) => void
} {
  let entries = new Map<string, Entry>()
  return {
    entries: () => [...entries.values()],
    apply(told) {
      if (told.event === 'entries') {
        for (const { entry, formerId } of told.data.changes) {
          if (formerId !== undefined) entries.delete(formerId)
          entries.set(entry.id, entry)
        }
      } else if (told.event === 'removed') for (const id of told.data.ids) entries.delete(id)
      else if (told.event === 'complete') entries = new Map(told.data.entries.map((entry) => [entry.id, entry]))
      else if (told.event === 'problem') entries = new Map()
    },
  }
}
`
