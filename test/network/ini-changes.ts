import { randomUUID } from 'node:crypto'
import { identificationAssertion } from './assertion.ts'
import type { Setting } from './behaviour.ts'
import { readClaims, type SignedAssertion, type Trust } from './check-assertion.ts'
import { type Citizen, citizenOf } from './citizens.ts'
import { type RegistryIssue, rs } from './ebrim.ts'
import { readCx } from './entry.ts'
import { SoapFault, securityFault, soap12 } from './faults.ts'
import { type IndexTransfers, requireTransfer } from './ini-transfers.ts'
import { admit, onceOnly, soapExchange } from './registry-face.ts'
import type { Face } from './server.ts'
import { actionIn, type Message } from './soap.ts'
import { type Identity, postSoap } from './soap-client.ts'
import { RegistryProblem } from './stored-query.ts'
import { nationalDelete, registerDocumentSet, registryResponse, updateDocumentSet } from './submission.ts'
import { applyChange, type Change, checkRole, mayChange } from './submission-face.ts'
import type { WritableRegistry } from './writable-registry.ts'
import { children, cutOut, isNamed, only, parseXml, serialize } from './xml.ts'

/** Where INI is told of changes, and for whom (ini.md §1.2, rows 1, 5, 6, 7). */
const doors = {
  register: { path: '/FSEInteroperabilitaWeb/DocumentRegistry_Service', change: 'register' },
  update: { path: '/FSEMetadataUpdateWeb/DocumentRegistry_Service', change: 'update' },
  delete: { path: '/FSEDeleteWeb/XDSDeletetWSService', change: 'delete' },
  indexTransferDelete: { path: '/FSERegistryIndexTransferWeb/XDSDeletetWSService', change: 'delete' },
} as const satisfies Record<string, { readonly path: string; readonly change: Change }>

const actionsOf: Readonly<Record<Change, string>> = {
  register: registerDocumentSet,
  update: updateDocumentSet,
  delete: nationalDelete,
}
const names = { register: 'ITI-42', update: 'ITI-57', delete: 'ITI-62' } as const

/** Actions by which a change is asked for: at an address that is for something else they meet nobody. */
export const changeActions: ReadonlySet<string> = new Set(Object.values(actionsOf))

export const changePaths = {
  register: doors.register.path,
  update: doors.update.path,
  delete: doors.delete.path,
  indexTransferDelete: doors.indexTransferDelete.path,
}

export interface IniChanges {
  readonly admits: (commonName: string) => boolean
  readonly trust: Trust
  readonly identity: Identity
  readonly now: () => number
  readonly contentType: string
  /** The envelope around an answer. */
  readonly reply: (message: Message, body: string) => string
  /** The index of those whom no region assists. */
  readonly temporary: WritableRegistry
  /** Where the regions of assistance are told, by their code. */
  readonly regions: Readonly<Record<string, Readonly<Record<Change, string>>>>
  readonly timeoutMs: number
  /** Where the index of somebody is who has moved. */
  readonly transfers: Pick<IndexTransfers, 'formerOf'>
  /** What the region of assistance itself is told. */
  readonly selfAnswer: { readonly code: string; readonly status: 'Failure' | 'Success' }
}

/** INI taking changes (ITI-42, ITI-57, ITI-62): each at its own address, and there nothing else. */
export function iniChangeFaces(parts: IniChanges): readonly Face[] {
  return (Object.keys(doors) as (keyof typeof doors)[]).map((name) => changeFace(name, parts))
}

function changeFace(name: keyof typeof doors, parts: IniChanges): Face {
  const { path, change } = doors[name]
  const { trust, contentType, reply } = parts
  const accept = onceOnly()
  const action = actionsOf[change]
  return {
    name,
    contentType,
    // The search stands at the same address as the registration.
    serves: (served, request) => served === path && (change !== 'register' || isChange(actionIn(request))),
    admits: parts.admits,
    respond: (request, behaviour, asked, setting = { behave: behaviour }) =>
      soapExchange(
        request,
        asked,
        'ini',
        async () => {
          if (behaviour === 'fault') throw new SoapFault('Receiver', 'Internal Server Error')
          // ITI-57 at the address of ITI-42 was answered so (#1713).
          if (actionIn(request) !== action) throw new SoapFault('Receiver', 'Internal Server Error')
          const admitted = admit(request, { addressing: 'minimal', path, actions: [action] }, trust, accept, asked)
          const { message, claimed, assertions } = admitted
          asked.query = names[change]
          const moves = name === 'indexTransferDelete'
          if (!mayChange(change, claimed.role, claimed.purpose)) throw noRights()
          if (moves !== (claimed.purpose === 'SYSADMIN') || (moves && claimed.role !== 'NOR')) throw noRights()
          checkRole(change, claimed)
          const [assertion] = assertions
          if (assertion === undefined) throw noRights()
          if (moves) requireTransfer(assertion)
          const told = await answerTo({ change, message, assertion, moves }, setting, parts)
          if (told.includes('ResponseStatusType:Failure')) asked.outcome = 'refused'
          return reply(message, told)
        },
        contentType,
      ),
  }
}

