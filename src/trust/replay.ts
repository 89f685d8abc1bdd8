import { createHash } from 'node:crypto'
import type { ReplayMemory, Use } from '../core/ports.ts'
import { refused } from './refusal.ts'

/** The key of something that may be used once, in a scope of its own: nothing personal is kept. */
export function useKey(kind: 'message' | 'assertion' | 'token', scope: string, id: string): string {
  return createHash('sha256').update(`${kind}\u0000${scope}\u0000${id}`).digest('hex')
}

/** Remembers uses before anything is done on their strength. Throws Refusal when one was taken already. */
export async function requireNew(memory: ReplayMemory, uses: readonly Use[]): Promise<void> {
  if (uses.length === 0) return
  const taken = await memory.remember(uses)
  if (taken === undefined) return
  throw refused('replay', taken.presenter === undefined ? 'used-before' : 'used-by-another-presenter')
}
