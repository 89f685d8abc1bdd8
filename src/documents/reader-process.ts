import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { DocumentSource } from './forms.ts'
import type { ReaderMessage, ReaderRequest } from './reader.ts'

/** How a reading process ended: `exhausted` when it had no memory left. */
export type ReaderEnd = 'exhausted' | 'failed'

export interface ReaderProcess {
  /** Resolves when the document is on its way, or the process has ended; rejects when the source breaks off. */
  send(document: DocumentSource, request: Omit<ReaderRequest, 'size'>): Promise<void>
  /** Whether it keeps our process alive. */
  hold(isHeld: boolean): void
  /** Ends it at once; nothing is heard of it afterwards. */
  kill(): void
}

export interface ReaderListener {
  heard(message: ReaderMessage): void
  ended(end: ReaderEnd): void
}

/**
 * Starts a process that reads documents. It is a process and no thread because a thread that runs out of memory in one
 * allocation takes its process along. It is confined to our code and has no environment: no key, file, socket or process
 * is within reach of what a document might make of its reader.
 */
export function startReader(maxHeapMb: number, listener: ReaderListener): ReaderProcess {
  const child = fork(fileURLToPath(new URL('./reader.ts', import.meta.url)), {
    env: {},
    execArgv: confinement(maxHeapMb),
    serialization: 'advanced',
    // The library tells of oddities on the console, and might quote the document.
    stdio: ['pipe', 'ignore', 'ignore', 'ipc'],
  })
  let isOver = false
  function over(end: ReaderEnd): void {
    if (isOver) return
    isOver = true
    listener.ended(end)
  }
  child.on('message', (message) => {
    if (!isOver) listener.heard(message as ReaderMessage)
  })
  child.on('error', () => over('failed'))
  // A process that ended while it was written to says so by its end.
  child.stdin?.on('error', () => {})
  child.on('exit', (code, signal) => over(isExhausted(code, signal) ? 'exhausted' : 'failed'))
  return {
    async send(document, request) {
      // Through the pipe the document goes as it is, where a message would be a copy made at one go.
      child.send({ ...request, size: document.size } satisfies ReaderRequest, () => {})
      if (child.stdin !== null) await feed(document, child.stdin)
    },
    hold(isHeld) {
      hold(child, isHeld)
    },
    kill() {
      isOver = true
      hold(child, false)
      child.kill('SIGKILL')
    },
  }
}

/** Writes at the pace of the process; what nobody reads any more is written no further. */
async function feed(document: DocumentSource, pipe: Writable): Promise<void> {
  const over = new AbortController()
  const close = () => over.abort()
  pipe.once('close', close)
  try {
    for await (const chunk of document.read()) {
      if (!pipe.writable) return
      if (!pipe.write(chunk)) await once(pipe, 'drain', { signal: over.signal }).catch(() => {})
    }
  } finally {
    pipe.off('close', close)
  }
}

/** Options of Node by which a process may read what its modules are loaded from, our sources and packages, and no more. */
export function confinement(maxHeapMb: number): string[] {
  const sources = fileURLToPath(new URL('../', import.meta.url))
  const entry = fileURLToPath(import.meta.resolve('@libpdf/core'))
  const packages = entry.slice(0, entry.lastIndexOf('node_modules') + 'node_modules'.length)
  const readable = [`${sources}*`, `${packages}/*`, fileURLToPath(new URL('../../package.json', import.meta.url))]
  return [`--max-old-space-size=${maxHeapMb}`, '--permission', ...readable.map((path) => `--allow-fs-read=${path}`)]
}

/** V8 aborts when its heap is full. */
function isExhausted(code: number | null, signal: NodeJS.Signals | null): boolean {
  return signal === 'SIGABRT' || signal === 'SIGKILL' || code === 134
}

function hold(child: ChildProcess, isHeld: boolean): void {
  if (isHeld) {
    child.ref()
    child.channel?.ref()
  } else {
    child.unref()
    child.channel?.unref()
  }
}
