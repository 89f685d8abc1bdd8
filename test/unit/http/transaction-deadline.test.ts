import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { admission } from '../../../src/http/admission.ts'
import { type SoapParts, soapEndpoint } from '../../../src/http/soap/endpoint.ts'
import type { SoapTransaction } from '../../../src/http/soap/transaction.ts'
import { actions } from '../../../src/wire/actions.ts'
import { soapNames } from '../../../src/wire/soap.ts'
import { assertion } from '../../support/builders.ts'

const { soap12, wsa } = soapNames
const started = 5_000

/** Two transactions behind one door; resolves to the deadline of the call that the one of the action gets. */
async function deadlineOf(action: string): Promise<number | undefined> {
  let deadline: number | undefined
  const transaction: SoapTransaction<undefined, undefined> = {
    id: 'ITI-38',
    action: actions.crossGatewayQuery,
    decode: () => undefined,
    handle: async (_request, call) => {
      deadline = call.deadline
      return undefined
    },
    encode: () => '<answer/>',
    fail: () => '<failure/>',
    account: () => ({ request: 'test' }),
    outcome: () => ({ asked: [], failures: [], status: 'success', results: 0 }),
  }
  const patient = { ...transaction, id: 'ITI-39', action: actions.crossGatewayRetrieve, deadlineMs: 60_000 } as const
  const parts = {
    identify: () => ({ subject: 'test', fingerprint: 'test' }),
    authenticate: async () => assertion(),
    audit: { record: async () => undefined },
    events: new Proxy({}, { get: () => () => undefined }),
    clock: { now: () => started },
    addressing: 'strict',
    maxMessageBytes: 10_000,
    deadlineMs: 10_000,
    admission: admission(1),
  } as unknown as SoapParts
  const header = `<wsa:Action>${action}</wsa:Action><wsa:MessageID>urn:uuid:1</wsa:MessageID>`
  const message = `<e:Envelope xmlns:e="${soap12}" xmlns:wsa="${wsa}"><e:Header>${header}</e:Header><e:Body><q/></e:Body></e:Envelope>`
  const incoming = Object.assign(Readable.from([Buffer.from(message)]), {
    headers: { 'content-type': 'application/soap+xml' },
    socket: {},
  }) as unknown as IncomingMessage
  await soapEndpoint({ transactions: [transaction, patient], admits: () => true }, parts)(
    incoming,
    new AbortController().signal,
  )
  return deadline
}

it("a transaction has its own deadline where it states one, else its service's", async () => {
  expect(await deadlineOf(actions.crossGatewayQuery)).toBe(started + 10_000)
  expect(await deadlineOf(actions.crossGatewayRetrieve)).toBe(started + 60_000)
})
