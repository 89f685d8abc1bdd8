"""Signs and verifies XML by signxml, which shares nothing with Crocevia but the standards.

Reads a JSON array of jobs from stdin (SignxmlJob in test/support/xml-signers.ts) and prints an array of answers, one each:
{"signed": markup} or {"refused": why}. Exits with 0 whatever the answers.
"""

import json
import sys
import tempfile

from lxml import etree
from signxml import SignatureConfiguration, XMLSigner, XMLVerifier
from signxml.algorithms import CanonicalizationMethod
from signxml.exceptions import InvalidInput, InvalidSignature
from signxml.signer import SignatureReference


def sign(job):
    signer = XMLSigner(
        signature_algorithm=job["signature"],
        digest_algorithm=job["digest"],
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    # Blanks stay as they are: they are signed.
    root = etree.fromstring(job["document"].encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    # signxml digests an enveloped element with its prefix list and does not write the list: so the element has none.
    whole = SignatureReference(URI="#" + root.get("ID"), inclusive_ns_prefixes=[])
    signed = signer.sign(
        root,
        key=job["key"],
        cert=job["certificate"],
        reference_uri=[whole],
        id_attribute="ID",
        inclusive_ns_prefixes=job["prefixes"],
    )
    return etree.tostring(signed)


def verify(job):
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as authorities:
        authorities.write(job["authorities"])
        authorities.flush()
        verified = XMLVerifier().verify(
            job["document"].encode(),
            ca_pem_file=authorities.name,
            id_attribute="ID",
            expect_config=SignatureConfiguration(location=job["location"]),
        )
    return verified.signed_data


def answer(job):
    try:
        return {"signed": {"sign": sign, "verify": verify}[job["do"]](job).decode()}
    except (InvalidInput, InvalidSignature) as error:
        return {"refused": f"{type(error).__name__}: {error}"}


json.dump([answer(job) for job in json.load(sys.stdin)], sys.stdout)
