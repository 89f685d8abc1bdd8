import { expect, it } from 'vitest'
import { countedJournal, type TakenPush } from '../../../src/journal/counted.ts'
import { draftOf } from '../../support/operating.ts'
import { memoryJournal } from '../../support/push-journal.ts'

it('tells of every push whether it was kept or recognised, and leaves the rest to the journal', async () => {
  const told: TakenPush[] = []
  const journal = countedJournal(memoryJournal(), (push) => told.push(push))
  const draft = draftOf('1')
  expect(await journal.repeated(draft.identities)).toBeUndefined()
  expect(await journal.append(draft)).toEqual({ sequence: 1 })
  expect(await journal.repeated(draft.identities)).toMatchObject({ id: '1' })
  const again = draftOf('2', { identities: draft.identities, transaction: 'NotifyHiding' })
  expect(await journal.append(again)).toMatchObject({ repeats: { id: '1' } })
  expect(told.map(({ transaction, outcome }) => `${transaction} ${outcome}`)).toEqual([
    'ITI-42 accepted',
    'ITI-42 repeated',
    'NotifyHiding repeated',
  ])
  expect(await journal.find('1')).toMatchObject({ state: 'pending' })
})

it('tells nothing of what could not be kept', async () => {
  const told: TakenPush[] = []
  const full = { ...memoryJournal(), append: () => Promise.reject(new Error('disk full')) }
  await expect(countedJournal(full, (push) => told.push(push)).append(draftOf('1'))).rejects.toThrow('disk full')
  expect(told).toEqual([])
})
