import { createHash } from 'node:crypto'
import type { PatientId } from '../core/model/patient.ts'
import type { StoredQuery } from '../core/model/stored-query.ts'

/** The same text for equal values: keys sorted at every depth, absent and undefined members alike left out. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (member === null || typeof member !== 'object' || Array.isArray(member)) return member
    // A map without a prototype, so that a member called `__proto__` stays a member.
    const sorted: Record<string, unknown> = Object.create(null)
    for (const [key, inner] of Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))) sorted[key] = inner
    return sorted
  })
}

/** Names one question of one partition, and tells nothing of either. */
export function questionKey(partition: string, query: StoredQuery): string {
  return digest([partition, query])
}

/** Names one patient identifier without telling it. */
export function patientKey({ value, authority }: PatientId): string {
  return digest([authority, value])
}

function digest(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('base64url')
}
