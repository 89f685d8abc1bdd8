import { exitCodes } from './exit.ts'
import { doings, retries } from './explain.ts'
import type { IniOutcome } from './ini.ts'
import type { Claimed, Code, ToldExchange } from './ini-exchange.ts'
import { printable } from './journal-text.ts'

type Row = readonly [string, string]

/** Everything that went by and how it ended, for people. */
export function outcomeAsText(exchanges: readonly ToldExchange[], { status, said, listed, ms, ...rest }: IniOutcome) {
  const dropped = rest.dropped === 0 ? [] : [`${rest.dropped} objects left out: their metadata cannot be read`]
  const ending = [
    `${status}: ${printable(said)}, ${ms} ms`,
    ...[...dropped, ...(listed ?? [])].map((line) => `  ${printable(line)}`),
  ]
  return [...exchanges.map(exchangeAsText), ending.join('\n')].join('\n\n')
}

function exchangeAsText({ url, action, messageId, claims, http, status, codes, ms, ...bodies }: ToldExchange): string {
  const answered = http === undefined ? `not at all, ${ms} ms` : `${status}, HTTP ${http}, ${ms} ms`
  const rows: Row[] = [
    ['action', action ?? 'none'],
    ['message', messageId ?? 'without an id'],
    ['claims', claims === undefined ? 'none: no assertion goes along' : claimsAsText(claims)],
    ['answered', answered],
    ...codes.flatMap(codeRows),
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  const block = [url, ...rows.map(([name, text]) => `  ${name.padEnd(width)}  ${printable(text)}`.trimEnd())]
  for (const part of ['request', 'answer'] as const) {
    const shown = bodies[part]
    if (shown === undefined) continue
    block.push(
      '',
      `${part}:`,
      ...Object.entries(shown.headers).map(([name, value]) => printable(`${name}: ${value}`)),
      '',
      ...shown.body.split('\n').map(printable),
    )
  }
  return block.join('\n')
}

/** In one line: for whom it is asked, as what and what for, by whom, about whom. */
function claimsAsText(claims: Claimed): string {
  const { organization, organizationName, role, purpose, action, subject, patient, transfer } = claims
  const said = [
    `${organizationName ?? ''} (${organization ?? 'no organization'})`.trim(),
    [role, purpose, action].map((one) => one ?? '-').join(', '),
    ...(subject === undefined ? [] : [`by ${subject}`]),
    ...(patient === undefined ? [] : [`about ${patient}`]),
    ...(transfer === undefined ? [] : [`transfer ${transfer}`]),
  ]
  return said.join('; ')
}

function codeRows({ severity, code, text, location, explanation }: Code): Row[] {
  const told: Row = [severity, `${code}: ${text}${location === undefined ? '' : ` [${location}]`}`]
  if (explanation === undefined) return [told, ['', 'no source explains it: ask whoever answered so']]
  const { meaning, next, retry, whose, source } = explanation
  return [
    told,
    ['', meaning],
    ['', `What to do: ${next}`],
    ['', `Whose doing: ${doings[whose]}. Try again: ${retries[retry]} (${source})`],
  ]
}

/** The same for machines. */
export function outcomeAsJson(exchanges: readonly ToldExchange[], outcome: IniOutcome): string {
  const { listed: _, ...told } = outcome
  return JSON.stringify({ exchanges, ...told, exitCode: exitCodes[outcome.status] }, undefined, 2)
}
