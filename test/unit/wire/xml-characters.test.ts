import { describe, expect, it } from 'vitest'
import { isPlainText, isPlainValue, PLAIN, textBytes, valueBytes } from '../../../src/wire/xml-characters.ts'

/** Every byte in each of the four places, beside three others. */
function forEveryWord(check: (word: number, bytes: readonly number[]) => void): void {
  const others = [0x20, 0x21, 0x27, 0x3b, 0x3c, 0x3d, 0x5c, 0x5d, 0x61, 0x7f, 0x80, 0xff, 0x00]
  for (let byte = 0; byte < 256; byte++) {
    for (const other of others) {
      for (const third of others) {
        for (let place = 0; place < 4; place++) {
          const bytes = [other, third, other, third]
          bytes[place] = byte
          check(Buffer.from(bytes).readInt32LE(0), bytes)
        }
      }
    }
  }
}

describe('reading four bytes at a time', () => {
  it('finds character data plain only if each byte is, and is ASCII', () => {
    let wrong = 0
    forEveryWord((word, bytes) => {
      const plain = bytes.every((byte) => byte < 0x80 && (textBytes[byte] === PLAIN || byte === 0x20))
      if (isPlainText(word) !== plain) wrong++
    })
    expect(wrong).toBe(0)
  })

  it('finds a value plain only if each byte is, and is ASCII', () => {
    let wrong = 0
    forEveryWord((word, bytes) => {
      const plain = bytes.every((byte) => byte < 0x80 && valueBytes[byte] === PLAIN)
      if (isPlainValue(word) !== plain) wrong++
    })
    expect(wrong).toBe(0)
  })
})
