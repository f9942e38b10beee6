"""`aws` and `az` for the few commands that the program prints, on the local stand-ins of these clouds."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import boto3

from sandbox.providers.azure_native.vaults import deleted_vault
from sandbox.providers.runtime.file_backed_objects import FileBackedObjects


def _asked(arguments: Sequence[str], *options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for option in options:
        parser.add_argument(f"--{option}")
    return parser.parse_args(arguments)


def aws(arguments: Sequence[str]) -> None:
    """`aws secretsmanager restore-secret|describe-secret`."""
    service, command, *rest = arguments
    asked = _asked(rest, "secret-id", "region", "query", "output")
    client = boto3.client(
        service,
        endpoint_url=os.environ["AWS_ENDPOINT_URL"],
        region_name=asked.region or os.environ["AWS_REGION"],
        aws_access_key_id="client",
        aws_secret_access_key="client",
    )
    if command == "restore-secret":
        client.restore_secret(SecretId=asked.secret_id)
    else:
        assert (command, asked.query, asked.output) == ("describe-secret", "ARN", "text")
        print(client.describe_secret(SecretId=asked.secret_id)["ARN"])


def az(arguments: Sequence[str]) -> None:
    """`az keyvault recover|show`."""
    assert arguments[0] == "keyvault"
    command, *rest = arguments[1:]
    asked = _asked(rest, "name", "resource-group", "query", "output")
    with FileBackedObjects(Path(os.environ["KESTRA_SANDBOX_AZURE_STATE"])).open() as objects:
        if command == "recover":
            kept = objects.pop(deleted_vault(asked.name))
            group = kept["id"].split("/")
            objects[kept["id"].lower()] = {
                **{k: v for k, v in kept.items() if not k.endswith("Date") and k != "_secrets"},
                "name": asked.name,
                "type": "Microsoft.KeyVault/vaults",
                "location": kept.get("location", "westeurope"),
            }
            assert group
            objects.update(kept["_secrets"])
        else:
            assert (command, asked.query, asked.output) == ("show", "id", "tsv")
            (found,) = (
                o["id"]
                for o in objects.values()
                if o.get("type") == "Microsoft.KeyVault/vaults" and o["name"] == asked.name
            )
            print(found)


if __name__ == "__main__":
    {"aws": aws, "az": az}[sys.argv[1]](sys.argv[2:])
