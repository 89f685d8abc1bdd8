import type { Explanation, System } from './explanation.ts'
import { fseGateway } from './fse-gateway.ts'
import { iniClient } from './fse-gateway-ini-client.ts'
import { iheImaging, iheReading } from './ihe-reading.ts'
import { iheWriting } from './ihe-writing.ts'
import { iniAccess } from './ini-access.ts'
import { iniRegistry } from './ini-registry.ts'
import { iniServices } from './ini-services.ts'
import { pdnd } from './pdnd.ts'
import { sistemaTs } from './sistema-ts.ts'

/** Every explanation, by system. */
export const explanations: readonly Explanation[] = [
  ...[...iniAccess, ...iniRegistry, ...iniServices],
  ...[...iheReading, ...iheWriting, ...iheImaging],
  ...[...fseGateway, ...iniClient, ...sistemaTs, ...pdnd],
]

const byCode = Map.groupBy(explanations, ({ code }) => code)

/** Codes no source lists, by what they look like; a code is short, so that nothing longer is taken for one. */
const families: readonly (readonly [RegExp, string])[] = [
  [/^R\d{1,4}$/, 'R<n>'],
  [/^P[A-Z]{2}\d{1,4}$/, 'P<xx><n>'],
  [/^\d{4}$/, '<4 digits>'],
]

/** What peers say without a code of its own, or with one that says nothing. */
const texts: readonly (readonly [RegExp, string])[] = [
  [/^missing upload consent\b/i, 'Missing upload consent'],
  [/^missing consultation consent\b/i, 'PFA11'],
  [/^internal error init service\b/i, 'Internal Error init service'],
  [/^internal error \d{1,4}\b/i, 'Internal Error <n>'],
  [/^unavailable \$XDSDocumentUniqueId/i, 'Unavailable $XDSDocumentUniqueId'],
  [/^RPDA non individuata\b/i, 'RPDA non individuata per servizio trasferimento indice'],
  [/^rejected by policy\b/i, 'Rejected by policy'],
  [/^errore generico di autenticazione\b/i, 'Errore generico di autenticazione'],
]

/** Of these the text beside them says more. */
const vague: ReadonlySet<string> = new Set(['XDSRegistryError', 'XDSRepositoryError'])

/**
 * The explanations of a code, by what was said beside it where the code alone says little; of several systems that use the
 * same code, or of one. Addresses of problem types may be whole. None where nothing is known.
 */
export function explanationsOf(code: string, text = '', system?: System): readonly Explanation[] {
  const trimmed = code.trim()
  const known = byCode.get(trimmed) ?? byCode.get(wordOf(trimmed)) ?? []
  const said = known.length === 0 || vague.has(trimmed) ? bySaying(text.trim()) : []
  const found = [said, known, known.length === 0 ? bySaying(trimmed) : [], byFamily(trimmed)]
    .map((some) => some.filter((one) => system === undefined || one.system === system))
    .find((some) => some.length > 0)
  return found ?? []
}

/** The first explanation of a code: of INI before those of registries, and these before those of others. */
export function explanationOf(code: string, text?: string, system?: System): Explanation | undefined {
  return explanationsOf(code, text, system)[0]
}

/** `TokenAuthenticationFailed` of `https://govway.org/handling-errors/401/TokenAuthenticationFailed.html`. */
function wordOf(code: string): string {
  return /^https:\/\/govway\.org\/.*\/(\w{1,64})\.html$/.exec(code)?.[1] ?? code
}

function bySaying(text: string): readonly Explanation[] {
  return first(texts, text)
}

function byFamily(code: string): readonly Explanation[] {
  return first(families, code)
}

function first(table: readonly (readonly [RegExp, string])[], text: string): readonly Explanation[] {
  const name = table.find(([pattern]) => pattern.test(text))?.[1]
  return name === undefined ? [] : (byCode.get(name) ?? [])
}
