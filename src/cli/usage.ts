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

  explain    [<code>] [--text <words>] [--json]    what a code of INI, Sistema TS, PDND, XDS or the FSE 2.0 gateway means,
                                                   by the words beside it where it alone says little; without: all

  push       --patient <identifier>                change the index as INI does, on the word of a region
    create   [--type 11502-2] [--unique-id <id>] [--repository <oid>] [--title <text>] [--event <code>]… [--nre <number>]
             [--confidentiality N] [--metadata <file>]
    replace  --target <entryUUID|unique id> [options of create]
    update   --unique-id <id> [--version <n>] [--old-way] [--type, --title, --event, --confidentiality, --metadata]
    remove   --unique-id <id>… | --entry-uuid <id>…
  notify     --patient <identifier>                tell what INI tells a region
    submit   --document <id> --repository <oid> [--home 090]
    retrieve --document <id> --repository <oid> [--type <loinc>] [--requestor <identifier>] [--role AAS]
             [--purpose TREATMENT] [--locality 050] [--home <code>]
    hiding   --document <id> [--source <id>] [--at <instant>]
    consent  [--give <name>]… [--withdraw <name>]… [--role OGC]
  transfer   --patient <identifier>                read an index as a new region of assistance does
    search   [--transfer-id <urn:uuid:…>]
    run      [--chunk 50] [--keep] [--transfer-id <urn:uuid:…>]
  all three  [--as ini] [--url <address> | --federation <file>] [--identities <folder>] [--json] [--show];
             push, transfer: [--for 050|120] [--subject <identifier>] [--role] [--purpose] [--action]

  ini        <operation> --patient <identifier>    do one operation of INI as the gateway of a configuration does
    search   [--type <loinc>]… [--deprecated]
    documents | references | delete                --document <unique id>
    register [--type 11502-2] [--unique-id <id>] [--repository <oid>] [--title <text>] [--event <code>]… [--nre <number>]
             [--confidentiality N] [--metadata <file>]
    replace | update                               --document <unique id> [options of register]
    retrieve --document <unique id> --repository <oid> [--home <code>] [--out <file>]
    consents query | consents set [--give <name>]… [--withdraw <name>]… [--requestor <identifier>] [--id <notice>]
    disclosure get --id <notice> [--out <file>]  |  organ-donation get
    notify-retrieve --document <unique id> --repository <oid> [--home <code>] [--assisted-by <code>] [--type <loinc>]
    transfer list | transfer read --entry <id>…    [--transfer-id <urn:uuid:…>]
  all        [--config <file> | --federation <file>] [--community ini] [--role AAS] [--purpose] [--subject <identifier>]
             [--locality <XON>] [--in-care] [--timeout <seconds>] [--production] [--show] [--json]

  journal    --config <file> | --url <address>     what was pushed to a running gateway, by its operator port
    list     [--state dead|pending|delivered|discarded|kept] [--limit 100] [--json]
    show     <id> [--content] [--operator <name>] [--json]
    retry    <id> --operator <name>
    discard  <id> --operator <name> --reason <text>
  deliveries the same of all that waits to be delivered, pushes or not; states dead|waiting

  transfer-in --config <file> | --url <address> [--operator <name>] [--json]
                                                   moves the index of somebody we assist now to our record, from INI
    start    --patient <identifier>
    show     <id>                                  how far it is, what is missing and what stays there

  workflow   <workflowInstanceId> --config <file> | --url <address> [--operator <name>] [--json]
                                                   how a publication went on at the national FSE 2.0 gateway

  ts         --config <file> | a federation that runs  one operation of Sistema TS, once, as the gateway does; all only read
    list     --patient <identifier> [--nre <number>]   the citizen's prescriptions; view, history: --nre <number>
    used-numbers --doctor <codice fiscale> [--nre <number>] [--from 2026-01-31] [--to 2026-01-31]
    citizen  --patient <identifier>
    session  create [--token-file <file>] | revoke | check [--token <session>]
             [--community sistema-ts] [--subject <codice fiscale>] [--url <address>] [--timeout 10] [--json]

exit codes: 0 success, 2 usage, 3 partial success, 4 failure, 5 refused, 6 unreachable, 1 anything else;
            of verify 0 accepted, 1 refused, 2 usage; of doctor 0 nothing failed, 1 something failed, 2 usage`
