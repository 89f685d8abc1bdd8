import { describe, expect, it } from 'vitest'
import { contradict, type Demographics } from '../../../../src/core/model/demographics.ts'
import { timestamp } from '../../../../src/core/model/timestamp.ts'

const named = (family: string | undefined, ...given: readonly string[]): Demographics => ({
  names: [{ ...(family === undefined ? {} : { family }), given }],
})
const born = (day: string): Demographics => ({ names: [], birthDate: timestamp(day) })

describe('two descriptions of one person', () => {
  it.each<[string, Demographics, Demographics]>([
    ['case and accents', named('Nicolò', 'Zoë'), named('NICOLO', 'ZOE')],
    ['an apostrophe for an accent', named('Nicolò', 'X'), named("NICOLO'", 'X')],
    ['an apostrophe or a blank inside', named("D'Amico", 'X'), named('D AMICO', 'X')],
    ['a hyphen', named('Rossi-Prova', 'X'), named('ROSSI PROVA', 'X')],
    ['a name written together', named('De Prova', 'X'), named('DEPROVA', 'X')],
    ['a second given name that only one tells', named('Prova', 'Alfa', 'Beta'), named('Prova', 'Alfa')],
    ['given names in one', named('Prova', 'Alfa Beta'), named('Prova', 'Alfa', 'Beta')],
    ['a second surname that only one tells', named('Prova', 'Alfa'), named('Prova Esempio', 'Alfa')],
    ['a part that only one tells', named('Prova'), named(undefined, 'Alfa')],
    ['any of several names', { names: [...named('X', 'Y').names, ...named('A', 'B').names] }, named('A', 'B')],
    ['nothing told', { names: [] }, { ...named('A', 'B'), ...{ birthDate: timestamp('1980'), gender: 'male' } }],
    ['a year and a day in it', born('1980'), born('19800229')],
    ['a gender that is not known', { names: [], gender: 'unknown' }, { names: [], gender: 'female' }],
    ['a gender that is neither', { names: [], gender: 'other' }, { names: [], gender: 'male' }],
  ])('may differ by %s', (_, a, b) => {
    expect([contradict(a, b), contradict(b, a)]).toEqual([false, false])
  })

  it.each<[string, Demographics, Demographics]>([
    ['surnames', named('Prova', 'Alfa'), named('Esempio', 'Alfa')],
    ['given names', named('Prova', 'Alfa'), named('Prova', 'Beta')],
    ['second given names', named('Prova', 'Alfa', 'Beta'), named('Prova', 'Alfa', 'Gamma')],
    ['a surname taken for a given name', named('Prova', 'Alfa'), named('Alfa', 'Prova')],
    ['births', born('19800229'), born('19800228')],
    ['years', born('1980'), born('19810101')],
    ['genders', { names: [], gender: 'male' }, { names: [], gender: 'female' }],
    [
      'births under one name',
      { ...named('A', 'B'), birthDate: timestamp('1980') },
      { ...named('A', 'B'), birthDate: timestamp('1981') },
    ],
  ])('cannot differ by %s', (_, a, b) => {
    expect([contradict(a, b), contradict(b, a)]).toEqual([true, true])
  })
})
