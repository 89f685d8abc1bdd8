import type { AdapterTools, Operations } from '../../src/config/adapter.ts'
import { lookUp } from './look-up.ts'
import { type OperationClaims, operations } from './operations.ts'
import type { IniOptions } from './options.ts'

/** Operations one by one, with what each claims by itself as the options have it. */
export function singleOperations(options: IniOptions, tools: Pick<AdapterTools, 'ask'>): Operations {
  return {
    lookUp: lookUp(options, tools),
    claims(operation) {
      if (consentServices.has(operation)) {
        return options.consentsPurpose === 'caller' ? {} : { purposes: [options.consentsPurpose] }
      }
      const own: Partial<OperationClaims> = isKnown(operation) ? operations[operation].claims : {}
      const { role = roleFor(operation, options), purposes } = own
      return { ...(role === undefined ? {} : { role }), ...(purposes === undefined ? {} : { purposes }) }
    },
  }
}

/** Whose purpose an option decides; the address of the last is one too. */
const consentServices: ReadonlySet<string> = new Set(['consentQuery', 'consentRegister', 'organDonation', 'disclosure'])

type Judged = Exclude<keyof typeof operations, 'consentQuery' | 'consentRegister' | 'organDonation'>

function isKnown(operation: string): operation is Judged {
  return Object.hasOwn(operations, operation) && !consentServices.has(operation)
}

function roleFor(operation: string, { lookUpRole }: IniOptions): string | undefined {
  const looksUp = operation === 'references' || operation === 'metadata'
  return looksUp && lookUpRole !== 'author' ? lookUpRole : undefined
}
