import { breather } from '../../src/client/breather.ts'
import { decodeQueryResponse } from '../../src/wire/ebrim/query-response.ts'
import { defaultXmlLimits } from '../../src/wire/xml.ts'
import { findDocumentsAnswer } from './find-documents-answer.ts'
import { type Measurement, rssMb } from './measurement.ts'

/** The longest the event loop is held while a 77 MB answer is read the way the client reads it. */
export async function eventLoop10000(): Promise<Measurement> {
  const bytes = findDocumentsAnswer(10_000)
  let longest = 0
  let last = performance.now()
  let reading = true
  const watch = () => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
    if (reading) setImmediate(watch)
  }
  setImmediate(watch)
  await new Promise((resolve) => setImmediate(resolve))
  longest = 0
  await decodeQueryResponse(bytes, {
    limits: { ...defaultXmlLimits, maxBytes: bytes.length },
    pause: breather(new AbortController().signal),
  })
  reading = false
  return {
    bench: 'event-loop-10000',
    unit: 'ms held at most',
    value: longest,
    floor: 50,
    floorIs: 'the limit: 50 ms',
    ratio: longest / 50,
    rssMb: rssMb(),
  }
}
