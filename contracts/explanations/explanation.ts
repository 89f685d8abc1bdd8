/** Whose code it is: `ihe` stands for every registry and repository that speaks XDS. */
export type System = 'ini' | 'ihe' | 'fse-gateway' | 'sistema-ts' | 'pdnd'

/** Whose doing it is, as far as a code tells. `caller` is who asks or publishes through us, `region` the other region. */
export type Whose = 'caller' | 'ours' | 'ini' | 'region' | 'fse-gateway' | 'sistema-ts' | 'pdnd' | 'patient' | 'unknown'

/** `automatic`: the gateway tries again by itself. `after-mending`: by hand, once somebody has put it right. */
export type Retry = 'never' | 'automatic' | 'after-mending'

/** What a code means for the person at the screen, who is told this and not the code. */
export interface Consequence {
  readonly consequence: string
  readonly consequenceIt: string
}

/** What a code of another system means, whose doing it is and what to do. Sentences of at most 200 characters. */
export interface Explanation extends Consequence {
  /** As it is told, or what stands for a family of codes or texts: `R<n>`, `Internal Error <n>`. */
  readonly code: string
  readonly system: System
  /** The official message where a source has it, with its own spelling; else a name. */
  readonly title: string
  readonly meaning: string
  readonly whose: Whose
  readonly next: string
  readonly retry: Retry
  /** Section of the facts, and the threads or pages they are taken from. */
  readonly source: string
}

type Row = Pick<Explanation, 'code' | 'title' | 'meaning'> & Partial<Omit<Explanation, 'system'>>

/** Explanations that have most in common; what a row says itself comes first. */
export function explained(
  shared: Omit<Explanation, 'code' | 'title' | 'meaning'>,
  rows: readonly Row[],
): readonly Explanation[] {
  return rows.map((row) => ({ ...shared, ...row }))
}
