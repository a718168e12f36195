"""The software bill of materials of the binary `wardlight`, CycloneDX 1.6, from what cargo resolved for it.

    k3s/sbom [FILE]

Every crate that is compiled into the binary (scope `required`) or only runs while it is built (`excluded`), with version, licence,
package URL and the checksum of `Cargo.lock`; SQLite, which `libsqlite3-sys` compiles in; and the models that the binary carries.
Written with the CycloneDX project's own library, checked against its strict schema, and against `cargo tree`.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

ROOT = Path(__file__).resolve().parent.parent
BINARY = "wardlight"
REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"
SQLITE_VERSION = re.compile(r'#define SQLITE_VERSION\s+"([\d.]+)"')


def main():
    """Writes the file, or refuses."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("wardlight.cdx.json")
    host = next(line.split()[1] for line in run("rustc", "-vV").splitlines() if line.startswith("host:"))
    metadata = json.loads(run("cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", host))
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = next(id for id in nodes if packages[id]["name"] == BINARY)
    macros = {id for id in nodes if any("proc-macro" in target["kind"] for target in packages[id]["targets"])}
    linked = reach(nodes, root, {None}, besides=macros)
    built = reach(nodes, root, {None, "build"})
    check_with_cargo_tree(host, {(packages[id]["name"], packages[id]["version"]) for id in built})

    checksums = {(p["name"], p["version"]): p.get("checksum") for p in tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]}
    components = {id: crate(packages[id], checksums, required=id in linked) for id in built}
    bom = Bom()
    bom.metadata.component = components[root]
    for id, component in components.items():
        if id != root:
            bom.components.add(component)
        bom.register_dependency(component, [components[d["pkg"]] for d in nodes[id]["deps"] if d["pkg"] in components])
    sqlite = next(id for id in built if packages[id]["name"] == "libsqlite3-sys")
    carried = [sqlite_in(packages[sqlite]), *models()]
    for component in carried:
        bom.components.add(component)
    bom.register_dependency(components[sqlite], carried[:1])
    bom.register_dependency(components[root], carried[1:])

    text = JsonV1Dot6(bom).output_as_string(indent=1)
    if fault := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        sys.exit(f"the bill of materials does not fit the schema: {fault}")
    target.write_text(text + "\n", encoding="utf-8")
    print(f"{target}: {len(linked)} crates in the binary, {len(built) - len(linked)} more at build time, {len(carried)} other parts")


def reach(nodes, root, kinds, besides=frozenset()):
    """The crates that `root` needs by dependencies of these kinds, itself included; not through those `besides`."""
    found, waiting = set(), [root]
    while waiting:
        id = waiting.pop()
        if id not in found and id not in besides:
            found.add(id)
            waiting += [d["pkg"] for d in nodes[id]["deps"] if any(kind["kind"] in kinds for kind in d["dep_kinds"])]
    return found


def check_with_cargo_tree(host, built):
    """cargo's own list of what is compiled for the binary must have nothing that is missing here."""
    tree = run("cargo", "tree", "--locked", "--package", BINARY, "--target", host, "--edges", "normal,build", "--prefix", "none", "--format", "{p}")
    listed = {(line.split()[0], line.split()[1].lstrip("v")) for line in tree.splitlines() if line}
    if missing := listed - built:
        sys.exit(f"missing in the bill of materials: {sorted(missing)}")


def crate(package, checksums, required):
    """One crate."""
    name, version, checksum = package["name"], package["version"], checksums.get((package["name"], package["version"]))
    # Older crates write "A/B" for "A OR B".
    licence = (package["license"] or "").replace("/", " OR ")
    return Component(
        name=name, version=version, bom_ref=f"{name}@{version}",
        type=ComponentType.APPLICATION if name == BINARY else ComponentType.LIBRARY,
        scope=ComponentScope.REQUIRED if required else ComponentScope.EXCLUDED,
        licenses=[LicenseFactory().make_from_string(licence)] if licence else [],
        purl=PackageURL("cargo", name=name, version=version) if package["source"] == REGISTRY else None,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=checksum)] if checksum else [],
    )


def sqlite_in(package):
    """The C library in a crate's folder."""
    header = (Path(package["manifest_path"]).parent / "sqlite3/sqlite3.h").read_text(encoding="utf-8")
    version = SQLITE_VERSION.search(header).group(1)
    return Component(
        name="sqlite", version=version, type=ComponentType.LIBRARY, bom_ref=f"sqlite@{version}", scope=ComponentScope.REQUIRED,
        licenses=[LicenseFactory().make_with_id("blessing")], purl=PackageURL("generic", name="sqlite", version=version),
    )


def models():
    """The models in the binary. The hash is that of the manifest, which holds those of all other files."""
    for manifest in sorted((ROOT / "models/packages").glob("*/manifest.toml")):
        content = manifest.read_bytes()
        model = tomllib.loads(content.decode())
        data = model["training"]["data"]
        yield Component(
            name=model["id"], version=model["version"], type=ComponentType.MACHINE_LEARNING_MODEL, scope=ComponentScope.REQUIRED,
            bom_ref=f"model:{model['id']}@{model['version']}", description=model["summary"],
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=hashlib.sha256(content).hexdigest())],
            properties=[Property(name="wardlight:training-data", value=data if isinstance(data, str) else "; ".join(data))],
        )


def run(*command):
    """The output of a command in the root of the repository."""
    return subprocess.run(command, cwd=ROOT, env=os.environ, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
