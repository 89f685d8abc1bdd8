import type { AdapterTools, SistemaTsTools } from '../../src/config/adapter.ts'
import { GatewayError } from '../../src/core/errors.ts'
import { authorities } from '../../src/core/model/patient.ts'
import type { CitizenRegistry } from '../../src/core/ports.ts'
import { askSistemaTs } from '../../src/wire/sistema-ts/ask.ts'
import { citizenFacts, lookUpCitizen } from '../../src/wire/sistema-ts/citizen.ts'
import { requireAccepted } from '../../src/wire/sistema-ts/outcome.ts'
import type { SistemaTsOptions } from './options.ts'

/** What the registry identifies people by: TipologiaCI 0 to 3 (sistema-ts.md A.10). */
const asked: ReadonlySet<string> = new Set([
  authorities.codiceFiscale,
  authorities.stp,
  authorities.eni,
  authorities.teamCard,
])

/** The registry of citizens, asked by "interrogazione in mobilità": one question for each look. */
export function citizenRegistry(
  { url, region, action, namespace }: NonNullable<SistemaTsOptions['citizens']>,
  { citizenCode }: Pick<SistemaTsOptions, 'citizenCode'>,
  sistemaTs: SistemaTsTools,
  homeOf: AdapterTools['homeOf'],
): CitizenRegistry {
  return {
    async look(patientId, call) {
      if (!asked.has(patientId.authority)) {
        throw new GatewayError('patient-unknown', 'The registry of citizens knows nobody by such an identifier')
      }
      const { value } = patientId
      const answer = await askSistemaTs(
        sistemaTs,
        lookUpCitizen,
        {
          codRegioneRichiedente: region,
          codiceIdentificativo: citizenCode === 'clear' ? value : sistemaTs.encrypt(value),
        },
        {
          url,
          call,
          ...(action === undefined ? {} : { action }),
          ...(namespace === undefined ? {} : { namespace }),
        },
      )
      requireAccepted(answer.outcome)
      return citizenFacts(patientId, answer, homeOf)
    },
  }
}
