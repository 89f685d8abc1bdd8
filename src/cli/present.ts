import { typeCodes } from '../../contracts/affinity-domain/document-types.ts'
import { organizationOf, organizations } from '../../contracts/affinity-domain/organizations.ts'
import { type HomeCommunityId, homeCommunityId } from '../core/model/identifiers.ts'
import type { DocumentEntry } from '../core/model/metadata.ts'
import { sourceSlot } from '../http/soap/stored-query.ts'
import type { Reply } from './ask.ts'

/** Homes that told of an entry, the one whose word counts first. */
export function sourcesOf(entry: DocumentEntry): readonly string[] {
  const told = entry.extra?.slots?.find(({ name }) => name === sourceSlot)?.values
  return told ?? (entry.home === undefined ? [] : [entry.home])
}

/** The name of a community, for people. */
export function communityName(home: string): string {
  const code = organizationOf(homeCommunityId(home))
  return (code === undefined ? undefined : organizations[code]) ?? home
}

/** The stable JSON of an answer. */
export function asJson(patient: string, reply: Reply, homes: ReadonlyMap<string, HomeCommunityId>) {
  return {
    patient,
    asked: reply.asked.map(({ name, ms, outcome }) => ({ home: homes.get(name), name, outcome, ms })),
    failures: reply.issues
      .filter(({ severity }) => severity === 'error')
      .map(({ location, code, text }) => ({ home: location, code, message: text })),
    warnings: reply.issues
      .filter(({ severity }) => severity === 'warning')
      .map(({ location, code, text }) => ({ home: location, code, message: text })),
    entries: reply.entries.map((entry) => ({
      uniqueId: entry.uniqueId,
      repositoryUniqueId: entry.repositoryUniqueId,
      home: entry.home,
      entryUuid: entry.entryUuid,
      status: entry.status,
      version: entry.version,
      typeCode: entry.typeCode?.code,
      type: entry.typeCode && (typeCodes[entry.typeCode.code] ?? entry.typeCode.display),
      title: entry.title[0]?.value,
      creationTime: entry.creationTime,
      mimeType: entry.mimeType,
      hash: entry.hash,
      size: entry.size,
      sources: sourcesOf(entry),
    })),
  }
}

/** The answer as a table for people. */
export function asText(reply: Reply): string {
  const lines: string[] = []
  if (reply.asked.length > 0) {
    lines.push('Asked')
    for (const { name, ms, outcome } of reply.asked)
      lines.push(`  ${name.padEnd(12)} ${outcome.padEnd(9)} ${String(ms).padStart(6)} ms`)
    lines.push('')
  }
  const failures = reply.issues.filter(({ severity }) => severity === 'error')
  if (failures.length > 0) {
    lines.push('Missing')
    for (const { location, code, text } of failures) {
      lines.push(`  ${location?.startsWith('urn:oid:') ? communityName(location) : (location ?? '')}: ${code}: ${text}`)
    }
    lines.push('')
  }
  lines.push(...tableOf(reply.entries), '')
  const warnings = reply.issues.filter(({ severity }) => severity === 'warning')
  for (const { code, text } of warnings) lines.push(`Note: ${text} (${code})`)
  lines.push(`${reply.entries.length} documents, ${reply.outcome}, ${Math.round(reply.durationMs)} ms`)
  return lines.join('\n')
}

function tableOf(entries: readonly DocumentEntry[]): string[] {
  if (entries.length === 0) return ['No documents.']
  const rows = entries.map((entry) => [
    day(entry.creationTime),
    (entry.typeCode && (typeCodes[entry.typeCode.code] ?? entry.typeCode.display)) ?? '',
    entry.status === 'approved' ? '' : (entry.status ?? ''),
    entry.uniqueId.split('^').at(-1) ?? entry.uniqueId,
    sourcesOf(entry).map(communityName).join(', '),
  ])
  const head = ['Date', 'Type', '', 'Document', 'Told by']
  const widths = head.map((title, column) =>
    Math.min(48, Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length))),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        column === cells.length - 1 ? cell : cell.slice(0, widths[column]).padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd()
  return [line(head), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)]
}

function day(time: string | undefined): string {
  return time === undefined
    ? ''
    : [time.slice(0, 4), time.slice(4, 6), time.slice(6, 8)].filter((part) => part !== '').join('-')
}
