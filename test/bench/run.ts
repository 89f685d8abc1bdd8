import { ensureCertificates } from '../../certs-dev/make.ts'
import { eventLoop10000 } from './event-loop.ts'
import { federatedQuery3x100 } from './federated-query.ts'
import { iti67Cached } from './iti67.ts'
import { journalAppend, journalAppendSequential } from './journal-append.ts'
import { jwtVerifyBench } from './jwt.ts'
import type { Measurement } from './measurement.ts'
import { mtomSplit100mb } from './mtom-split.ts'
import { iti18Signed, iti42Push } from './national.ts'
import { parseFindDocuments1000, parseMemory1000 } from './parse-find-documents.ts'
import { complete20, firstEntry20 } from './progressive.ts'
import { pushAppend } from './push-append.ts'
import { retrieve1mb, retrieve20mb, retrieve100mb } from './retrieve.ts'
import { samlIssue, samlVerify, samlVerify7mb } from './saml.ts'

/** Benchmarks by name; the names are fixed, so that runs can be compared over time. */
const benches: Readonly<Record<string, () => Promise<Measurement>>> = {
  'parse-find-documents-1000': parseFindDocuments1000,
  'parse-memory-1000': parseMemory1000,
  'event-loop-10000': eventLoop10000,
  'saml-verify': samlVerify,
  'saml-verify-7mb': samlVerify7mb,
  'saml-issue': samlIssue,
  'jwt-verify': jwtVerifyBench,
  'federated-query-3x100': federatedQuery3x100,
  'first-entry-20': firstEntry20,
  'complete-20': complete20,
  'iti18-signed': iti18Signed,
  'iti42-push': iti42Push,
  'iti67-cached': iti67Cached,
  'journal-append': journalAppend,
  'journal-append-sequential': journalAppendSequential,
  'push-append': pushAppend,
  'mtom-split-100mb': mtomSplit100mb,
  'retrieve-1mb': retrieve1mb,
  'retrieve-20mb': retrieve20mb,
  'retrieve-100mb': retrieve100mb,
}

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => benches[name] === undefined)
if (unknown.length > 0) {
  console.error(`unknown benchmark ${unknown.join(', ')}; known are ${Object.keys(benches).join(', ')}`)
  process.exit(2)
}
await ensureCertificates()
const rounded = (number: number) => Number(number.toPrecision(4))
for (const [name, bench] of Object.entries(benches)) {
  if (asked.length > 0 && !asked.includes(name)) continue
  const { unit, value, floor, floorIs, ratio, rssMb } = await bench()
  const numbers = { value: rounded(value), floor: rounded(floor), floorIs, ratio: rounded(ratio), rssMb }
  console.log(JSON.stringify({ bench: name, unit, ...numbers }))
}
