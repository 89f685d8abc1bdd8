import { existsSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { loinc } from '../../contracts/affinity-domain/document-types.ts'
import { homeCommunityId } from '../core/model/identifiers.ts'
import type { FindDocuments } from '../core/model/stored-query.ts'
import { formatCx } from '../wire/hl7/cx.ts'
import { ask } from './ask.ts'
import { assertionOf } from './assertion.ts'
import { CliError, exitCodes } from './exit.ts'
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
  const { values, positionals } = parsed(args)
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

function parsed(args: string[]) {
  try {
    return parseArgs({ args, options, allowPositionals: true })
  } catch (error) {
    throw new CliError('usage', `${error instanceof Error ? error.message : 'bad arguments'}\n\n${usage}`)
  }
}

interface FederationFile {
  readonly gateway: { readonly iti18: string; readonly iti38: string }
  readonly communities: readonly { readonly name: string; readonly home: string }[]
}

function federationFile(path: string): FederationFile {
  if (!existsSync(path))
    throw new CliError(
      'unreachable',
      `no federation is running (${path} is missing); start one with: npm run federation`,
    )
  try {
    const file = JSON.parse(readFileSync(path, 'utf8')) as Partial<FederationFile>
    if (file.gateway !== undefined && file.communities !== undefined) return file as FederationFile
  } catch {
    // Half written, or no such file at all: told as the same.
  }
  throw new CliError('unreachable', `${path} does not describe a federation; start one with: npm run federation`)
}
