import type { Behaviour } from './behaviour.ts'
import { type Citizen, stranger } from './citizens.ts'
import { authority } from './organizations.ts'
import { escapeXml } from './xml.ts'

// "Interrogazione in mobilità", whose true contract is not public (sistema-ts.md A.10): the shape agreed here.
export const mobilityNamespace = 'urn:crocevia:sistema-ts:interrogazione-mobilita:1'
export const mobilityAction = `${mobilityNamespace}:InterrogazioneMobilita`

/** TipologiaCI of the verification service. */
const kinds: Readonly<Record<string, string>> = {
  [authority.codiceFiscale]: '0',
  [authority.stp]: '1',
  [authority.eni]: '2',
  [authority.teamCard]: '3',
}

/** Region `000` is nobody's. Told to be of the `wrong-patient`, it names somebody else's code alone, as in force. */
export function citizenAnswer(citizen: Citizen | undefined, behaviour: Behaviour): string {
  const open = `<InterrogazioneMobilitaRicevuta xmlns="${mobilityNamespace}">`
  const close = '</InterrogazioneMobilitaRicevuta>'
  if (behaviour === 'refuse') return `${open}<codEsito>9999</codEsito>${close}`
  if (citizen === undefined) {
    return `${open}<validitaCI>1</validitaCI><tipologiaCI>99</tipologiaCI><codEsito>0000</codEsito>${close}`
  }
  const { identifiers, assistedBy } = citizen
  const told =
    behaviour === 'wrong-patient'
      ? [{ value: stranger.value, active: true }]
      : identifiers.map(({ value }, index) => ({ value, active: behaviour === 'odd-entry' || index === 0 }))
  const list = told.map(
    ({ value, active }) => `<CFAssistito><cf>${escapeXml(value)}</cf><attivo>${active ? 1 : 0}</attivo></CFAssistito>`,
  )
  const region = assistedBy === 'none' ? '000' : assistedBy
  return (
    `${open}<validitaCI>0</validitaCI>` +
    `<tipologiaCI>${kinds[identifiers[0].authority] ?? '99'}</tipologiaCI>` +
    `<ElencoCFAssistito>${list.join('')}</ElencoCFAssistito>` +
    `<codRegioneAssistenza>${region}</codRegioneAssistenza><codEsito>0000</codEsito>${close}`
  )
}
