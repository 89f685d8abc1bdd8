import { expect, it } from 'vitest'
import { letGo } from '../../../src/core/let-go.ts'

it('frees memory of its own at once', () => {
  const bytes = new Uint8Array(20_000)
  letGo(bytes)
  expect(bytes.byteLength).toBe(0)
})

it('leaves a part of something larger, and what is small', () => {
  const whole = new Uint8Array(40_000)
  const part = whole.subarray(0, 20_000)
  const small = new Uint8Array(100)
  letGo(part)
  letGo(small)
  expect([whole.byteLength, part.byteLength, small.byteLength]).toEqual([40_000, 20_000, 100])
})
