import type { ShownDocument, TransferState } from '../http/operator/transfers.ts'
import { formatCx } from '../wire/hl7/cx.ts'
import { commandOf, needed } from './arguments.ts'
import { CliError, exitCodes } from './exit.ts'
import { printable } from './journal-text.ts'
import { currentUser, operatorPort } from './operator-port.ts'
import { typedPatient } from './patient.ts'
import { usage } from './usage.ts'

const options = {
  config: { type: 'string' },
  url: { type: 'string' },
  patient: { type: 'string' },
  operator: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const

/** `transfer-in start|show`: moves the index of somebody who is assisted by us now to our record. Throws CliError. */
export async function transferIn(args: readonly string[]): Promise<number> {
  const { values, positionals } = commandOf(args, options)
  const [verb, id, ...rest] = positionals
  const { url, config = process.env.FEDERATION_FILE, operator = currentUser() } = values
  const port = operatorPort({ ...(url === undefined ? {} : { url }), ...(config === undefined ? {} : { config }) })
  if (verb === 'start' && id === undefined) {
    const patient = formatCx(typedPatient(needed('patient', values.patient)))
    const begun = await port.post<{ readonly id: string }>('/transfers', operator, { patient })
    return await written(
      values.json ? JSON.stringify(begun) : `${begun.id}\nFollow it: crocevia transfer-in show ${begun.id}`,
    )
  }
  if (verb !== 'show' || id === undefined || rest.length > 0) throw new CliError('usage', usage)
  const state = await port.get<TransferState>(`/transfers/${encodeURIComponent(id)}`, operator)
  return await written(values.json ? JSON.stringify(state, undefined, 2) : linesOf(state))
}

async function written(text: string): Promise<number> {
  await new Promise<void>((resolve) => process.stdout.write(`${text}\n`, () => resolve()))
  return exitCodes.success
}

/** A transfer for people; what is missing by its names, and what to do about it. */
export function linesOf(transfer: TransferState): string {
  const { step, reason, explanations = [], missing, left, faults } = transfer
  const facts = [
    ['Transfer', transfer.id],
    ['State', transfer.state],
    ...(transfer.startedAt === undefined ? [] : [['Started', transfer.startedAt]]),
    ['Listed', `${transfer.listed}`],
    ['Read', `${transfer.read}`],
    ['Kept', `${transfer.kept}, ${transfer.delivered} with our record`],
    ['Had', `${transfer.had}`],
    ['Missing', `${missing.length}`],
    ['Left there', `${left.length}`],
    ['Removed', `${transfer.removed}`],
    ...(step === undefined ? [] : [['Step', `${step.id}, ${step.state}, attempt ${step.attempts}`]]),
  ]
  const stopped =
    step?.state === 'dead' ? [`Mend the cause, then: crocevia deliveries retry ${step.id} --operator NAME`] : []
  return [
    ...facts.map(([name = '', value = '']) => `${name.padEnd(10)}  ${printable(value)}`),
    ...section('Missing', missing.map(named)),
    ...section('Left there', left.map(named)),
    ...section(
      'Faults of metadata',
      faults.map((fault) => `${named(fault)}: ${fault.code} ${fault.text}`),
    ),
    ...section('Reason', reason === undefined ? [] : reason.split('\n')),
    ...section('What to do', [
      ...explanations.flatMap(({ code, meaning, next }) => [`${code}: ${meaning}`, next]),
      ...stopped,
    ]),
  ].join('\n')
}

function named({ id, document = 'of unknown name', repository, reason }: ShownDocument): string {
  const place = repository === undefined ? '' : ` in ${repository}`
  return `${document}${place} (${id})${reason === undefined ? '' : `: ${reason}`}`
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${printable(line)}`)]
}
