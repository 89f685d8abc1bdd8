import type { Explanation } from '../../contracts/explanations/explanation.ts'
import { explanations, explanationsOf } from '../../contracts/explanations/explanation-of.ts'
import { commandOf } from './arguments.ts'
import { CliError, exitCodes } from './exit.ts'
import { usage } from './usage.ts'

const options = { text: { type: 'string' }, json: { type: 'boolean', default: false } } as const

/** `explain <code>`: what a code of another system means; without one, a list of all. Throws CliError. */
export async function explain(args: readonly string[]): Promise<number> {
  const { values, positionals } = commandOf(args, options)
  const [code, ...rest] = positionals
  if (rest.length > 0) throw new CliError('usage', usage)
  const found = code === undefined ? explanations : explanationsOf(code, values.text)
  if (found.length === 0) throw new CliError('failure', `no source explains ${code}: ask whoever answered so`)
  const text = values.json ? JSON.stringify(found, undefined, 2) : code === undefined ? listed(found) : told(found)
  await new Promise<void>((resolve) => process.stdout.write(`${text}\n`, () => resolve()))
  return exitCodes.success
}

const systems: Readonly<Record<Explanation['system'], string>> = {
  ini: 'INI and regions of assistance',
  ihe: 'Registries and repositories (IHE XDS, XCA)',
  'fse-gateway': 'National FSE 2.0 gateway',
  'sistema-ts': 'Sistema TS',
  pdnd: 'PDND',
}

/** Whose doing something is. */
export const doings: Readonly<Record<Explanation['whose'], string>> = {
  caller: 'of who asks or publishes',
  ours: 'ours',
  ini: 'INI’s',
  region: 'the other region’s',
  'fse-gateway': 'the national gateway’s',
  'sistema-ts': 'Sistema TS’s',
  pdnd: 'PDND’s',
  patient: 'the patient’s own choice or situation',
  unknown: 'nobody’s, or the code does not say',
}

/** Whether to try again. */
export const retries: Readonly<Record<Explanation['retry'], string>> = {
  never: 'no: it would end the same',
  automatic: 'the gateway does by itself',
  'after-mending': 'by hand, once the cause is mended',
}

/** Codes with one line each, by system. */
function listed(found: readonly Explanation[]): string {
  const blocks = [...Map.groupBy(found, ({ system }) => system)].map(([system, some]) => {
    const width = Math.min(32, Math.max(...some.map(({ code }) => code.length)))
    return [systems[system], ...some.map(({ code, meaning }) => `  ${code.padEnd(width)}  ${meaning}`)].join('\n')
  })
  return blocks.join('\n\n')
}

/** Whole explanations, one below the other. */
function told(found: readonly Explanation[]): string {
  return found
    .map((one) =>
      [
        `${one.code}  ${one.title === one.code ? '' : one.title}`.trimEnd(),
        `  System         ${systems[one.system]}`,
        `  Meaning        ${one.meaning}`,
        `  Whose doing    ${doings[one.whose]}`,
        `  What to do     ${one.next}`,
        `  Try again      ${retries[one.retry]}`,
        `  Users are told ${one.consequence}`,
        `                 ${one.consequenceIt}`,
        `  Source         ${one.source}`,
      ].join('\n'),
    )
    .join('\n\n')
}