function isChange(action: string | undefined): boolean {
  return action !== undefined && changeActions.has(action)
}

function noRights(): SoapFault {
  return securityFault('FailedAuthentication', 'This role has not the rights to access the service', 'PFA14')
}

interface Telling {
  readonly change: Change
  readonly message: Message
  readonly assertion: SignedAssertion
  /** Whether it belongs to the transfer of an index. */
  readonly moves: boolean
}

const unheard: RegistryIssue = {
  code: 'CRF1',
  text: 'It is not possible to communicate with the RDA.',
  severity: 'Error',
}

async function answerTo(telling: Telling, { behave, issues }: Setting, parts: IniChanges): Promise<string> {
  if (behave === 'refuse') {
    if (issues === undefined) throw new SoapFault('Receiver', 'Missing upload consent')
    return registryResponse(
      'Failure',
      issues.map((issue): RegistryIssue => ({ severity: 'Error', ...issue })),
    )
  }
  const made = await done(telling, parts)
  return behave === 'unheard' ? registryResponse('Failure', [unheard]) : made
}

/** To the region itself: yours. Without a region: the temporary index. Else: what the region of assistance says. */
async function done({ change, message, assertion, moves }: Telling, parts: IniChanges): Promise<string> {
  const claimed = readClaims(assertion)
  const patient = readCx(claimed.patient)
  const known = patient && citizenOf(patient)
  const citizen = moves ? formerOf(known, assertion, parts) : known
  if (typeof citizen === 'string') return citizen
  if (citizen?.assistedBy === assertion.issuer) {
    const { code, status } = parts.selfAnswer
    return registryResponse(status, [{ code, text: 'The requestor is RDA for the patient', severity: 'Warning' }])
  }
  if (citizen !== undefined && citizen.assistedBy !== 'none') {
    return forward({ change, message, assertion, moves }, citizen, parts)
  }
  try {
    parts.temporary.together(() => applyChange(change, parts.temporary, message, claimed))
    return registryResponse('Success')
  } catch (error) {
    if (!(error instanceof RegistryProblem)) throw error
    return registryResponse('Failure', [{ code: error.code, text: error.message, severity: 'Error' }])
  }
}

/** Where the index is that is moved, or the answer that nobody knows. */
function formerOf(
  known: Citizen | undefined,
  { issuer }: SignedAssertion,
  { transfers }: IniChanges,
): Citizen | string | undefined {
  try {
    return transfers.formerOf(known, issuer)
  } catch (error) {
    if (!(error instanceof RegistryProblem)) throw error
    return registryResponse('Failure', [{ code: error.code, text: error.message, severity: 'Error' }])
  }
}

/** The message and the assertion as they came, and beside it INI's own word on who the person is. */
async function forward({ change, message, assertion }: Telling, citizen: Citizen, parts: IniChanges): Promise<string> {
  const { identity, now, regions, timeoutMs } = parts
  const to = regions[citizen.assistedBy]?.[change]
  if (to === undefined) return registryResponse('Failure', [unheard])
  try {
    const { text } = await postSoap(
      {
        to,
        action: actionsOf[change],
        assertions: [assertion.xml, identificationAssertion(citizen, identity.signer, now())],
        body: cutOut(message.payload),
        messageId: randomUUID(),
      },
      identity.channel,
      AbortSignal.timeout(timeoutMs),
    )
    const failed: RegistryIssue = { code: 'CRF2', text: 'RDA generated an internal error.', severity: 'Error' }
    return responseIn(text) ?? registryResponse('Failure', [failed])
  } catch {
    return registryResponse('Failure', [unheard])
  }
}

/** The `RegistryResponse` a registry answered, or `undefined` for a fault and for what is no message. */
function responseIn(text: string): string | undefined {
  try {
    const body = only(parseXml(text), soap12, 'Body')
    const response = body && children(body)[0]
    return response && isNamed(response, rs, 'RegistryResponse') ? serialize(response) : undefined
  } catch {
    return undefined
  }
}
