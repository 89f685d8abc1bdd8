import type { Inspected, ListedDelivery, ListedPush } from '../http/operator/views.ts'

/** Rows and details as the operator port tells them. */
export type PushRow = ListedPush
export type DeliveryRow = ListedDelivery
export type Details = Inspected

/** Pushes as a table for people. */
export function pushLines(pushes: readonly PushRow[]): string {
  if (pushes.length === 0) return 'No pushes.'
  return table(
    ['Received', 'Transaction', 'State', 'Documents', 'Id'],
    pushes.map(({ receivedAt, transaction, state, documents, id }) => {
      return [minute(receivedAt), transaction, state, `${documents}`, id]
    }),
  )
}

/** Deliveries as a table for people. */
export function deliveryLines(deliveries: readonly DeliveryRow[]): string {
  if (deliveries.length === 0) return 'No deliveries.'
  return table(
    ['Put', 'Kind', 'State', 'Attempts', 'Next attempt', 'Id'],
    deliveries.map(({ putAt, kind, state, attempts, nextAttemptAt = '', id }) => {
      return [minute(putAt), kind, state, `${attempts}`, minute(nextAttemptAt), id]
    }),
  )
}

/** One push or delivery for people; its content as JSON. */
export function detailLines(details: Details): string {
  const { documents, removes = [], reason, explanations = [], content, ...known } = details
  const width = Math.max(...labels.map(([, label]) => label.length))
  const facts = labels.flatMap(([name, label]) => {
    const value = known[name]
    return value === undefined ? [] : [`${label.padEnd(width)}  ${printable(`${value}`)}`]
  })
  const named = documents.map(({ document, repository, home }) =>
    [
      document,
      ...(repository === undefined ? [] : ['in', repository]),
      ...(home === undefined ? [] : ['of', home]),
    ].join(' '),
  )
  return [
    ...facts,
    ...section('Documents', [...named, ...removes.map((id) => `${id} (to be removed)`)]),
    ...section('Reason', reason === undefined ? [] : reason.split('\n')),
    ...section(
      'What it means',
      explanations.flatMap(({ code, meaning, next }) => [`${code}: ${meaning}`, `What to do: ${next}`]),
    ),
    ...section('Content', content === undefined ? [] : JSON.stringify(content, undefined, 2).split('\n')),
  ].join('\n')
}

const labels = [
  ['id', 'Id'],
  ['transaction', 'Transaction'],
  ['kind', 'Kind'],
  ['state', 'State'],
  ['receivedAt', 'Received'],
  ['putAt', 'Put'],
  ['attempts', 'Attempts'],
  ['nextAttemptAt', 'Next attempt'],
  ['settledAt', 'Done with'],
  ['correlationId', 'Correlation id'],
  ['digest', 'Digest'],
] as const satisfies readonly (readonly [keyof Details, string])[]

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${printable(line)}`)]
}

/** Columns for people; others’ words say nothing to a terminal. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => printable(cell).padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return [line(head), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)].join('\n')
}

function minute(instant: string): string {
  return instant.slice(0, 16).replace('T', ' ')
}

/** Others' words, which could say something to a terminal, with what does so made visible. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
