import type { Source } from './xml-source.ts'

const slots = 1024
const longest = 80

/** The strings made lately of a long message, which says the same again and again: such a string is made once. */
export class RecentStrings {
  readonly #source: Source
  /** Where they stood; a newer string takes the slot of an older one. */
  readonly #from = new Int32Array(slots)
  readonly #to = new Int32Array(slots)
  readonly #strings: string[] = []

  constructor(source: Source) {
    this.#source = source
  }

  /** The characters of plain bytes. */
  string(from: number, to: number): string {
    const source = this.#source
    const length = to - from
    if (length === 0 || length > longest) return source.utf8Slice(from, to)
    const slot = slotOf(source, from, to)
    if (this.#to[slot]! - this.#from[slot]! === length) {
      let at = this.#from[slot]!
      let pos = from
      while (pos < to && source[at] === source[pos]) {
        at++
        pos++
      }
      if (pos === to) return this.#strings[slot]!
    }
    const made = source.utf8Slice(from, to)
    this.#strings[slot] = made
    this.#from[slot] = from
    this.#to[slot] = to
    return made
  }
}

/** Looks at six bytes only: a wrong guess costs a comparison, and nobody gains from provoking one. */
function slotOf(source: Source, from: number, to: number): number {
  const length = to - from
  const middle = from + (length >> 1)
  let hash = Math.imul(length, 0x01000193) ^ source[from]!
  hash = Math.imul(hash, 0x01000193) ^ source[to - 1]!
  hash = Math.imul(hash, 0x01000193) ^ source[middle]!
  hash = Math.imul(hash, 0x01000193) ^ source[from + (length >> 2)]!
  hash = Math.imul(hash, 0x01000193) ^ source[to - 1 - (length >> 3)]!
  hash = Math.imul(hash, 0x01000193) ^ source[middle + (length >> 3)]!
  return (hash ^ (hash >>> 15)) & (slots - 1)
}
