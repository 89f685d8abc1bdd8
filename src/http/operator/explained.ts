import type { Explanation } from '../../../contracts/explanations/explanation.ts'
import { explanationOf } from '../../../contracts/explanations/explanation-of.ts'

/** A code somebody else gave as a reason, and what it means. */
export interface ExplainedCode extends Pick<Explanation, 'meaning' | 'whose' | 'next' | 'retry' | 'source'> {
  /** As it was said. */
  readonly code: string
}

/** How a failure is written down: our own code, then what the other side said, one after the other. */
const failure = /^(?:the last attempt failed: )?[a-z]+(?:-[a-z]+)*: (.+)$/

/** The codes in a reason that can be explained, each once, in their order. What an operator wrote is not looked into. */
export function explainedIn(reason: string | undefined): readonly ExplainedCode[] {
  const said = (reason ?? '').split('\n').flatMap((line) => failure.exec(line)?.[1]?.split('; ') ?? [])
  const known = new Map<string, ExplainedCode>()
  for (const one of said) {
    const [code = '', ...words] = one.split(' ')
    const found = explanationOf(code, words.join(' '))
    if (found === undefined || known.has(code)) continue
    const { meaning, whose, next, retry, source } = found
    known.set(code, { code, meaning, whose, next, retry, source })
  }
  return [...known.values()]
}
