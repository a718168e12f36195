#!/usr/bin/env python3
"""Checks what leaves for hospital systems with validators that are not ours: tests/interop.py SCHEMA FILE...

SCHEMA is the published JSON schema of FHIR R4 (id http://hl7.org/fhir/json-schema/4.0).
FILE.json is a bundle: R5 if its name says so, else R4. R4 is held against the schema and the R4B models of fhir.resources, R5 against
its R5 models. FILE.hl7 has HL7 v2.6 messages with an empty line between; hl7apy checks them strictly against ORU_R01, whose structure
PCD-04's ORU_R40 has: hl7apy knows no ORU_R40.
"""

import json
import sys
from pathlib import Path

import jsonschema
from fhir.resources.bundle import Bundle as BundleR5
from fhir.resources.R4B.bundle import Bundle as BundleR4B
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.exceptions import HL7apyException
from hl7apy.parser import parse_message
from pydantic import ValidationError


def faults_of_bundle(text, schema, is_r5):
    """One line for each fault, by each validator."""
    bundle = json.loads(text)
    model = BundleR5 if is_r5 else BundleR4B
    try:
        model.model_validate(bundle)
    except ValidationError as error:
        yield from (f"fhir.resources: {fault['loc']}: {fault['msg']}" for fault in error.errors())
    if is_r5:
        return
    for entry in bundle["entry"]:
        resource = entry["resource"]
        kind = resource["resourceType"]
        wanted = {"$ref": f"#/definitions/{kind}", "definitions": schema["definitions"]}
        for error in jsonschema.Draft6Validator(wanted).iter_errors(resource):
            yield f"schema: {kind}/{resource['id']}: {error.message}"


def faults_of_messages(text):
    """One line for each message that is none."""
    for number, lines in enumerate(text.strip().split("\n\n"), 1):
        message = lines.strip().replace("\n", "\r").replace("ORU^R40^ORU_R40", "ORU^R01^ORU_R01") + "\r"
        try:
            parse_message(message, validation_level=VALIDATION_LEVEL.STRICT, find_groups=True).validate()
        except HL7apyException as error:
            yield f"hl7apy: message {number}: {error}"


def main(schema, *files):
    """Checks every file; ends with 1 if one has a fault, or if there was none to check."""
    schema = json.loads(Path(schema).read_text())
    assert schema["id"] == "http://hl7.org/fhir/json-schema/4.0", schema["id"]
    failed = not files
    for file in map(Path, files):
        text = file.read_text()
        found = faults_of_messages(text) if file.suffix == ".hl7" else faults_of_bundle(text, schema, "r5" in file.stem)
        faults = list(found)
        failed = failed or bool(faults)
        print(f"{file.name}: {len(faults)} faults", *faults, sep="\n  ")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
