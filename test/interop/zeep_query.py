"""Asks a running gateway FindDocuments with python zeep, knowing nothing but the WSDL it serves.

Prints {"status", "entries": [{"uniqueId", "home", "id", "status"}], "errors": [...]}, sorted, and exits with 0;
exits with 1 and a line on stderr when the gateway answered with a fault or could not be asked, 2 for wrong usage.
"""

import argparse
import json
import sys

import requests
from lxml import etree
from zeep import Client, Settings, Transport
from zeep.exceptions import Error as ZeepError

WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
SOAP = "http://www.w3.org/2003/05/soap-envelope"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
EXCLUSIVE_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
FIND_DOCUMENTS = "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"
APPROVED = "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"
UNIQUE_ID = "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"
SECONDS_TO_LOAD = 10
SECONDS_TO_ANSWER = 60


class Failure(Exception):
    """What stopped the query, in words for stderr."""


class SignedAssertion:
    """Puts an assertion that somebody else signed into wsse:Security.

    zeep calls it after WS-Addressing: its plugin removes namespace declarations that no name in the header uses, and
    the signature counts those that only a value uses (xs in xsi:type="xs:string").
    """

    def __init__(self, text: bytes):
        try:
            # Blanks and entities stay as they are: every character of an assertion is signed.
            parser = etree.XMLParser(resolve_entities=False, no_network=True)
            self.element = etree.fromstring(text.strip(), parser)
        except etree.XMLSyntaxError as error:
            raise Failure(f"the assertion is not XML: {error}") from None
        if self.element.tag != f"{{{SAML}}}Assertion":
            raise Failure("the assertion is not a SAML 2.0 assertion")
        prefixes = self.element.find(f".//{{{EXCLUSIVE_C14N}}}InclusiveNamespaces")
        self.inclusive = [] if prefixes is None else prefixes.get("PrefixList", "").split()

    def apply(self, envelope, headers):
        header = envelope.find(f"{{{SOAP}}}Header")
        if header is None:
            header = etree.Element(f"{{{SOAP}}}Header")
            envelope.insert(0, header)
        security = etree.SubElement(header, f"{{{WSSE}}}Security", nsmap={"wsse": WSSE})
        # A copy, as lxml moves an element that is appended elsewhere.
        security.append(etree.fromstring(etree.tostring(self.element)))
        self._check(etree.fromstring(etree.tostring(envelope)))
        return envelope, headers

    def verify(self, envelope):
        """The answer is not signed; the channel vouches for it."""

    def _check(self, sent):
        """What travels must have the canonical form that was signed."""
        if self._canonical(sent.find(f".//{{{SAML}}}Assertion")) != self._canonical(self.element):
            raise Failure("the SOAP stack changed the assertion on its way into the message")

    def _canonical(self, element):
        return etree.tostring(element, method="c14n", exclusive=True, inclusive_ns_prefixes=self.inclusive)


def connect(arguments, assertion):
    session = requests.Session()
    # Neither a proxy nor another set of roots from the environment.
    session.trust_env = False
    session.verify = arguments.ca
    session.cert = (arguments.cert, arguments.key)
    transport = Transport(session=session, timeout=SECONDS_TO_LOAD, operation_timeout=SECONDS_TO_ANSWER)
    return Client(arguments.wsdl, transport=transport, wsse=assertion, settings=Settings(strict=True))


def operation_named(client, name):
    """The operation whose wsa:Action ends with the name; the only one there is when no name is given."""
    actions = {
        operation.abstract.wsa_action: operation.name
        for service in client.wsdl.services.values()
        for port in service.ports.values()
        for operation in port.binding.all().values()
    }
    fitting = [found for action, found in actions.items() if name is None or str(action).endswith(f":{name}")]
    if len(fitting) != 1:
        raise Failure(f"the WSDL offers {sorted(map(str, actions))}, which leaves no single choice for {name}")
    return fitting[0]


def slot(name, value):
    return {"name": name, "ValueList": {"Value": [value]}}


def find_documents(client, operation, patient):
    quoted = patient.replace("'", "''")
    return client.service[operation](
        ResponseOption={"returnType": "LeafClass", "returnComposedObjects": True},
        AdhocQuery={
            "id": FIND_DOCUMENTS,
            "Slot": [
                slot("$XDSDocumentEntryPatientId", f"'{quoted}'"),
                slot("$XDSDocumentEntryStatus", f"('{APPROVED}')"),
            ],
        },
    )


def entries_of(answer):
    listed = (answer.RegistryObjectList or {})["_value_1"] if answer.RegistryObjectList else None
    for item in listed or []:
        entry = item.get("ExtrinsicObject")
        if entry is None:
            continue
        unique = [found.value for found in entry.ExternalIdentifier if found.identificationScheme == UNIQUE_ID]
        yield {
            "uniqueId": unique[0] if unique else None,
            "home": entry.home,
            "id": entry.id,
            "status": entry.status,
        }


def errors_of(answer):
    for error in answer.RegistryErrorList.RegistryError if answer.RegistryErrorList else []:
        yield {
            "code": error.errorCode,
            "severity": error.severity,
            "location": error.location,
            "context": error.codeContext,
        }


def in_order(records):
    return sorted(records, key=lambda record: [value or "" for value in record.values()])


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wsdl", required=True, help="address of the WSDL: https://…?wsdl")
    parser.add_argument("--ca", required=True, help="root of the server's certificate, PEM")
    parser.add_argument("--cert", required=True, help="certificate of the caller, PEM")
    parser.add_argument("--key", required=True, help="its key, PEM")
    parser.add_argument("--assertion", required=True, help="file with the signed assertion, - for stdin")
    parser.add_argument("--patient", required=True, help="patient identifier as CX: id^^^&oid&ISO")
    parser.add_argument("--action-name", help="RegistryStoredQuery or CrossGatewayQuery; not needed when there is one")
    return parser.parse_args()


def main():
    arguments = read_arguments()
    try:
        if arguments.assertion == "-":
            text = sys.stdin.buffer.read()
        else:
            with open(arguments.assertion, "rb") as file:
                text = file.read()
        client = connect(arguments, SignedAssertion(text))
        answer = find_documents(client, operation_named(client, arguments.action_name), arguments.patient)
    except (Failure, ZeepError, requests.RequestException, OSError) as error:
        code = getattr(error, "code", None)
        subcodes = [str(subcode) for subcode in getattr(error, "subcodes", None) or []]
        told = " ".join(filter(None, [type(error).__name__, code, *subcodes]))
        print(f"{told}: {error}", file=sys.stderr)
        return 1
    result = {
        "status": answer.status,
        "entries": in_order(entries_of(answer)),
        "errors": in_order(errors_of(answer)),
    }
    print(json.dumps(result, ensure_ascii=False, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
