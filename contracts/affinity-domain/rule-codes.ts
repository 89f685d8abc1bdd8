/** What XDS calls metadata that are not as they must be (ITI TF-3: Table 4.2.4.1-2). Told where no source numbers a rule. */
export const metadataError = 'XDSRegistryMetadataError'

/** Codes that may be told otherwise, because no source numbers the rule. */
export interface RuleCodes {
  /**
   * A display that is not its code's, of any attribute but typeCode. R56 is sourced for that one only: the table
   * that numbers the others (framework 2.5, table 54) was not to be had.
   */
  readonly display: string
}

export const ruleCodes: RuleCodes = { display: metadataError }

export const error = { code: metadataError, severity: 'error' } as const
export const warning = { code: metadataError, severity: 'warning' } as const
