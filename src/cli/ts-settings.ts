import type { OperationNames } from '../wire/sistema-ts/operation.ts'
import { CliError } from './exit.ts'
import { typedPatient } from './patient.ts'
import type { TsEndpoint } from './ts-endpoint.ts'

/** What the command line says of an operation. */
export interface TsValues {
  readonly patient?: string | undefined
  readonly nre?: string | undefined
  readonly doctor?: string | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly token?: string | undefined
  readonly url?: string | undefined
}

/** The options of the community, which are the adapter's to check. */
export function settingsOf({ entry }: Pick<TsEndpoint, 'entry'>) {
  return { options: entry.options, list: textAt(entry.options, 'list') }
}

/** In clear only where the configuration says so, as the adapter has it. */
export function citizenCode({ entry, tools }: TsEndpoint, typed: string) {
  const { value } = typedPatient(typed)
  return textAt(entry.options, 'citizenCode') === 'clear' ? value : tools.encrypt(value)
}

/** In whose name dispensers' operations are asked. Throws CliError. */
export function dispenserOf(options: unknown) {
  const operator = textAt(options, 'dispenser', 'operator')
  return {
    codiceRegioneErogatore: configured('dispenser.region', textAt(options, 'dispenser', 'region')),
    codiceAslErogatore: configured('dispenser.localAuthority', textAt(options, 'dispenser', 'localAuthority')),
    codiceSsaErogatore: configured('dispenser.facility', textAt(options, 'dispenser', 'facility')),
    ...(operator === undefined ? {} : { pwd: operator }),
  }
}

/** Where a national service stands: at the address that is given, or under the configured host. Throws CliError. */
export function nationalPlace({ path = '', name }: OperationNames, { entry }: TsEndpoint, { url }: TsValues) {
  if (url !== undefined) return { url }
  const host = textAt(entry.options, 'host')
  if (host === undefined) throw new CliError('usage', `--url, or the option host, is needed for ${name}`)
  return { url: new URL(path, host).href }
}

/** Where a service stands that has an address of its own. Throws CliError. */
export function placeOf(
  { name }: OperationNames,
  configuredUrl: string | undefined,
  values: TsValues,
  { action, namespace }: { readonly action: string | undefined; readonly namespace: string | undefined },
) {
  const url = values.url ?? configuredUrl
  if (url === undefined) throw new CliError('usage', `--url is needed for ${name}: the configuration has no address`)
  return { url, ...(action === undefined ? {} : { action }), ...(namespace === undefined ? {} : { namespace }) }
}

function configured(name: string, text: string | undefined): string {
  if (text === undefined) throw new CliError('usage', `the community has no option ${name}`)
  return text
}

/** A text of the options, which are the adapter's to check. */
export function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = path.reduce<unknown>((at, name) => {
    return typeof at === 'object' && at !== null && Object.hasOwn(at, name)
      ? (at as Record<string, unknown>)[name]
      : undefined
  }, value)
  return typeof found === 'string' ? found : undefined
}
