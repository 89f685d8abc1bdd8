/** How the command line is used. */
export const usage = `usage: npm run crocevia -- <command> [options]

  query      --as <party> --patient <identifier>   ask the running federation over the wire
             [--type <loinc>]… [--json] [--federation <file>]
  assertion  --as <party> --patient <identifier>   print a signed assertion and nothing else

  both       [--role AAS] [--purpose TREATMENT] [--action READ] [--type <loinc>]… [--lifetime <seconds>]
             [--identities <folder>]

  verify     judge what comes on standard input by the gateway's own code, and print one line of JSON
    saml     --trust <pem>… [--at <instant>] [--audience <uri>]… [--profile ini|xua|sistema-ts] [--crl <file>…]
             [--presenter <pem>] [--skew <seconds>] [--allow-sha1] [--lenient]
    jwt      --trust <pem|jwks>… [--at <instant>] [--audience <uri>] [--issuer <text>] [--skew <seconds>]
             [--profile jwt|portal|fse|fse-auth|fse-signature|modi-auth|modi-integrity|modi-audit|pdnd-voucher|dpop]
             [--operation validation|create|replace|update|delete|read]
    soap     [--addressing strict|lenient] [--trust <pem>… --pattern ID_AUTH_SOAP_01|ID_AUTH_SOAP_02|INTEGRITY_SOAP_01
             [--at <instant>] [--crl <file>…] [--skew <seconds>] [--max-age <seconds>] [--allow-sha1]]
    mtom     --content-type <value> [--addressing strict|lenient]

  doctor     --config <file> [--offline] [--json]  check a configuration against the world

exit codes: 0 success, 2 usage, 3 partial success, 4 failure, 5 refused, 6 unreachable, 1 anything else;
            of verify 0 accepted, 1 refused, 2 usage; of doctor 0 nothing failed, 1 something failed, 2 usage`
