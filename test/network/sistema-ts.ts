import type { KeyObject } from 'node:crypto'
import { readSigningRoot } from './certificate.ts'
import type { Identifier } from './entry.ts'
import type { Seed } from './seed.ts'
import { type Counterpart, type CounterpartOptions, type Face, startCounterpart, systemClock } from './server.ts'
import { type TsAccount, type TsCredentials, type TsDoor, tsCredentials } from './sistema-ts-credentials.ts'
import { isFiledUnder, sowPrescriptions, type TsPrescription } from './sistema-ts-prescriptions.ts'
import { requirePost, tsExchange, tsFace, tsServices } from './sistema-ts-services.ts'
import { sessionPath, type TsSessions, tsSessions } from './sistema-ts-sessions.ts'
import { openTs, TsFault, tsType } from './sistema-ts-soap.ts'

export interface SistemaTsOptions extends CounterpartOptions {
  readonly seed: Seed
  /** SanitelCF, PEM, and its private half. */
  readonly encryption: { readonly certificate: string; readonly key: KeyObject }
  /** As whom the gateway asks; default a region, with a signed assertion. */
  readonly as?: TsDoor['as']
  readonly authnContext?: TsDoor['authnContext']
  /** Default 3. */
  readonly lockAfter?: number
  readonly sessionLifetimeMs?: number
}

export interface SistemaTs
  extends Counterpart<{
    /** The host of the national services. */
    readonly host: string
    readonly sar: string
    readonly citizens: string
    readonly sessions: string
  }> {
  /** What must be in the gateway's files for it to be let in. */
  readonly account: TsAccount
  /** SanitelCF, PEM. */
  readonly certificate: string
  readonly credentials: Pick<TsCredentials, 'refusals' | 'locked' | 'unlock'>
  readonly sessions: Pick<TsSessions, 'all'>
  readonly prescriptions: readonly TsPrescription[]
  /** What is filed under a code. */
  prescriptionsOf(id: Identifier): readonly TsPrescription[]
  /** Actions of operations that change or lock a prescription; once there is one, disposal fails. */
  readonly lockingAttempts: readonly string[]
}

/** Nobody's. */
const account: TsAccount = {
  user: 'PROVAX00X00X000Y',
  password: 'Salve123',
  pinCode: '1234567890',
  fiscalCode: 'PROVAX00X00X000Y',
}

/** Where operations stand that a gateway that only reads has no business with (sistema-ts.md A.2, A.3). */
const locking =
  /^\/DemRicetta(?:Erogato|Differita)ServicesWeb\/|\/dem(?:Invio|Annulla)Prescritto|RicettaBianca|ServiceMedicoWeb|nreRichiestaLotto/

/**
 * Sistema TS as its clients meet it: the services for dispensers and prescribers, a region's list, the registry of citizens
 * and the second factor, behind one door. What locks a prescription stands here as a trap.
 */
export async function startSistemaTs(options: SistemaTsOptions): Promise<SistemaTs> {
  const { certificates, seed, as = 'region', authnContext = 'a2f26', lockAfter = 3, clock = systemClock } = options
  const { encryption, sessionLifetimeMs: lifetimeMs } = options
  const root = await readSigningRoot(certificates)
  const sessions = tsSessions({ clock, ...(lifetimeMs === undefined ? {} : { lifetimeMs }) })
  const region = '090'
  const maySign = (signer: string, issuer: string) =>
    issuer === region && new RegExp(`^S[0-9]+#${region}#`).test(signer)
  const credentials = tsCredentials({
    ...{ as, account, key: encryption.key, region, authnContext, lockAfter, sessions },
    trust: { root, now: () => clock.now(), maySign },
  })
  const prescriptions = sowPrescriptions(seed)
  const lockingAttempts: string[] = []
  const admits = (commonName: string) => commonName.startsWith(`A1#${region}#`)
  const parts = { admits, credentials, prescriptions: () => prescriptions }
  const faces: readonly Face[] = [
    ...Object.values(tsServices).map((service) => tsFace(service, parts)),
    sessionFace({ admits, credentials, sessions }),
    trap({ admits, onAttempt: (action) => lockingAttempts.push(action) }),
  ]
  const counterpart = await startCounterpart({ ...options, party: 'sistema-ts', credentials: 'ini' }, (host) => ({
    faces,
    urls: {
      host,
      sar: host + tsServices.sar.path,
      citizens: host + tsServices.citizens.path,
      sessions: host + sessionPath,
    },
  }))
  return {
    ...counterpart,
    account,
    certificate: encryption.certificate,
    credentials,
    sessions,
    prescriptions,
    prescriptionsOf: (id) => prescriptions.filter((one) => isFiledUnder(one, id)),
    lockingAttempts,
    async [Symbol.asyncDispose]() {
      await counterpart[Symbol.asyncDispose]()
      if (lockingAttempts.length > 0) throw new Error(`Prescriptions were to be locked: ${lockingAttempts.join(', ')}`)
    },
  }
}

/** The second factor's own service: basic authentication, and no assertion (A.6). */
function sessionFace({
  admits,
  credentials,
  sessions,
}: Pick<Face, 'admits'> & { readonly credentials: TsCredentials; readonly sessions: TsSessions }): Face {
  return {
    name: 'sessions',
    contentType: tsType,
    serves: (path) => path === sessionPath,
    admits,
    respond: (request, _behaviour, asked) =>
      tsExchange(asked, () => {
        requirePost(request)
        const message = openTs(request)
        Object.assign(asked, { action: message.action })
        credentials.login(request.headers)
        const { user, fiscalCode } = account
        return sessions.answer(message, { isPinCode: credentials.isPinCode, user, fiscalCode })
      }),
  }
}

function trap({ admits, onAttempt }: Pick<Face, 'admits'> & { readonly onAttempt: (action: string) => void }): Face {
  return {
    name: 'locking',
    contentType: tsType,
    serves: (path) => locking.test(path),
    admits,
    respond: ({ headers, url }, _behaviour, asked) =>
      tsExchange(asked, () => {
        onAttempt(String(headers.soapaction ?? url.pathname))
        throw new TsFault('Ricetta presa in carico')
      }),
  }
}
