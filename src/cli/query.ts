import { loinc } from '../../contracts/affinity-domain/document-types.ts'
import { homeCommunityId } from '../core/model/identifiers.ts'
import type { FindDocuments } from '../core/model/stored-query.ts'
import { formatCx } from '../wire/hl7/cx.ts'
import { commandOf } from './arguments.ts'
import { ask } from './ask.ts'
import { assertionOf } from './assertion.ts'
import { CliError, exitCodes } from './exit.ts'
import { federationFile } from './federation.ts'
import { identityOf } from './parties.ts'
import { typedPatient } from './patient.ts'
import { asJson, asText } from './present.ts'
import { usage } from './usage.ts'

const options = {
  as: { type: 'string' },
  patient: { type: 'string' },
  role: { type: 'string', default: 'AAS' },
  purpose: { type: 'string' },
  action: { type: 'string', default: 'READ' },
  type: { type: 'string', multiple: true, default: [] as string[] },
  lifetime: { type: 'string', default: '300' },
  json: { type: 'boolean', default: false },
  identities: { type: 'string', default: process.env.CROCEVIA_IDENTITIES ?? 'identities' },
  federation: { type: 'string', default: '.crocevia/federation.json' },
} as const

/** `query` and `assertion`: speaks to the development federation as one of its parties. Throws CliError. */
export async function query(args: string[]): Promise<number> {
  const { values, positionals } = commandOf(args, options)
  const [command, ...rest] = positionals
  if (rest.length > 0 || (command !== 'query' && command !== 'assertion')) throw new CliError('usage', usage)
  if (values.as === undefined || values.patient === undefined)
    throw new CliError('usage', '--as and --patient are needed')
  const lifetimeSeconds = Number(values.lifetime)
  if (!/^-?\d{1,9}$/.test(values.lifetime)) throw new CliError('usage', '--lifetime must be a number of seconds')
  const identity = identityOf(values.as, values.identities)
  const patient = typedPatient(values.patient)
  const purpose = values.purpose ?? (['ASS', 'TUT', 'GEN', 'ING'].includes(values.role) ? 'PERSONAL' : 'TREATMENT')
  const wishes = { patient, role: values.role, purpose, action: values.action, types: values.type, lifetimeSeconds }
  const assertion = await assertionOf(identity, wishes)
  if (command === 'assertion') {
    process.stdout.write(`${assertion}\n`)
    return exitCodes.success
  }
  const federation = federationFile(values.federation)
  const question: FindDocuments = {
    type: 'FindDocuments',
    patientId: patient,
    status: ['approved'],
    filter: values.type.length === 0 ? {} : { typeCodes: values.type.map((code) => ({ code, scheme: loinc })) },
    extra: [],
  }
  const reply = await ask(identity, federation.gateway, question, assertion)
  const homes = new Map(federation.communities.map(({ name, home }) => [name, homeCommunityId(home)]))
  const text = values.json ? JSON.stringify(asJson(formatCx(patient), reply, homes), undefined, 2) : asText(reply)
  process.stdout.write(`${text}\n`)
  return exitCodes[reply.outcome]
}
