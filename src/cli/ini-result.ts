import type { DocumentEntry } from '../core/model/metadata.ts'
import type { Exit } from './exit.ts'
import { type ToldExchange, toldExchange } from './ini-exchange.ts'
import type { Recorded } from './recording.ts'

/** What came of an operation that was answered. */
export interface Result {
  /** How it ended, where that is not a success. */
  readonly exit?: Extract<Exit, 'partial-success' | 'failure'>
  /** In one line. */
  readonly said: string
  /** What was found, one line each. */
  readonly listed?: readonly string[]
  /** The same for machines. */
  readonly found?: unknown
}

/** INI has nothing to do with patients of ours. */
export const ours: Result = { said: 'INI leaves it to us: we assist the patient, and our own registry has the answer' }

/** Whether INI said that we assist the patient. */
export function isOurs(recorded: readonly Recorded[]): boolean {
  return told(recorded).some(({ codes }) => codes.some(({ code }) => leavesToUs.has(code)))
}

function told(recorded: readonly Recorded[]): readonly ToldExchange[] {
  return recorded.map((one) => toldExchange(one, { show: false }))
}

const leavesToUs = new Set(['R220', 'QND2'])

/** What came of a change that the adapter takes as made, by what went over the wire. */
export function changeTold(recorded: readonly Recorded[], entries: readonly DocumentEntry[]): Result {
  if (isOurs(recorded)) return ours
  if (told(recorded).at(-1)?.claims?.action === 'READ') {
    return { said: 'no change was sent: INI has nothing of it, or has it so already' }
  }
  return { said: 'done', listed: entries.map(({ uniqueId }) => uniqueId), found: entries.map(summaryOf) }
}

/** Documents as they are told of. */
export function documentsTold(entries: readonly DocumentEntry[]): Result {
  return {
    said: counted(entries.length, 'document'),
    listed: entries.map(lineOf),
    found: entries.map(summaryOf),
  }
}

/** `1 document`, `2 documents`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

function summaryOf({ uniqueId, repositoryUniqueId, entryUuid, home, status, version, typeCode, title }: DocumentEntry) {
  return {
    ...{ uniqueId, repositoryUniqueId, entryUuid, home, status, version },
    ...{ type: typeCode?.code, title: title[0]?.value },
  }
}

function lineOf(entry: DocumentEntry): string {
  const { uniqueId, repositoryUniqueId = '', status = '', type = '', title = '' } = summaryOf(entry)
  return [uniqueId, repositoryUniqueId, status, type, title].join('  ').trimEnd()
}
